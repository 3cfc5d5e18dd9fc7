"""The study's result: curves, and everything that is said of them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from matplotlib.figure import Figure

from icefloe.statistics.interval import Interval
from studies.label_cost import figures
from studies.label_cost.contenders import BASELINES
from studies.label_cost.curves import Array, Curves
from studies.label_cost.labour import SCRATCH_MINUTES
from studies.label_cost.page import page
from studies.label_cost.savings import (
    MetAnew,
    Seeds,
    best_met_anew,
    mean_areas,
    minutes_needed,
    of_mean_curves,
)
from studies.label_cost.verdicts import Comparison, compare, in_words


@dataclass(frozen=True)
class Setup:
    """How versions were trained and images chosen, for the page.

    Attributes
    ----------
    preset
        Of `params.yaml`.
    members
        Encoders.
    size
        Side of the networks' input in px.
    epochs, retraining_epochs
        At most.
    n_seeds
        Repetitions.
    spread
        As in `SamplerConfig`.
    """

    preset: str
    members: tuple[str, ...]
    size: int
    epochs: int
    retraining_epochs: int
    n_seeds: int
    spread: float

    def sentence(self) -> str:
        """In words."""
        return (
            f"Preset `{self.preset}`: members {', '.join(self.members)} at {self.size} px; first versions "
            f"train for {self.epochs} epochs, others for {self.retraining_epochs}. Each of {self.n_seeds} "
            "seeds has its own first weights, order, augmentation, draws and held-out images."
        )


@dataclass(frozen=True, eq=False)
class LabelCostStudy:
    """Dice against labels of every strategy and both baselines.

    Attributes
    ----------
    setup
        How it was done.
    arrivals
        Curves of each arriving dataset; contenders and seeds are the same in all.
    n_measured
        Images with a person's measured time.
    """

    name: ClassVar[str] = "label-cost"
    title: ClassVar[str] = "What a label costs"

    setup: Setup
    arrivals: tuple[Curves, ...]
    n_measured: int = 0

    @property
    def contenders(self) -> tuple[str, ...]:
        """Baselines, then strategies."""
        return self.arrivals[0].contenders

    @property
    def strategies(self) -> tuple[str, ...]:
        """Those that are compared with the baselines."""
        return tuple(name for name in self.contenders if name not in BASELINES)

    @cached_property
    def areas(self) -> Array:
        """Areas under the curves averaged over arrivals, shape (A, S)."""
        return mean_areas(self.arrivals)

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """Every strategy against every baseline."""
        return compare(self.arrivals, self.strategies)

    @property
    def best(self) -> str:
        """The strategy with the largest area."""
        areas = self.areas[len(BASELINES) :].mean(axis=1)
        return self.strategies[int(areas.argmax())]

    @cached_property
    def met_anew(self) -> Mapping[str, MetAnew | None]:
        """By baseline, what the best strategy gains on seeds that did not choose it."""
        return {name: best_met_anew(self.arrivals, self.strategies, name) for name in BASELINES}

    @cached_property
    def minutes(self) -> dict[str, tuple[Interval, Interval]]:
        """By contender, minutes to the Dice of uniform draws: from scratch, and correcting; all arrivals."""

        def needed(contender: str, minutes_a_label: float | None) -> Interval:
            def total(seeds: Seeds) -> float:
                return sum(
                    minutes_needed(curves, contender, BASELINES[0], seeds, minutes_a_label)
                    for curves in self.arrivals
                )

            return of_mean_curves(total, self.setup.n_seeds)

        return {name: (needed(name, SCRATCH_MINUTES), needed(name, None)) for name in self.contenders}

    @property
    def minutes_an_image(self) -> tuple[float, float]:
        """Mean minutes to correct an image of the first round, and of the last."""
        first, last = [], []
        for curves in self.arrivals:
            an_image = np.diff(curves.minutes.mean(axis=(0, 1))) / np.diff(curves.labels)
            first.append(an_image[0])
            last.append(an_image[-1])
        return float(np.mean(first)), float(np.mean(last))

    def verdicts(self) -> list[str]:
        """What was found, a line each."""
        return in_words(self.best, self.met_anew, self.comparisons)

    def to_markdown(self) -> str:
        """Verdicts and tables."""
        return page(self)

    def figures(self) -> dict[str, Figure]:
        """Curves, labels saved, minutes, and which images were chosen."""
        return {
            "curves": figures.draw_curves(self.arrivals, self.best),
            "saved": figures.draw_saved(self.comparisons),
            "minutes": figures.draw_minutes(self.arrivals, self.best),
            "picked": figures.draw_picked(self.arrivals),
        }

    def to_dict(self) -> dict[str, Any]:
        """Curves seed by seed, and what follows."""
        return {
            "setup": asdict(self.setup),
            "best": self.best,
            "best_met_anew": {
                name: met and {"chosen": list(met.chosen), "gain": met.gain.model_dump()}
                for name, met in self.met_anew.items()
            },
            "comparisons": [comparison.to_dict() for comparison in self.comparisons],
            "minutes": {
                name: {"from_scratch": scratch.model_dump(), "correcting": correcting.model_dump()}
                for name, (scratch, correcting) in self.minutes.items()
            },
            "n_measured": self.n_measured,
            "arrivals": [curves.to_dict() for curves in self.arrivals],
        }
