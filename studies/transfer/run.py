"""Trainings and scores of the transfer study."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from icefloe.ensemble.engine import load_network
from icefloe.errors import IcefloeError
from icefloe.files import sha256_file
from icefloe.models.spec import MemberSpec
from icefloe.models.weights import weights_file
from icefloe.params import load_params
from icefloe.progress import SILENT, Progress, tracked
from icefloe.scoring.baselines import BASELINES
from icefloe.settings import Settings
from icefloe.training.config import TrainingConfig
from icefloe.training.data import PreparedImages
from icefloe.training.members import TrainedMember
from icefloe.training.validation import mask_scores, predict_logits, probabilities
from icefloe.typing import WeightsMirror
from studies.kit.data import StudyData
from studies.kit.scoring import pooled_scores
from studies.kit.training import Network, Trainer
from studies.transfer.design import Panel, default_panels, divide
from studies.transfer.result import IMAGENET, SCRATCH, SIM, Baseline, Outcome, TransferResult

PRETRAINED = (SIM, IMAGENET)
FROZEN = " frozen"
BATCH_SIZE = 4
DRAWS_PER_EPOCH = 16
SCRATCH_RATE, PRETRAINED_RATE = 3e-3, 1e-3
"""Learning rates, each the better of the two for its kind of weights; a high one washes out what is known."""


@dataclass(frozen=True)
class FirstWeights:
    """What a network begins with.

    Attributes
    ----------
    name
        In tables: `scratch`, `sim`, `sim frozen` and so on.
    encoder
        Of the zoo.
    sha256
        Of the file; None: random weights.
    """

    name: str
    encoder: str
    sha256: str | None = None


@dataclass(frozen=True)
class _Planned:
    network: Network
    weights: FirstWeights
    panel: Panel
    n_labels: int
    seed: int
    test: PreparedImages
    n_pool: int


def run_transfer(
    settings: Settings,
    progress: Progress = SILENT,
    *,
    standard: Sequence[str] = (),
    arriving: Sequence[str] = (),
    encoders: Sequence[str] = ("mobilenet_v2",),
    preset: str = "small",
    n_seeds: int = 4,
) -> TransferResult:
    """The study on the datasets of a workspace.

    Parameters
    ----------
    settings
        Of the workspace.
    progress
        Is told how far it is.
    standard, arriving
        Datasets, as of `default_panels`.
    encoders
        Of the zoo.
    preset
        Of `params.yaml`; see `measure_transfer`.
    n_seeds
        Repetitions.

    Raises
    ------
    IcefloeError
        If a dataset has no labels, or too few.
    """
    params = load_params(settings.workspace / "params.yaml", preset)
    panels = default_panels(settings.data, standard, arriving)
    return measure_transfer(settings, params.training, panels, encoders, range(n_seeds), progress)


def measure_transfer(
    settings: Settings,
    config: TrainingConfig,
    panels: Sequence[Panel],
    encoders: Sequence[str],
    seeds: Sequence[int],
    progress: Progress = SILENT,
) -> TransferResult:
    """Train one network per panel, encoder, kind of weights, number of labels and seed, and test it.

    A seed decides which images are labelled, which test, the decoder's first weights and the augmentation;
    within a seed everything but the first weights is alike, so differences are paired. Nothing but the n
    labels is used: the epoch is picked on the labelled images themselves.

    Parameters
    ----------
    settings
        Data, checkpoints, pre-trained weights, Ray cluster.
    config
        How to train; members, image size, learning rates and draws an epoch are the study's own. The widths
        of the first member's decoder are those of all.
    panels
        Learning curves.
    encoders
        Of the zoo.
    seeds
        Repetitions.
    progress
        Is told how many networks are tested.

    Raises
    ------
    IcefloeError
        If a dataset has no labels, or too few.
    """
    first_weights, absent = available_weights(encoders, settings.weights_dir)
    data = StudyData.load(settings.data, [name for panel in panels for name in panel.train + panel.test])
    trainer = Trainer(data, settings, progress)
    planned = [
        plan
        for panel in panels
        for seed in seeds
        for plan in _planned(data, trainer, panel, config, first_weights, seed)
    ]
    progress.tell(f"{len(planned)} networks to train")
    trained = trainer.train(plan.network for plan in planned)
    tested = tracked(zip(planned, trained, strict=True), progress, "Networks tested", len(planned))
    return TransferResult(
        panels=tuple(panels),
        encoders=tuple(encoders),
        outcomes=tuple(_outcome(plan, member, data.classes) for plan, member in tested),
        baselines=tuple(row for panel in panels for row in _baselines(planned, panel)),
        absent=absent,
        epochs=config.epochs,
    )


def available_weights(
    encoders: Iterable[str], weights_dir: WeightsMirror | None
) -> tuple[list[FirstWeights], dict[str, str]]:
    """Kinds of first weights of each encoder; and those that are not here, with the reason."""
    found: list[FirstWeights] = []
    absent: dict[str, str] = {}
    for encoder in encoders:
        found.append(FirstWeights(SCRATCH, encoder))
        for name in PRETRAINED:
            try:
                sha256 = sha256_file(weights_file(encoder, name, weights_dir))
            except IcefloeError as error:
                absent[f"{name} of {encoder}"] = str(error)
                continue
            found += [FirstWeights(name, encoder, sha256), FirstWeights(name + FROZEN, encoder, sha256)]
    return found, absent


def _planned(
    data: StudyData,
    trainer: Trainer,
    panel: Panel,
    config: TrainingConfig,
    first_weights: Sequence[FirstWeights],
    seed: int,
) -> Iterable[_Planned]:
    preprocessing = config.preprocessing.model_copy(update={"size": panel.size})
    images = divide(data, panel, seed)
    test = trainer.prepare(images.test, preprocessing)
    for n_labels in panel.n_labels:
        labelled = tuple(sample.key for sample in images.pool[:n_labels])
        for weights in first_weights:
            from_scratch = weights.name == SCRATCH
            spec = MemberSpec(
                encoder=weights.encoder,
                seed=seed,
                weights="none" if from_scratch else weights.name.removesuffix(FROZEN),
                decoder_channels=config.members[0].decoder_channels,
            )
            how = config.model_copy(
                update={
                    "members": (spec,),
                    "preprocessing": preprocessing,
                    "draws_per_epoch": DRAWS_PER_EPOCH,
                    "patience": config.epochs,
                    "learning_rate": SCRATCH_RATE if from_scratch else PRETRAINED_RATE,
                    "seed": seed,
                    "freeze_encoder": weights.name.endswith(FROZEN),
                }
            )
            version = f"{panel.name} {weights.name} n={n_labels}"
            network = Network(version, spec, how, labelled, labelled, weights_sha256=weights.sha256)
            yield _Planned(network, weights, panel, n_labels, seed, test, len(images.pool))


def _outcome(plan: _Planned, member: TrainedMember, classes: Sequence[str]) -> Outcome:
    network = load_network(plan.network.spec, len(classes), member.weights)
    logits = predict_logits(network, plan.test.images, BATCH_SIZE, torch.device("cpu"), "fp32")
    scores = mask_scores(probabilities(logits), plan.test, len(classes))
    return Outcome(
        panel=plan.panel.name,
        encoder=plan.weights.encoder,
        weights=plan.weights.name,
        n_labels=plan.n_labels,
        seed=plan.seed,
        iou=scores.iou,
        dice=scores.dice,
        pca=scores.accuracy,
        seconds=member.receipt.seconds,
        n_test=len(plan.test),
        n_pool=plan.n_pool,
    )


def _baselines(planned: Sequence[_Planned], panel: Panel) -> Iterable[Baseline]:
    """Means over the seeds' test images."""
    tests = {plan.seed: plan.test for plan in planned if plan.panel == panel}.values()
    for name, segment in BASELINES.items():
        scores = [pooled_scores(test.masks, map(segment, test.images)) for test in tests]
        yield Baseline(
            panel=panel.name,
            name=name,
            pca=float(np.mean([score.accuracy for score in scores])),
            iou=float(np.mean([score.iou for score in scores])),
        )
