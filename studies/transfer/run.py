"""Trainings and scores of the transfer study."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from icefloe.ensemble.engine import load_network
from icefloe.errors import IcefloeError
from icefloe.files import sha256_file
from icefloe.models.spec import MemberSpec
from icefloe.models.weights import weights_file
from icefloe.scoring.baselines import BASELINES
from icefloe.scoring.metrics import pixel_scores
from icefloe.training.config import TrainingConfig
from icefloe.training.data import PreparedImages
from icefloe.training.identity import checkpoint_directory
from icefloe.training.jobs import Job, run_jobs
from icefloe.training.members import TrainedMember
from icefloe.training.validation import mask_scores, predict_logits, probabilities
from icefloe.typing import WeightsMirror
from studies.material import Material
from studies.transfer.design import Panel, draw
from studies.transfer.result import IMAGENET, SCRATCH, SIM, Outcome, TransferStudy

PRETRAINED = (SIM, IMAGENET)
FROZEN = " frozen"
DRAWS_PER_EPOCH = 16
SCRATCH_RATE, PRETRAINED_RATE = 3e-3, 1e-3
"""Learning rates, each the better of the two for its kind of weights; a high one washes out what is known."""


@dataclass(frozen=True)
class _Planned:
    job: Job
    panel: Panel
    arm: str
    encoder: str
    n: int
    seed: int
    test: PreparedImages
    n_pool: int


def run_transfer(
    data: Path,
    config: TrainingConfig,
    panels: Sequence[Panel],
    encoders: Sequence[str],
    *,
    seeds: Sequence[int],
    checkpoints: Path,
    weights_dir: WeightsMirror | None = None,
    ray_address: str | None = None,
) -> TransferStudy:
    """Train one member per panel, encoder, kind of weights, number of labels and seed, and test it.

    A seed decides which images are labelled, which test, the decoder's first weights and the augmentation;
    within a seed everything but the encoder's first weights is alike, so differences are paired. Nothing but
    the n labels is used: the epoch is picked on the labelled images themselves.

    Parameters
    ----------
    data
        The workspace's data folder.
    config
        How to train; members, image size, learning rates and draws an epoch are the study's own. The widths
        of the first member's decoder are those of all.
    panels
        Learning curves.
    encoders
        Of the zoo.
    seeds
        Repetitions.
    checkpoints
        Where trainings are kept: a study that was killed goes on.
    weights_dir
        Mirror of pre-trained weights.
    ray_address
        Ray cluster to train on.

    Raises
    ------
    IcefloeError
        If a dataset has no labels, or too few.
    """
    arms, absent = _arms(encoders, weights_dir)
    materials = {
        panel: Material.load(data, tuple(dict.fromkeys(panel.train + panel.test))) for panel in panels
    }
    planned = [
        plan for panel in panels for plan in _plan(materials[panel], panel, config, arms, seeds, checkpoints)
    ]
    trained = run_jobs([plan.job for plan in planned], weights_dir=weights_dir, ray_address=ray_address)
    outcomes = [_outcome(plan, member) for plan, member in zip(planned, trained, strict=True)]
    return TransferStudy(
        panels=tuple(panels),
        encoders=tuple(encoders),
        outcomes=tuple(outcomes),
        baselines={panel.name: _baselines(planned, panel) for panel in panels},
        absent=absent,
        epochs=config.epochs,
    )


def _arms(
    encoders: Sequence[str], weights_dir: WeightsMirror | None
) -> tuple[dict[tuple[str, str], str | None], dict[str, str]]:
    """Kind of weights and encoder -> hash of the file, where there is one; and why others are absent."""
    arms: dict[tuple[str, str], str | None] = {}
    absent: dict[str, str] = {}
    for encoder in encoders:
        arms[SCRATCH, encoder] = None
        for weights in PRETRAINED:
            try:
                sha256 = sha256_file(weights_file(encoder, weights, weights_dir))
            except IcefloeError as error:
                absent[f"{weights} of {encoder}"] = str(error)
                continue
            arms[weights, encoder] = arms[weights + FROZEN, encoder] = sha256
    return arms, absent


def _plan(
    material: Material,
    panel: Panel,
    config: TrainingConfig,
    arms: Mapping[tuple[str, str], str | None],
    seeds: Sequence[int],
    checkpoints: Path,
) -> list[_Planned]:
    preprocessing = config.preprocessing.model_copy(update={"size": panel.size})
    channels = config.members[0].decoder_channels
    planned = []
    for seed in seeds:
        chosen = draw(material, panel, seed)
        test = material.prepare(chosen.test, preprocessing)
        for n in panel.n_labels:
            data = material.training_data(chosen.order[:n], chosen.order[:n], preprocessing)
            data_sha256 = data.sha256
            for (arm, encoder), weights_sha256 in arms.items():
                weights = "none" if arm == SCRATCH else arm.removesuffix(FROZEN)
                spec = MemberSpec(encoder=encoder, seed=seed, weights=weights, decoder_channels=channels)
                how = config.model_copy(
                    update={
                        "members": (spec,),
                        "preprocessing": preprocessing,
                        "draws_per_epoch": DRAWS_PER_EPOCH,
                        "patience": config.epochs,
                        "learning_rate": SCRATCH_RATE if arm == SCRATCH else PRETRAINED_RATE,
                        "seed": seed,
                        "freeze_encoder": arm.endswith(FROZEN),
                    }
                )
                directory = checkpoint_directory(checkpoints, spec, how, data_sha256, weights_sha256)
                name = f"{panel.name} {encoder} {arm} n={n} seed={seed}"
                job = Job(name, spec, data, how, directory.absolute())
                planned.append(_Planned(job, panel, arm, encoder, n, seed, test, len(chosen.order)))
    return planned


def _outcome(plan: _Planned, member: TrainedMember) -> Outcome:
    n_classes = len(plan.job.data.classes)
    network = load_network(plan.job.spec, n_classes, member.weights)
    logits = predict_logits(network, plan.test.images, 4, torch.device("cpu"), "fp32")
    scores = mask_scores(probabilities(logits), plan.test, n_classes)
    return Outcome(
        panel=plan.panel.name,
        encoder=plan.encoder,
        arm=plan.arm,
        n=plan.n,
        seed=plan.seed,
        iou=scores.iou,
        dice=scores.dice,
        pca=scores.accuracy,
        seconds=member.receipt.seconds,
        n_test=len(plan.test),
        n_pool=plan.n_pool,
    )


def _baselines(planned: Sequence[_Planned], panel: Panel) -> dict[str, tuple[float, float]]:
    """pCA and IoU of what takes no learning, means over the seeds' test images."""
    tests = {plan.seed: plan.test for plan in planned if plan.panel == panel}
    found = {}
    for name, segment in BASELINES.items():
        scores = [
            pixel_scores(test.masks, np.stack([segment(image) for image in test.images]))
            for test in tests.values()
        ]
        found[name] = (
            float(np.mean([score.accuracy for score in scores])),
            float(np.mean([score.iou for score in scores])),
        )
    return found
