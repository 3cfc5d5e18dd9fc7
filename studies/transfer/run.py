"""Trainings and scores of the transfer study."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from icefloe.ensemble.engine import load_network
from icefloe.errors import IcefloeError
from icefloe.evaluation.scores import Baseline
from icefloe.files import sha256_file
from icefloe.models.spec import MemberSpec
from icefloe.models.weights import weights_file
from icefloe.models.zoo import build
from icefloe.params import load_params
from icefloe.progress import SILENT, Progress, tracked
from icefloe.scoring.baselines import BASELINES
from icefloe.scoring.tally import mask_scores as named_scores
from icefloe.settings import Settings
from icefloe.training.config import TrainingConfig
from icefloe.training.data import PreparedImages
from icefloe.training.members import TrainedMember
from icefloe.training.validation import judged_logits, mask_scores, probabilities
from icefloe.typing import WeightsMirror
from studies.kit.data import StudyData, pooled_scores
from studies.kit.training import Network, Trainer
from studies.transfer.design import Panel, as_far_as_images_go, default_panels, divide
from studies.transfer.result import IMAGE_SIM, IMAGENET, SCRATCH, SIM, Outcome, TransferResult

FROZEN = " frozen"
BATCH_SIZE = 4
SCRATCH_RATE, PRETRAINED_RATE = 3e-3, 1e-3
"""Learning rates; in a trial from random and from `sim` weights each was the better of the two for its kind:
a high one washes out what is known."""


@dataclass(frozen=True)
class FirstWeights:
    """What a network begins with: `name` in tables, and the file's hash; None: random weights."""

    name: str
    encoder: str
    sha256: str | None = None


@dataclass(frozen=True)
class _Planned:
    """A network, what tests it, and the part of its outcome that is known beforehand."""

    network: Network
    test: PreparedImages
    outcome: dict[str, Any]


def run_transfer(
    settings: Settings,
    progress: Progress = SILENT,
    *,
    standard: Sequence[str] = (),
    arriving: Sequence[str] = (),
    encoders: Sequence[str] = ("efficientnet-lite0",),
    preset: str = "study",
    n_seeds: int = 4,
    frozen: bool = False,
) -> TransferResult:
    """The study on a workspace: datasets as of `default_panels`, encoders of the zoo, a preset's training.

    With `frozen`, pre-trained weights are tried a second time as an encoder that stays as it began.

    Raises
    ------
    IcefloeError
        If a dataset has no labels, or too few.
    """
    config = load_params(settings.workspace / "params.yaml", preset).training
    panels = default_panels(settings.data, standard, arriving)
    return measure_transfer(settings, config, panels, encoders, n_seeds, frozen, progress)


def measure_transfer(
    settings: Settings,
    config: TrainingConfig,
    panels: Sequence[Panel],
    encoders: Sequence[str],
    n_seeds: int,
    frozen: bool = False,
    progress: Progress = SILENT,
) -> TransferResult:
    """Train one network per panel, encoder, kind of weights, number of labels and seed, and test it.

    A seed decides which images are labelled, which test, the decoder's first weights and the augmentation;
    within a seed everything but the first weights is alike, so differences are paired. Nothing but the n
    labels is used: no image picks the epoch but the labelled ones themselves, where `config` has one picked.
    Curves end where there are no more images to label. Of `config` members, image size and learning rates are
    the study's own, but the widths of the first member's decoder are those of all.
    """
    data = StudyData.load(settings.data, [name for panel in panels for name in panel.train + panel.test])
    panels = [as_far_as_images_go(data, panel, n_seeds) for panel in panels]
    members = [
        MemberSpec(encoder=encoder, decoder_channels=config.members[0].decoder_channels)
        for encoder in encoders
    ]
    first_weights, absent = available_weights(members, settings.weights_dir, frozen)
    trainer = Trainer(data, settings, progress)
    planned = [
        plan
        for panel in panels
        for seed in range(n_seeds)
        for plan in _plan(trainer, panel, config, first_weights, seed)
    ]
    progress.tell(f"{len(planned)} networks to train")
    trained = trainer.train(plan.network for plan in planned)
    tested = tracked(zip(planned, trained, strict=True), progress, "Networks tested", len(planned))
    return TransferResult(
        panels=tuple(panels),
        encoders=tuple(encoders),
        outcomes=tuple(_outcome(plan, member, len(data.classes)) for plan, member in tested),
        baselines={panel.name: _baselines(planned, panel) for panel in panels},
        absent=absent,
        epochs=config.epochs,
    )


