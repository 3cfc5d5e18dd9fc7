"""How long a planned training is: the steps that machine and time allow."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from icefloe.datasets.fingerprint import Fingerprint
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.training.decision import Decision
from icefloe.training.plan import Machine
from icefloe.training.plan_view import grid_pixel
from icefloe.training.simulated import N_PARTS, PART
from icefloe.training.speed import Precision, StepTime

BATCH = 8
OVERHEAD_SECONDS = 60.0
"""Of a run outside training: Ray's start, calibration, evaluation, registration."""

SIMULATED_PIXEL_SECONDS = 2.6e-6
"""Time that one core takes for a pixel of a simulated image, measured on images of 192 px."""

LEAST_STEPS, MOST_STEPS = 60, 1500
"""Fewer teach little, and more add little."""

STEPS_PER_EPOCH = 8
MOST_VALIDATION = 0.1
"""Share of the time that an epoch's validation may take, by making the epoch longer."""

FORWARD_SHARE, VALIDATED_SHARE = 1 / 3, 0.27
"""Time of a prediction in that of a training step, and a fold's share of the labelled images."""

Timing = Callable[[MemberSpec, int, int, int, int], StepTime]
"""Time of a step by member, size, batch size, number of classes and threads, such as `speed.step_time`."""


@dataclass(frozen=True)
class Budget:
    """What is trained, on what, and the time that it may take."""

    found: Fingerprint
    machine: Machine
    minutes: float
    members: Sequence[MemberSpec]
    simulates: bool
    timing: Timing

    def schedule(self, how: Preprocessing) -> Schedule:
        """The training for images that are seen in a certain way."""
        found, machine, n_members = self.found, self.machine, len(self.members)
        threads = max(1, machine.cores // n_members)
        measured = self.timing(self.members[1], how.size, BATCH, len(found.classes) + 1, threads)
        epoch = _Epoch.planned(found, how)
        other = OVERHEAD_SECONDS + (_simulating(how.size) / machine.cores if self.simulates else 0)
        epochs, lasting, length = _length(measured, machine, epoch, n_members, self.minutes, other)
        return Schedule(measured.precision, epoch, epochs, lasting, length)


@dataclass(frozen=True)
class Schedule:
    """The training that the time allows."""

    precision: Precision
    epoch: _Epoch
    epochs: int
    minutes: float
    length: Decision


@dataclass(frozen=True)
class _Epoch:
    """Training steps of an epoch, and the time of its validation in such steps."""

    steps: int
    validation: float

    @classmethod
    def planned(cls, found: Fingerprint, how: Preprocessing) -> _Epoch:
        """So many steps that validation takes little of the time: tiles validate on whole images, too."""
        height, width = found.largest
        windows = 1.0 if how.view == "whole" else height * width / (grid_pixel(found, how) * how.size) ** 2
        validation = FORWARD_SHARE * windows * VALIDATED_SHARE * found.n_labelled / BATCH
        return cls(max(STEPS_PER_EPOCH, math.ceil(validation / MOST_VALIDATION)), validation)


def _simulating(size: int) -> float:
    """Seconds that one core takes for all simulated images of a training."""
    return SIMULATED_PIXEL_SECONDS * N_PARTS * PART * size**2


def _length(
    measured: StepTime, machine: Machine, epoch: _Epoch, n_members: int, minutes: float, other_seconds: float
) -> tuple[int, float, Decision]:
    """Epochs, the minutes that they take with all that is not training, and why."""
    at_once = 1 if machine.gpu else min(n_members, machine.cores)
    a_step = measured.seconds * n_members / at_once
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
    if machine.is_busy and steps < MOST_STEPS:
        why += (
            f"; other programs are at work (load {machine.load:g}): without them more steps would fit, and "
            "another --minutes plans anew"
        )
    choice = f"{epochs} epochs of {epoch.steps} steps, about {lasting:.0f} min"
    return epochs, lasting, Decision(what="length", choice=choice, why=why)
