"""Check whether an ensemble's temperature helps, dataset by dataset.

The temperature is fitted on validation images of all datasets together, at every retraining. On a
dataset that is a small part of them, or unlike them, it may make the probabilities worse.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from icefloe.result import Result
from icefloe.statistics.interval import Interval
from icefloe.statistics.means import mean_interval
from icefloe.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from icefloe.evaluation.evaluate import Evaluation
    from icefloe.evaluation.scores import DatasetScores, ImageScores

Finding = Literal["helps", "hurts", "undecided"]
FINDINGS: dict[str, Finding] = {"better": "helps", "worse": "hurts", "undecided": "undecided"}
METRICS = {"nll": "NLL", "ece": "ECE"}
COLOURS: dict[Finding, str] = {"helps": "C2", "hurts": "C3", "undecided": "C1"}


class Change(BaseModel):
    """One metric on one dataset, at temperature 1 and at the ensemble's.

    Attributes
    ----------
    dataset, metric
        Dataset, and `nll` (nats per pixel) or `ece` (in [0, 1]).
    n_images
        Number of images.
    before, after
        The metric over all pixels together, at temperature 1 and at the ensemble's.
    difference, low, high
        Mean over images of after less before, and its 95 % interval; None where one image gives none.
    finding
        What the interval says: it helps or hurts where the interval leaves out 0.
    """

    model_config = ConfigDict(frozen=True)

    dataset: str
    metric: str
    n_images: int
    before: float
    after: float
    difference: float
    low: float | None
    high: float | None
    finding: Finding

    @property
    def interval(self) -> Interval:
        """Of the difference."""
        return Interval.model_validate(
            {"mean": self.difference, "low": self.low, "high": self.high, "n": self.n_images}
        )


class TemperatureCheck(Result):
    """Effect of a temperature on held-out images.

    Attributes
    ----------
    ensemble
        Name of the ensemble.
    temperature
        The version's temperature: its logits are divided by it.
    changes
        NLL and ECE of every dataset.
    """

    ensemble: str
    temperature: float
    changes: tuple[Change, ...]

    def sentence(self) -> str:
        """The dataset where it hurts; else where it is undecided; else where it helps most; by NLL."""
        by_finding: dict[Finding, list[Change]] = {"helps": [], "hurts": [], "undecided": []}
        for change in self.changes:
            if change.metric == "nll":
                by_finding[change.finding].append(change)
        helps, hurts, undecided = by_finding.values()
        n = len(helps) + len(hurts) + len(undecided)
        subject = f"{self.ensemble}: its temperature of {self.temperature:.2f}"
        if hurts:
            worst = max(hurts, key=lambda change: change.difference)
            return (
                f"{subject} hurts on {_others(worst, hurts)}. Label more of {worst.dataset} and retrain: "
                "the temperature is fitted again."
            )
        if undecided:
            widest = max(undecided, key=lambda change: change.interval.high - change.interval.low)
            helped = f"helps on {len(helps)} of {n} datasets, but is undecided" if helps else "is undecided"
            return (
                f"{subject} {helped} on {_others(widest, undecided)}. "
                f"Label more of {widest.dataset} to decide."
            )
        most = min(helps, key=lambda change: change.difference)
        datasets = (
            f"on {_others(most, helps)}" if n == 1 else f"on all {n} datasets, most on {_described(most)}"
        )
        return f"{subject} helps {datasets}. Keep it."

    def table(self) -> Table:
        """Both metrics of every dataset."""
        after = f"at {self.temperature:.2f}"
        rows = [
            {
                "dataset": c.dataset,
                "images": c.n_images,
                "metric": METRICS[c.metric],
                "at 1": c.before,
                after: c.after,
                "difference [95% interval]": c.interval.text(4, signed=True),
                "finding": c.finding,
            }
            for c in self.changes
        ]
        return Table.of(rows, {"at 1": ".4f", after: ".4f"})

    def plot(self, ax: Axes, metric: str = "nll") -> None:
        """Forest plot: each dataset's change in one metric with its interval, and zero."""
        rows = [change for change in self.changes if change.metric == metric]
        for y, c in enumerate(rows):
            if c.low is not None and c.high is not None:
                ax.plot([c.low, c.high], [y, y], color=COLOURS[c.finding], linewidth=2)
            ax.plot(c.difference, y, "o", color=COLOURS[c.finding])
        ax.axvline(0, color="0.6", linewidth=1)
        ax.set_yticks(range(len(rows)), [f"{c.dataset} (n={c.n_images})" for c in rows])
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.set_xlabel(f"{METRICS[metric]} at {self.temperature:.2f} less {METRICS[metric]} at 1")


def _described(change: Change) -> str:
    return f"{change.dataset} (NLL {change.interval.text(4, signed=True)})"


def _others(change: Change, group: Sequence[Change]) -> str:
    """The change in full, and how many there are besides."""
    more = len(group) - 1
    return _described(change) + (f" and {more} other dataset{'s' if more > 1 else ''}" if more else "")


def check_temperature(evaluation: Evaluation, seed: int = 0) -> TemperatureCheck | None:
    """Compare held-out images at temperature 1 and at the ensemble's.

    Intervals are those of the promotion gate, for few and correlated frames (`mean_interval`).

    Parameters
    ----------
    evaluation
        An evaluation on images that neither moved weights nor set the temperature.
    seed
        Seed of the bootstrap's resamples.

    Returns
    -------
    TemperatureCheck or None
        None for an evaluation of an earlier version, which did not keep the numbers.
    """
    if evaluation.temperature is None:
        return None
    changes = []
    for dataset, pooled in evaluation.datasets.items():
        images = sorted((i for i in evaluation.images if i.dataset == dataset), key=lambda image: image.index)
        changes += [_change(dataset, metric, images, pooled, seed) for metric in METRICS]
    return TemperatureCheck(
        ensemble=evaluation.ensemble, temperature=evaluation.temperature, changes=tuple(changes)
    )


def _change(
    dataset: str, metric: str, images: Sequence[ImageScores], pooled: DatasetScores, seed: int
) -> Change:
    differences = [getattr(image, metric) - getattr(image, f"{metric}_uncalibrated") for image in images]
    rng = np.random.default_rng([seed, zlib.crc32(dataset.encode())])
    interval = mean_interval(differences, rng=rng)
    return Change(
        dataset=dataset,
        metric=metric,
        n_images=len(images),
        before=getattr(pooled, f"{metric}_uncalibrated"),
        after=getattr(pooled, metric),
        difference=interval.mean,
        low=interval.low if interval.is_bounded else None,
        high=interval.high if interval.is_bounded else None,
        finding=FINDINGS[interval.finding(higher_is_better=False)],
    )
