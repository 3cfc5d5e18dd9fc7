"""A training planned from the data, the machine and the time there is, each choice with its reason."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from pydantic import BaseModel, ConfigDict

from icefloe.datasets.fingerprint import Fingerprint
from icefloe.datasets.splits import SplitConfig
from icefloe.imaging.augment import Augmentation
from icefloe.imaging.geometry import STRIDE
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import DecoderChannels, MemberSpec
from icefloe.result import Result
from icefloe.tables import Table
from icefloe.training.config import RetrainingConfig, TrainingConfig
from icefloe.training.rule import PruningRule
from icefloe.training.simulated import N_PARTS, PART
from icefloe.training.speed import Precision, StepTime, step_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MINUTES = 12.0
"""What a first version may take where nobody says otherwise; a busy machine makes it a quarter of an hour."""

ENCODERS = ("efficientnet-lite2", "efficientnet-lite1", "efficientnet-lite0")
"""Whose ImageNet weights are installed with Icefloe; the slowest first, so no core waits at the end."""

DECODER: DecoderChannels = (48, 32, 16, 8)
"""Its last stages see the whole grid: with half their channels a step takes 30 % less time, and no more is
lost on an unseen experiment than from one seed to another."""

LEAST_WIDTH = 6.0
"""Pixels that objects must be wide on the grid of a network; thinner ones vanish in its first halvings."""

SMALLEST, SMALL, SIZE, GPU_SIZE = 160, 192, 256, 512
"""Sides of squares and tiles in px: the least where steps are few, the least elsewhere, and the most without
and with a GPU."""

WIDE_ENOUGH = 24.0
"""Pixels of width beyond which a finer grid is worth less than the training steps that it costs: edges half
a pixel off are 4 % of 24 px."""

BATCH = 8
FEW_LABELS = 100
"""Below it each labelled image counts, so members train on folds; above, a split costs little."""

OVERHEAD_SECONDS = 60.0
"""Of a run outside training: Ray's start, calibration, evaluation, registration."""

SIMULATED_PIXEL_SECONDS = 2.6e-6
"""Time that one core takes for a pixel of a simulated image, measured on images of 192 px."""

CROWDED = 1.15
"""Trainings side by side share caches and memory: each takes longer than alone by about this factor."""

LEAST_STEPS, ENOUGH_STEPS, MOST_STEPS = 60, 350, 1500
"""Fewer teach little; an unseen experiment needs about so many; more than the last add little."""

STEPS_PER_EPOCH = 8
MOST_VALIDATION = 0.1
"""Share of the time that an epoch's validation may take, by making the epoch longer."""

FORWARD_SHARE, VALIDATED_SHARE = 1 / 3, 0.27
"""Time of a prediction in that of a training step, and a fold's share of the labelled images."""

RETRAINING_SHARE = 0.5
"""Of a first training's epochs: it starts from weights that know most."""

AUGMENTATION = Augmentation(
    rotation_deg=30,
    scale=0.4,
    elastic=3,
    noise=0.03,
    shot_noise=0,
    gain=0.05,
    contrast=0.1,
    gamma=0,
    blur=0,
    illumination=0,
)
"""Shapes are varied much, intensities little: where ice meets water is a ring 10 of 170 grey levels deep."""

OPTIMISATION: dict[str, Any] = {
    "learning_rate": 1e-3,
    "averaging": 0.1,
    "freeze_statistics": True,
    "views": 4,
}
SIMULATED_SHARE = 0.5
"""Of each batch, where there are two classes; see `TrainingConfig.simulated_share`."""

RETRAINING: dict[str, Any] = {"learning_rate": 5e-4, "new_data_weight": 4.0}
LEAST_REDUCTION, LEAST_REDUCTION_IN_FOLDS = 2 / 3, 1 / 3
"""Part of the best trivial baseline's wrong pixels that a member has to get right. Each fold is a few images
of its own: a hard one among them says more of the fold than of the member that happens to validate on it."""


Timing = Callable[[MemberSpec, int, int, int, int], StepTime]
"""Time of a step by member, size, batch size, number of classes and threads, such as `speed.step_time`."""


class Machine(BaseModel):
    """The machine to train on: number of CPU cores, and the name of its GPU, if any."""

    model_config = ConfigDict(frozen=True)

    cores: int
    gpu: str | None

    @classmethod
    def here(cls) -> Machine:
        """This one."""
        gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
        return cls(cores=os.cpu_count() or 1, gpu=gpu)


class Decision(BaseModel):
    """One choice of a plan, and why."""

    model_config = ConfigDict(frozen=True)

    what: str
    choice: str
    why: str


