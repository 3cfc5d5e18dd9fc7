"""A training planned from the data, the machine and the time there is, each choice with its reason."""

from typing import Any

from icefloe.datasets.fingerprint import Fingerprint
from icefloe.datasets.splits import SplitConfig
from icefloe.models.spec import DecoderChannels, MemberSpec
from icefloe.training.config import RetrainingConfig, TrainingConfig
from icefloe.training.decision import Decision
from icefloe.training.plan import Machine, Plan
from icefloe.training.plan_length import BATCH, Budget, Timing
from icefloe.training.plan_variety import choose_variety
from icefloe.training.plan_view import GPU_SIZE, SIZE, choose_view
from icefloe.training.rule import PruningRule
from icefloe.training.speed import step_time

MINUTES = 12.0
"""What a first version may take where nobody says otherwise; a busy machine makes it a quarter of an hour."""

ENCODERS = ("efficientnet-lite2", "efficientnet-lite1", "efficientnet-lite0")
"""The slowest first, so no core waits at the end."""

WEIGHTS = "image-sim"
"""Which come with Icefloe: their networks segment simulated micrographs before they see a real one."""

DECODER: DecoderChannels = (48, 32, 16, 8)
"""Its last stages see the whole grid: with half their channels a step takes 30 % less time, and no more is
lost on an unseen experiment than from one seed to another."""

FEW_LABELS = 100
"""Below it each labelled image counts, so members train on folds; above, a split costs little."""

RETRAINING_SHARE = 0.5
"""Of a first training's epochs: it starts from weights that know most."""

OPTIMISATION: dict[str, Any] = {
    "averaging": 0.1,
    "freeze_statistics": True,
    "views": 4,
}
NEW_DATA_WEIGHT = 4.0
"""Of new labelled images in a retraining: they are few beside the old."""

LEAST_REDUCTION, LEAST_REDUCTION_IN_FOLDS = 2 / 3, 1 / 3
"""Part of the best trivial baseline's wrong pixels that a member has to get right. Each fold is a few images
of its own: a hard one among them says more of the fold than of the member that happens to validate on it."""


def plan_training(
    found: Fingerprint, machine: Machine, minutes: float = MINUTES, *, timing: Timing | None = None
) -> Plan:
    """Plan the training of a first version.

    Parameters
    ----------
    found
        Fingerprint of the labelled images.
    machine
        Machine to train on.
    minutes
        Wall time that the whole run should take, in minutes.
    timing
        How long a training step takes; None: measured on this machine, which takes some seconds.
    """
    members = tuple(
        MemberSpec(encoder=encoder, weights=WEIGHTS, decoder_channels=DECODER) for encoder in ENCODERS
    )
    split, folds = _split(found, len(members))
    variety = choose_variety(found)
    share = variety.simulated_share
    budget = Budget(found, machine, minutes, members, share > 0, timing or step_time)
    size = GPU_SIZE if machine.gpu else SIZE
    preprocessing, view = choose_view(found, size)
    schedule = budget.schedule(preprocessing)
    training = TrainingConfig(
        members=members,
        preprocessing=preprocessing,
        augmentation=variety.augmentation,
        epochs=schedule.epochs,
        patience=schedule.epochs,
        batch_size=BATCH,
        simulated_share=share,
        learning_rate=variety.learning_rate,
        draws_per_epoch=round(schedule.epoch.steps * BATCH * (1 - share)),
        precision=schedule.precision,
        retraining=RetrainingConfig(
            epochs=(shorter := max(1, round(RETRAINING_SHARE * schedule.epochs))),
            patience=shorter,
            learning_rate=variety.retraining_rate,
            new_data_weight=NEW_DATA_WEIGHT,
        ),
        **OPTIMISATION,
    )
    networks = Decision(
        what="members",
        choice=", ".join(ENCODERS),
        why="they come with Icefloe, pre-trained on photographs and then on simulated micrographs, and three "
        "are trained quickly",
    )
    return Plan(
        fingerprint=found,
        machine=machine,
        minutes=schedule.minutes,
        decisions=(view, networks, folds, *variety.decisions, schedule.length, _bar(split)),
        split=split,
        training=training,
        pruning=pruning_rule(split),
    )


def pruning_rule(split: SplitConfig) -> PruningRule:
    """The bar for members of a planned training, by how its images are divided."""
    least = LEAST_REDUCTION_IN_FOLDS if split.folds else LEAST_REDUCTION
    return PruningRule(min_accuracy=0.0, min_error_reduction=least)


def _bar(split: SplitConfig) -> Decision:
    """What `pruning_rule` asks for, in words."""
    if split.folds:
        part, why = "one third", "each is judged by few images of its own, so only failures are left out"
    else:
        part, why = "two thirds", "97 % accuracy is that in the paper, where all background has 90.5 %"
    return Decision(what="bar", choice=f"{part} of the best trivial baseline's wrong pixels right", why=why)


def _split(found: Fingerprint, n_members: int) -> tuple[SplitConfig, Decision]:
    n = found.n_labelled
    if n < FEW_LABELS:
        return SplitConfig(folds=n_members), Decision(
            what="split",
            choice=f"{n_members} folds",
            why=f"each of the {n} labelled images then trains two members and is judged by the third, which "
            "did not see it",
        )
    return SplitConfig(), Decision(
        what="split",
        choice="train, validation, test",
        why=f"with {n} labelled images a fifth may be kept for validation, and a fifth for testing",
    )
