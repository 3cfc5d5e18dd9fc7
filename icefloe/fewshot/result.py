"""A classified image: one object that the page, CSV, chart and map come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from icefloe.fewshot.grid import Grid
from icefloe.fewshot.rule import Rule
from icefloe.fewshot.sets import UNSURE
from icefloe.result import Result
from icefloe.statistics.interval import Interval
from icefloe.statistics.rates import Rate
from icefloe.tables import Table
from icefloe.typing import IGNORE, MaskArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FROZEN = ConfigDict(frozen=True, extra="forbid")


class ClassCount(BaseModel):
    """How many chips are of one class, or unsure.

    Attributes
    ----------
    name
        The set's name; `unsure` for the last.
    style
        The set's; None for unsure chips.
    n_supports
        Chips that the set has.
    count, fraction
        Chips, and their share of all. The intervals are of all chips of the class: none to all of the unsure
        ones are of it.
    """

    model_config = FROZEN

    name: str
    style: int | None
    n_supports: int
    count: Interval
    fraction: Interval


class LeaveOneOut(BaseModel):
    """How supports are classified by prototypes that were made without them.

    Attributes
    ----------
    right
        Supports that fall to their own set, of those that can be left out.
    ece, plain_ece
        Expected calibration error of the highest probability at the fitted temperature, and at T = 1, as
        published; the temperature was fitted to the same supports. None where none can be left out.
    reliability
        (Mean highest probability, share that is right) of the supports of each occupied bin.
    confusion
        Rows: own set; columns: set that it falls to.
    singles
        Names of sets of one support, which took the others' temperature.
    """

    model_config = FROZEN

    right: Rate
    ece: float | None
    plain_ece: float | None
    reliability: tuple[tuple[float, float], ...]
    confusion: tuple[tuple[int, ...], ...]
    singles: tuple[str, ...]


class Classification(Result):
    """Every chip of an image with its class.

    Attributes
    ----------
    grid
        Where the chips are.
    classes
        Counts of the classes, then of unsure chips; they add up to all chips.
    nearest
        Position of each chip's most probable class, unsure or not.
    unsure
        Numbers of the chips whose risk is above `rule.max_risk`.
    probabilities
        Of each chip, for each class; rounded to six decimals.
    temperature
        T of softmax(-d^2 / T), in units of a squared distance.
    check
        Leave-one-out among the supports.
    rule
        What was asked for.
    is_support_image
        Whether the supports are of this image.
    far, far_chips
        Share of the chips, and their numbers, that lie farther from every prototype than any support, left
        out, from its own; results of an older Icefloe have no numbers.
    label_next
        Chips worth a label, the most first.
    notes
        Warnings, the weightiest first, each with what to do.
    """

    model_config = FROZEN

    grid: Grid
    classes: tuple[ClassCount, ...]
    nearest: tuple[int, ...]
    unsure: tuple[int, ...]
    probabilities: tuple[tuple[float, ...], ...]
    temperature: float
    check: LeaveOneOut
    rule: Rule
    is_support_image: bool
    far: float
    far_chips: tuple[int, ...] = ()
    label_next: tuple[int, ...]
    notes: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the classes, without `unsure`."""
        return tuple(one.name for one in self.classes[:-1])

    @property
    def outcomes(self) -> MaskArray:
        """Class of each chip, uint8 of shape (n_chips,); 255 where it is unsure."""
        outcomes = np.array(self.nearest, np.uint8)
        outcomes[list(self.unsure)] = IGNORE
        return outcomes

    def mask(self) -> MaskArray:
        """Class of each pixel, uint8 of shape (H, W); 255 in unsure chips and in the margins."""
        return np.asarray(self.grid.painted(self.outcomes, IGNORE))

    def predictions(self) -> tuple[str, ...]:
        """Name of each chip's class, or `unsure`."""
        names = self.names
        return tuple(UNSURE if one == IGNORE else names[one] for one in self.outcomes)

    def sentence(self) -> str:
        """The counts, how the supports speak for them, and what to do next."""
        counted = ", ".join(
            f"{one.count.mean:.0f} {one.name} ({100 * one.fraction.mean:.0f} % "
            f"{Interval(mean=0, n=1, low=100 * one.fraction.low, high=100 * one.fraction.high).bounds(0)})"
            for one in self.classes
        )
        right = self.check.right
        told = (
            f"left out, {right.hits} of {right.total} supports fall to their own set"
            if right.total
            else "no support can be left out, so nothing says how sure this is"
        )
        todo = self.notes[0] if self.notes else self._next()
        return f"{self.grid.n_chips} chips: {counted}; {told}.\n{todo}"

    def table(self) -> Table:
        """One row a class, and one of unsure chips."""
        rows: list[dict[str, Any]] = [
            {
                "class": one.name,
                "supports": one.n_supports if one.style is not None else None,
                "chips": one.count.mean,
                "chips, interval": one.count.bounds(0),
                "fraction": one.fraction.mean,
                "fraction, interval": one.fraction.bounds(),
            }
            for one in self.classes
        ]
        return Table.of(rows, {"chips": ".0f", "fraction": ".3f"})

    def plot(self, ax: Axes) -> None:
        """Bars of the counts, with their intervals."""
        from icefloe.fewshot.figures import draw_counts

        draw_counts(ax, self)

    def probability_array(self) -> NDArray[np.float64]:
        """float64, shape (n_chips, C)."""
        return np.array(self.probabilities)

    def _next(self) -> str:
        if not self.label_next:
            return "All chips that are unsure have a label."
        chips = ", ".join(str(chip) for chip in self.label_next)
        return f"Worth a label next: chips {chips}."