class Plan(Result):
    """Settings of a first version, planned.

    Attributes
    ----------
    fingerprint, machine
        Data and machine that it was planned for.
    minutes
        About how long the run will take.
    decisions
        Every choice, with its reason.
    split, training, pruning
        The settings.
    """

    fingerprint: Fingerprint
    machine: Machine
    minutes: float
    decisions: tuple[Decision, ...]
    split: SplitConfig
    training: TrainingConfig
    pruning: PruningRule

    def sentence(self) -> str:
        """Members, view, length."""
        training = self.training
        how = training.preprocessing
        return (
            f"Plan: {len(training.members)} members on {_seen(how)}, {training.epochs} epochs, "
            f"about {self.minutes:.0f} min."
        )

    def table(self) -> Table:
        """A row per choice."""
        return Table.of(
            {"what": decision.what, "choice": decision.choice, "why": decision.why}
            for decision in self.decisions
        )

    def plot(self, ax: Axes) -> None:
        """Width of each class's objects on the network's grid, in a square of whole images and as planned."""
        names = [found.name for found in self.fingerprint.classes]
        how = self.training.preprocessing
        whole, planned = _shrinking(self.fingerprint, how.size), _grid_pixel(self.fingerprint, how)
        for offset, label, factor in ((-0.2, "whole image", whole), (0.2, "as planned", planned)):
            widths = [found.width / factor for found in self.fingerprint.classes]
            ax.barh([row + offset for row in range(len(names))], widths, 0.35, label=label)
        ax.axvline(LEAST_WIDTH, color="0.4", linewidth=1, linestyle="--")
        ax.set_yticks(range(len(names)), names)
        ax.set_xscale("log")
        ax.set_xlabel("typical width on the network's grid in px; dashed: least that is seen")
        ax.legend(frameon=False)


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
        MemberSpec(encoder=encoder, weights="imagenet", decoder_channels=DECODER) for encoder in ENCODERS
    )
    split, folds = _split(found, len(members))
    share, simulated = _simulated(found)
    budget = _Budget(found, machine, minutes, members, share > 0, timing or step_time)
    size = GPU_SIZE if machine.gpu else SIZE
    schedule = budget.schedule(*_view(found, SMALL, size))
    smaller, view = _view(found, SMALLEST, size)
    if schedule.steps < ENOUGH_STEPS and smaller != schedule.preprocessing:
        why = f"{view.why}; a larger one would allow {schedule.steps} steps, and {ENOUGH_STEPS} are good"
        schedule = budget.schedule(smaller, view.model_copy(update={"why": why}))
    training = TrainingConfig(
        members=members,
        preprocessing=schedule.preprocessing,
        augmentation=AUGMENTATION,
        epochs=schedule.epochs,
        patience=schedule.epochs,
        batch_size=BATCH,
        simulated_share=share,
        draws_per_epoch=round(schedule.epoch.steps * BATCH * (1 - share)),
        precision=schedule.precision,
        retraining=RetrainingConfig(
            epochs=(shorter := max(1, round(RETRAINING_SHARE * schedule.epochs))),
            patience=shorter,
            **RETRAINING,
        ),
        **OPTIMISATION,
    )
    networks = Decision(
        what="members",
        choice=", ".join(ENCODERS),
        why="they are pre-trained on ImageNet and installed with Icefloe, and three are trained quickly",
    )
    return Plan(
        fingerprint=found,
        machine=machine,
        minutes=schedule.minutes,
        decisions=(schedule.view, networks, folds, simulated, schedule.length, _bar(split)),
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


def _shrinking(found: Fingerprint, size: int) -> float:
    """Native pixels per pixel of a square of `size` that holds a whole image."""
    return max(found.largest) / size


def _grid_pixel(found: Fingerprint, how: Preprocessing) -> float:
    """Native pixels per pixel of the network's grid along an axis, at the finest pixel size there is."""
    if how.view == "whole":
        return _shrinking(found, how.size)
    if how.pixel_size_nm is None:
        return float(how.downsampling)
    return how.pixel_size_nm / min(size for size in found.pixel_sizes_nm.values() if size is not None)


def _view(found: Fingerprint, smallest: int, size: int) -> tuple[Preprocessing, Decision]:
    """Whole images where objects are wide enough in the square, else tiles at the resolution they need."""
    finest, shrinking = found.finest, _shrinking(found, size)
    shrunk = finest.width / shrinking
    largest = f"{max(found.largest)} px images"
    if shrunk >= LEAST_WIDTH or shrinking <= 1:
        choice = Preprocessing(size=_square(found, smallest, size))
        shrunk = finest.width / _shrinking(found, choice.size)
        why = f"{finest.name} is about {finest.width:.0f} px wide in {largest}, {shrunk:.0f} px in the square"
        return choice, Decision(what="view", choice=_seen(choice), why=why)
    sizes = list(found.pixel_sizes_nm.values())
    known = [pixel for pixel in sizes if pixel is not None]
    if len(known) == len(sizes) and len(set(known)) > 1:
        choice = Preprocessing(view="tiles", size=size, pixel_size_nm=max(known))
    else:
        choice = Preprocessing(
            view="tiles", size=size, downsampling=max(1, int(finest.width // (2 * LEAST_WIDTH)))
        )
    why = (
        f"{finest.name} is about {finest.width:.1f} px wide in {largest}; scaled to {size} px it would be "
        f"{shrunk:.1f}, less than the {LEAST_WIDTH:g} that networks need"
    )
    return choice, Decision(what="view", choice=_seen(choice), why=why)


def _square(found: Fingerprint, smallest: int, largest: int) -> int:
    """Side of the smallest square, from `smallest` to `largest`, in which objects are `WIDE_ENOUGH`."""
    sizes = range(smallest, largest, STRIDE)
    return next((s for s in sizes if found.finest.width / _shrinking(found, s) >= WIDE_ENOUGH), largest)


def _seen(how: Preprocessing) -> str:
    if how.view == "whole":
        return f"whole images at {how.size} px"
    if how.pixel_size_nm is not None:
        return f"tiles of {how.size} px at {how.pixel_size_nm:g} nm a pixel"
    share = "native" if how.downsampling == 1 else f"1/{how.downsampling} of the native"
    return f"tiles of {how.size} px at {share} resolution"


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


def _simulated(found: Fingerprint) -> tuple[float, Decision]:
    """Share of simulated images in a batch."""
    if len(found.classes) > 1:
        return 0.0, Decision(
            what="simulated images",
            choice="none",
            why=f"they show one kind of object, and the data have {len(found.classes)}",
        )
    return SIMULATED_SHARE, Decision(
        what="simulated images",
        choice="half of each batch",
        why="images of few experiments teach where their objects lie; simulated ones of every shape, place "
        "and contrast teach what an edge is",
    )


def _simulating(size: int) -> float:
    """Seconds that one core takes for all simulated images of a training."""
    return SIMULATED_PIXEL_SECONDS * N_PARTS * PART * size**2


@dataclass(frozen=True)
class _Epoch:
    """Training steps of an epoch, and the time of its validation in such steps."""

    steps: int
    validation: float

    @classmethod
    def planned(cls, found: Fingerprint, how: Preprocessing) -> _Epoch:
        """So many steps that validation takes little of the time: tiles validate on whole images, too."""
        height, width = found.largest
        windows = 1.0 if how.view == "whole" else height * width / (_grid_pixel(found, how) * how.size) ** 2
        validation = FORWARD_SHARE * windows * VALIDATED_SHARE * found.n_labelled / BATCH
        return cls(max(STEPS_PER_EPOCH, math.ceil(validation / MOST_VALIDATION)), validation)


@dataclass(frozen=True)
class _Schedule:
    """How images are seen, and the training that the time allows then."""

    preprocessing: Preprocessing
    view: Decision
    precision: Precision
    epoch: _Epoch
    epochs: int
    minutes: float
    length: Decision

    @property
    def steps(self) -> int:
        """Training steps of a member."""
        return self.epochs * self.epoch.steps


@dataclass(frozen=True)
class _Budget:
    """What is trained, on what, and the time that it may take."""

    found: Fingerprint
    machine: Machine
    minutes: float
    members: Sequence[MemberSpec]
    simulates: bool
    timing: Timing

    def schedule(self, how: Preprocessing, view: Decision) -> _Schedule:
        """The training for images that are seen in a certain way."""
        found, machine, n_members = self.found, self.machine, len(self.members)
        threads = max(1, machine.cores // n_members)
        measured = self.timing(self.members[1], how.size, BATCH, len(found.classes) + 1, threads)
        epoch = _Epoch.planned(found, how)
        other = OVERHEAD_SECONDS + (_simulating(how.size) / machine.cores if self.simulates else 0)
        epochs, lasting, length = _length(measured, machine, epoch, n_members, self.minutes, other)
        return _Schedule(how, view, measured.precision, epoch, epochs, lasting, length)


def _length(
    measured: StepTime, machine: Machine, epoch: _Epoch, n_members: int, minutes: float, other_seconds: float
) -> tuple[int, float, Decision]:
    """Epochs, the minutes that they take with all that is not training, and why."""
    at_once = 1 if machine.gpu else min(n_members, machine.cores)
    a_step = CROWDED * measured.seconds * n_members / at_once
    an_epoch = (epoch.steps + epoch.validation) * a_step
    steps = (60 * minutes - other_seconds) / an_epoch * epoch.steps
    epochs = max(1, round(min(max(steps, LEAST_STEPS), MOST_STEPS) / epoch.steps))
    lasting = (epochs * an_epoch + other_seconds) / 60
    where = machine.gpu or f"{machine.cores} core{'' if machine.cores == 1 else 's'}"
    why = f"a step takes {measured.seconds:.2f} s ({measured.precision}) on {where}"
    if steps < LEAST_STEPS:
        why += f"; {minutes:g} min allow {max(0, steps):.0f} steps, and fewer than {LEAST_STEPS} teach little"
    elif steps > MOST_STEPS:
        why += f"; more than {MOST_STEPS} steps add little"
    choice = f"{epochs} epochs of {epoch.steps} steps, about {lasting:.0f} min"
    return epochs, lasting, Decision(what="length", choice=choice, why=why)