def available_weights(
    members: Iterable[MemberSpec], weights_dir: WeightsMirror | None, frozen: bool
) -> tuple[list[FirstWeights], dict[str, str]]:
    """Kinds of first weights of each member's encoder; and those that are not here, with the reason."""
    found: list[FirstWeights] = []
    absent: dict[str, str] = {}
    for member in members:
        encoder = member.encoder
        found.append(FirstWeights(SCRATCH, encoder))
        for name in (SIM, IMAGENET, IMAGE_SIM):
            try:
                build(member.model_copy(update={"weights": name}), 2, weights_dir)  # a file may lack stages
                sha256 = sha256_file(weights_file(encoder, name, weights_dir))
            except IcefloeError as error:
                absent[f"{name} of {encoder}"] = str(error)
                continue
            found += [FirstWeights(kind, encoder, sha256) for kind in (name, name + FROZEN)[: 1 + frozen]]
    return found, absent


def _plan(
    trainer: Trainer,
    panel: Panel,
    config: TrainingConfig,
    first_weights: Sequence[FirstWeights],
    seed: int,
) -> Iterator[_Planned]:
    config = config.model_copy(
        update={
            "preprocessing": config.preprocessing.model_copy(update={"size": panel.size}),
            "patience": config.epochs,
            "seed": seed,
        }
    )
    images = divide(trainer.data, panel, seed)
    test = trainer.prepare(images.test, config.preprocessing)
    known = {"panel": panel.name, "seed": seed, "n_test": len(test), "n_pool": len(images.pool)}
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
            how = {
                "members": (spec,),
                "learning_rate": SCRATCH_RATE if from_scratch else PRETRAINED_RATE,
                "freeze_encoder": weights.name.endswith(FROZEN),
            }
            network = Network(
                version=f"{panel.name} {weights.name} n={n_labels}",
                spec=spec,
                config=config.model_copy(update=how),
                train=labelled,
                validation=labelled,
                weights_sha256=weights.sha256,
            )
            which = {"encoder": weights.encoder, "weights": weights.name, "n_labels": n_labels}
            yield _Planned(network, test, known | which)


def _outcome(plan: _Planned, member: TrainedMember, n_classes: int) -> Outcome:
    network = load_network(plan.network.spec, n_classes, member.weights)
    views = plan.network.config.views
    logits = judged_logits(network, plan.test, BATCH_SIZE, torch.device("cpu"), "fp32", views)
    scores = named_scores(mask_scores(probabilities(logits), plan.test, n_classes))
    return Outcome(**plan.outcome, **scores, seconds=member.receipt.seconds)


def _baselines(planned: Sequence[_Planned], panel: Panel) -> dict[str, Baseline]:
    """Means over the seeds' test images; Dice is that of the mean IoU."""
    tests = {p.outcome["seed"]: p.test for p in planned if p.outcome["panel"] == panel.name}.values()
    found = {}
    for name, segment in BASELINES.items():
        scores = [pooled_scores(test.masks, map(segment, test.images)) for test in tests]
        pca, iou = (float(np.mean([getattr(s, score) for s in scores])) for score in ("accuracy", "iou"))
        found[name] = Baseline(pca=pca, iou=iou, dice=2 * iou / (1 + iou))
    return found
