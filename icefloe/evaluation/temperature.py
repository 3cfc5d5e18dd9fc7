"""Whether an ensemble's temperature still helps on the images it is used on, dataset by dataset.

The temperature is fitted on validation images of all datasets together, anew at every retraining. On a
dataset that is a small part of them, or unlike them, it may make the probabilities worse.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from icefloe.statistics.interval import Interval
from icefloe.statistics.means import mean_interval

if TYPE_CHECKING:
    from icefloe.evaluation.evaluate import Evaluation, ImageScores

Finding = Literal["helps", "hurts", "undecided"]
FINDINGS: dict[str, Finding] = {"better": "helps", "worse": "hurts", "undecided": "undecided"}
METRICS = {"nll": "NLL", "ece": "ECE"}


class Change(BaseModel):
    """One metric on one dataset, at temperature 1 and at the ensemble's.

    Attributes
    ----------
    before, after
        Of all pixels together.
    difference, low, high
        Mean over images of after less before, and its 95 % interval; None where one image gives none.
    finding
        By whether the interval leaves out 0.
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
        return Interval(mean=self.difference, low=self.low, high=self.high, n=self.n_images)


class TemperatureCheck(BaseModel):
    """What a temperature does to held-out images.

    Attributes
    ----------
    ensemble, temperature
        Whose, and which.
    changes
        NLL and ECE of every dataset.
    """

    model_config = ConfigDict(frozen=True)

    ensemble: str
    temperature: float
    changes: tuple[Change, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain types, for JSON."""
        return self.model_dump(mode="json")

    def sentence(self) -> str:
        """Where it helps and where it hurts, by the change of NLL, to which it was fitted."""
        by_finding: dict[Finding, list[str]] = {}
        for change in self.changes:
            if change.metric == "nll":
                by_finding.setdefault(change.finding, []).append(
                    f"{change.dataset} ({change.difference:+.4f})"
                )
        parts = [f"{finding} on {', '.join(names)}" for finding, names in by_finding.items()]
        return f"{self.ensemble}: its temperature of {self.temperature:.2f} {'; '.join(parts)}."

    def to_markdown(self) -> str:
        """The sentence and a table."""
        lines = [
            self.sentence(),
            "",
            f"| dataset | images | | at 1 | at {self.temperature:.2f} | difference [95 %] | finding |",
            "|---|---:|---|---:|---:|---|---|",
        ]
        lines += [
            f"| {c.dataset} | {c.n_images} | {METRICS[c.metric]} | {c.before:.4f} | {c.after:.4f} "
            f"| {c.interval.text(4, signed=True)} | {c.finding} |"
            for c in self.changes
        ]
        return "\n".join(lines) + "\n"


def check_temperature(evaluation: Evaluation, seed: int = 0) -> TemperatureCheck | None:
    """Compare held-out images at temperature 1 and at the ensemble's.

    Intervals are those of the promotion gate, for few and correlated frames (`mean_interval`).

    Parameters
    ----------
    evaluation
        On images that neither moved weights nor set the temperature.
    seed
        Of the bootstrap.

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


def _change(dataset: str, metric: str, images: Sequence[ImageScores], pooled: Any, seed: int) -> Change:
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
        **interval.model_dump(include={"low", "high"}),
        finding=FINDINGS[interval.finding(higher_is_better=False)],
    )
