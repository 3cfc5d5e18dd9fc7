"""One quantity's comparison, and the decision on noise: the parts that the gate's report is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self


@dataclass(frozen=True)
class EvidenceResult:
    """One quantity of the new dataset against the benchmark.

    Attributes
    ----------
    name, words : str
        Key, and how a sentence calls it.
    alternative : "greater" or "two-sided"
        Which difference raises an alarm.
    is_ratio : bool
        Whether `effect`, `low`, `high` and `threshold` are ratios new / benchmark; otherwise they are the
        distance between intensity distributions (root mean square over quantiles, in standard deviations of
        intensity).
    reference_mean, new_mean : float
        Geometric means over images of the quantity in its own unit; 0 and the distance for the distribution.
    statistic : float
        Difference in standard deviations of the predictive distribution.
    p_value, adjusted_p_value : float, float or None
        Predictive p-value, and Holm's over all that decide; None for a quantity that is only shown.
    significant : bool
        Adjusted p-value below alpha.
    effect, low, high : float
        Estimate and its 95 % interval.
    threshold : float
        Effect from which this quantity alone raises an alarm (Bonferroni); two-sided, downwards its inverse.
    n_images, n_effective : int, float
        Images used and how many independent ones they are worth.
    reference_values, new_values : per-image values in the quantity's own unit, for the figure
    at_equal_size : bool
        Whether all of it is as at the benchmark's mean size of the crystal, images of other sizes left out.
    """

    name: str
    words: str
    alternative: str
    is_ratio: bool
    reference_mean: float
    new_mean: float
    statistic: float
    p_value: float
    adjusted_p_value: float | None
    significant: bool
    effect: float
    low: float
    high: float
    threshold: float
    n_images: int
    n_effective: float
    reference_values: Mapping[str, tuple[float, ...]]
    new_values: tuple[float, ...]
    at_equal_size: bool = False

    @property
    def decides(self) -> bool:
        """Whether it takes part in the decision, or is only shown."""
        return self.adjusted_p_value is not None

    def decided(self, adjusted_p_value: float, significant: bool) -> "EvidenceResult":
        """The same with the verdict of the multiple test."""
        return replace(self, adjusted_p_value=adjusted_p_value, significant=significant)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `dataclasses.asdict`, through JSON."""
        lists = {
            "new_values": tuple(data["new_values"]),
            "reference_values": {k: tuple(v) for k, v in data["reference_values"].items()},
        }
        return cls(**{**data, **lists})

    def phrase(self) -> str:
        """Size of the difference in words."""
        if not self.is_ratio:
            return (
                f"{self.words} lies {self.effect:.2f} standard deviations from the benchmark's "
                f"(95 % interval {self.low:.2f}–{self.high:.2f}; alarm from {self.threshold:.2f})"
            )
        two_sided = f" or below {1 / self.threshold:.2f}" if self.alternative == "two-sided" else ""
        return (
            f"{self.words} is {self.effect:.2f} times the benchmark's "
            f"(95 % interval {self.low:.2f}–{self.high:.2f}; alarm above {self.threshold:.2f}{two_sided})"
        )


@dataclass(frozen=True)
class NoiseDecision:
    """Why a dataset was, or wasn't, put aside as noisy.

    Attributes
    ----------
    is_noisy : bool
    snr, reference_snr : float
        Median contrast-to-noise ratio at an edge: of the dataset, and of the benchmark's poorest experiment.
    margin : float
        It has to be below the reference by this factor.
    readable_snr, readable_length_px : float
        It has to be below this, where an edge can't be seen over that length (Rose's criterion).
    because : tuple of str
        `noise` and `contrast`, where the one is significantly higher or the other lower than the benchmark's.
    """

    is_noisy: bool
    snr: float
    reference_snr: float
    margin: float
    readable_snr: float
    readable_length_px: float
    because: tuple[str, ...]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `dataclasses.asdict`, through JSON."""
        return cls(**{**data, "because": tuple(data["because"])})

    def sentence(self) -> str:
        """The decision and both its limits."""
        readable = (
            f"below {self.readable_snr:.2f}, an edge over {self.readable_length_px:g} pixels "
            "can't be told from noise"
        )
        limit = (
            f"{self.reference_snr / self.margin:.2f}, the benchmark's poorest experiment "
            f"divided by {self.margin:g}"
        )
        if self.is_noisy:
            return (
                f"Contrast-to-noise ratio {self.snr:.2f}: {readable}, and it is below {limit}. "
                "Labels and retraining would not help."
            )
        if self.snr >= self.readable_snr:
            reason = f"at least {self.readable_snr:.2f}, so edges can be seen"
        elif self.snr >= self.reference_snr / self.margin:
            reason = f"at least {limit}, so the benchmark holds images nearly as noisy"
        else:
            reason = "low, but neither its noise nor its contrast is significantly worse than the benchmark's"
        return f"Not too noisy to label: contrast-to-noise ratio {self.snr:.2f} is {reason}."
