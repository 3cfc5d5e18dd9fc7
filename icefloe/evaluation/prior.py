"""What is known of a challenger's change before its images are looked at, by metric and kind of dataset.

Chosen on 15 simulated arrivals (2026-12-01) that are none of those `icefloe study promotion` measures with:
the mean changes of whole versions, the scatter of the held-out images about them, and how far the members
that judge an image are from the whole version. Earlier rounds and other datasets weigh against the spread.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from icefloe.evaluation.promotion import Comparison, PromotionReport
from icefloe.statistics.posterior import ChangePrior
from icefloe.statistics.predictive import SpreadPrior

Kind = Literal["arrived", "earlier", "any"]
"""The dataset whose arrival the challenger answers, one that its champion knew, or one of versions that are
not retrained from one another."""

_WEIGHT = 3.0
"""Degrees of freedom of every prior: a scale is known to about half of itself, and tails are long."""


def _prior(centre: float, scale: float, spread: float, bias: float, judge: float) -> ChangePrior:
    return ChangePrior(centre, scale, _WEIGHT, SpreadPrior(spread, _WEIGHT), bias, judge)


PRIORS: Mapping[Kind, Mapping[str, ChangePrior]] = {
    "arrived": {
        "dice": _prior(0.02, 0.04, 0.025, -0.01, 0.02),
        "pca": _prior(0.0, 0.01, 0.008, 0.0, 0.005),
        "ece": _prior(0.0, 0.01, 0.01, 0.0, 0.005),
        "uq": _prior(0.0, 0.005, 0.003, 0.0, 0.002),
    },
    "earlier": {
        "dice": _prior(0.0, 0.01, 0.03, 0.0, 0.004),
        "pca": _prior(0.0, 0.003, 0.009, 0.0, 0.002),
        "ece": _prior(0.0, 0.004, 0.009, 0.0, 0.002),
        "uq": _prior(0.0, 0.002, 0.003, 0.0, 0.001),
    },
    "any": {
        "dice": _prior(0.0, 0.1, 0.03, 0.0, 0.0),
        "pca": _prior(0.0, 0.03, 0.01, 0.0, 0.0),
        "ece": _prior(0.0, 0.03, 0.01, 0.0, 0.0),
        "uq": _prior(0.0, 0.01, 0.003, 0.0, 0.0),
    },
}


def kind_of(dataset: str, new_dataset: str | None) -> Kind:
    """Of a dataset in a round in which `new_dataset` arrived; None: none did."""
    if new_dataset is None:
        return "any"
    return "arrived" if dataset == new_dataset else "earlier"


def learned_prior(
    metric: str, kind: Kind, beside: Iterable[tuple[float, int]], earlier: Iterable[PromotionReport]
) -> ChangePrior:
    """The stated prior of a metric, with the spread that other comparisons of its kind had.

    Parameters
    ----------
    metric
        A column of `METRICS`.
    kind
        Of the dataset.
    beside
        Variance and number of images of other datasets of this kind in the same round.
    earlier
        Reports of earlier rounds.
    """
    before = [
        (c.spread**2, c.n_images)
        for report in earlier
        for c in report.comparisons
        if c.metric == metric and c.spread is not None and _kind_in(report, c) == kind
    ]
    return PRIORS[kind][metric].learned((variance, n - 1) for variance, n in (*before, *beside))


def _kind_in(report: PromotionReport, comparison: Comparison) -> Kind | None:
    """None: of a first version, beside a baseline."""
    return None if report.is_first else kind_of(comparison.dataset, report.new_dataset)
