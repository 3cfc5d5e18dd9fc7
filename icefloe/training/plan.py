"""A planned training: its settings, and why they are as they are."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import torch
from pydantic import BaseModel, ConfigDict

from icefloe.datasets.fingerprint import Fingerprint
from icefloe.datasets.splits import SplitConfig
from icefloe.machine import usable_cores
from icefloe.result import Result
from icefloe.tables import Table
from icefloe.training.config import TrainingConfig
from icefloe.training.decision import Decision
from icefloe.training.plan_view import LEAST_WIDTH, grid_pixel, seen, shrinking
from icefloe.training.rule import PruningRule

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Machine(BaseModel):
    """The machine to train on.

    Attributes
    ----------
    cores
        Number of CPU cores that may be used, which in a container are not all.
    gpu
        Name of its GPU, if any.
    load
        Programs that wanted a core at a time, on average over the minute before.
    """

    model_config = ConfigDict(frozen=True)

    cores: int
    gpu: str | None
    load: float = 0.0

    @property
    def is_busy(self) -> bool:
        """Whether other programs want all cores: whoever plans has used one for some seconds only."""
        return self.load >= self.cores

    @classmethod
    def here(cls) -> Machine:
        """This one."""
        gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
        return cls(cores=usable_cores(), gpu=gpu, load=round(os.getloadavg()[0], 1))


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
            f"Plan: {len(training.members)} members on {seen(how)}, {training.epochs} epochs, "
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
        whole, planned = shrinking(self.fingerprint, how.size), grid_pixel(self.fingerprint, how)
        for offset, label, factor in ((-0.2, "whole image", whole), (0.2, "as planned", planned)):
            widths = [found.width / factor for found in self.fingerprint.classes]
            ax.barh([row + offset for row in range(len(names))], widths, 0.35, label=label)
        ax.axvline(LEAST_WIDTH, color="0.4", linewidth=1, linestyle="--")
        ax.set_yticks(range(len(names)), names)
        ax.set_xscale("log")
        ax.set_xlabel("typical width on the network's grid in px; dashed: least that is seen")
        ax.legend(frameon=False)
