"""One quantity's comparison, and the decision on noise: the parts that the gate's report is made of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from icefloe.statistics.predictive import Alternative

FROZEN = ConfigDict(frozen=True, ser_json_inf_nan="strings")
"""For numbers that are not finite JSON has no sign of its own."""


class EvidenceResult(BaseModel):
    """One quantity of the new dataset against the benchmark.

    Attributes
    ----------
    name, words : str
        Key of the quantity, and its name in a sentence.
    alternative : "greater" or "two-sided"
        Direction of the difference that raises an alarm.
    is_ratio : bool
        Whether `effect`, `low`, `high` and `threshold` are ratios new / benchmark; otherwise they are the
        distance between distributions (root mean square over the columns, in their unit).
    reference_mean, new_mean : float
        Geometric means over images of the quantity in its own unit; 0 and the distance for a distribution.
    statistic : float
        Difference in standard deviations of the predictive distribution.
    p_value : float
        Predictive p-value, not corrected for several quantities.
    adjusted_p_value : float or None
        Holm's over all quantities that decide; None for a quantity that is only shown.
    significant : bool
        Whether the adjusted p-value is below alpha.
    effect, low, high : float
        Estimate and its 95 % interval.
    threshold : float
        Effect from which this quantity alone raises an alarm (Bonferroni); two-sided, downwards its inverse.
    n_images, n_effective : int, float
        Images used and how many independent ones they are worth.
    reference_values : mapping of str to tuple of float
        Experiment: values of its images in the quantity's own unit, for the figure.
    new_values : tuple of float
        Values of the new dataset's images, likewise.
    at_equal_size : bool
        Whether all of it is as at the benchmark's mean size of the foreground, images of other sizes left
        out.
    of_prediction : bool
        Whether it is read from the prediction, not from the image.
    """

    model_config = FROZEN

    name: str
    words: str
    alternative: Alternative
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
    of_prediction: bool = False

    @model_validator(mode="before")
    @classmethod
    def _read_former_results(cls, content: Any) -> Any:
        if not isinstance(content, Mapping) or "of_prediction" in content:
            return content
        # In reports of earlier versions the scores of the prediction are those with a one-sided alarm.
        return {**content, "of_prediction": content.get("alternative") == "greater"}

    @property
    def decides(self) -> bool:
        """Whether it takes part in the decision, or is only shown."""
        return self.adjusted_p_value is not None

    def decided(self, adjusted_p_value: float, significant: bool) -> EvidenceResult:
        """The same with the verdict of the multiple test."""
        return self.model_copy(update={"adjusted_p_value": adjusted_p_value, "significant": significant})

    @property
    def limits(self) -> tuple[float, float]:
        """Effects between which it raises no alarm."""
        downwards = self.is_ratio and self.alternative == "two-sided"
        return (1 / self.threshold if downwards else 0.0), self.threshold

    def phrase(self) -> str:
        """Size of the difference in words."""
        if not self.is_ratio:
            return f"{self.words} lies {self.effect:.2f} standard deviations from the benchmark's"
        return f"{self.words} is {self.effect:.2f} times the benchmark's"


class NoiseDecision(BaseModel):
    """Decision whether a dataset is set aside as noisy, with its limits.

    Attributes
    ----------
    is_noisy : bool
        Whether the dataset is too noisy to label.
    snr, reference_snr : float
        Median contrast-to-noise ratio at an edge: of the dataset, and of the benchmark's poorest experiment.
    margin : float
        It has to be below the reference by this factor.
    readable_snr, readable_length_px : float
        It has to be below this, where an edge cannot be seen over that length in pixels (Rose's criterion).
    because : tuple of str
        Names of quantities that speak for noise and are significant.
    """

    model_config = FROZEN

    is_noisy: bool
    snr: float
    reference_snr: float
    margin: float
    readable_snr: float
    readable_length_px: float
    because: tuple[str, ...]

    def sentence(self) -> str:
        """The decision and both its limits."""
        if not math.isfinite(self.snr):
            return "Noise was not judged: no contrast-to-noise ratio was measured."
        limit = (
            f"{self.reference_snr / self.margin:.2f}, the benchmark's poorest experiment "
            f"divided by {self.margin:g}"
        )
        if self.is_noisy:
            return (
                f"Contrast-to-noise ratio {self.snr:.2f}: below {self.readable_snr:.2f}, an edge over "
                f"{self.readable_length_px:g} pixels is lost in noise, and below {limit}. "
                "Labels and retraining would not help."
            )
        if self.snr >= self.readable_snr:
            reason = f"at least {self.readable_snr:.2f}, so edges can be seen"
        elif self.snr >= self.reference_snr / self.margin:
            reason = f"at least {limit}, so the benchmark holds images nearly as noisy"
        else:
            reason = "low, but no quantity that noise moves is significantly worse than the benchmark's"
        return f"Not too noisy to label: contrast-to-noise ratio {self.snr:.2f} is {reason}."
