"""What the gate found: numbers, words, and what to do next."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Outcome = Literal["accept", "shifted", "noisy", "inconclusive"]


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

    @property
    def decides(self) -> bool:
        """Whether it takes part in the decision, or is only shown."""
        return self.adjusted_p_value is not None

    def decided(self, adjusted_p_value: float, significant: bool) -> "EvidenceResult":
        """The same with the verdict of the multiple test."""
        return replace(self, adjusted_p_value=adjusted_p_value, significant=significant)

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


@dataclass(frozen=True)
class GateReport:
    """The gate's decision on one dataset.

    Attributes
    ----------
    outcome : "accept", "shifted", "noisy" or "inconclusive"
    dataset : str
    decided_by : tuple of str
        Names of the evidence that decided; empty when accepted or inconclusive.
    evidence : tuple of EvidenceResult
        First those that decide, then those only shown; empty when inconclusive.
    noise : NoiseDecision or None
        None when inconclusive.
    n_images : int
    reference_experiments : tuple of str
    alpha : float
        Chance that an experiment of the benchmark's kind isn't accepted.
    reason : str
        Why inconclusive; empty otherwise.
    """

    outcome: Outcome
    dataset: str
    decided_by: tuple[str, ...]
    evidence: tuple[EvidenceResult, ...]
    noise: NoiseDecision | None
    n_images: int
    reference_experiments: tuple[str, ...]
    alpha: float
    reason: str

    def result(self, name: str) -> EvidenceResult:
        """The evidence of that name; KeyError if there is none."""
        return {result.name: result for result in self.evidence}[name]

    def sentence(self) -> str:
        """The outcome, what decided it and what to do, for the person at the microscope."""
        k = len(self.reference_experiments)
        against = f"{k} benchmark experiment{'s' if k > 1 else ''}"
        if self.outcome == "inconclusive":
            return f"{self.dataset} can't be judged: {self.reason}."
        if self.outcome == "accept":
            uncertainty = self.result("uncertainty")
            return (
                f"{self.dataset} is accepted: over {self.n_images} images nothing sets it apart from the "
                f"{against} "
                f"(false-alarm rate {self.alpha:.0%}). Its {uncertainty.phrase()}."
            )
        found = sorted((self.result(name) for name in self.decided_by), key=lambda r: r.p_value)
        phrases = "; ".join(f"its {r.phrase()}, {_p_phrase(r.adjusted_p_value)}" for r in found)
        worth = min(r.n_effective for r in found)
        counted = f"{self.n_images} images worth {worth:.1f} independent ones, {against}"
        if self.outcome == "noisy":
            assert self.noise is not None
            return (
                f"{self.dataset} is too noisy and set aside: {phrases} ({counted}). {self.noise.sentence()} "
                "Take it again with more electrons or more frames a composite."
            )
        advice = "Label a few of its images and retrain."
        if "uncertainty" not in self.decided_by:
            advice = "The ensemble's uncertainty alone would not have shown it: check its masks. " + advice
        return f"{self.dataset} is shifted: {phrases} ({counted}). {advice}"

    def to_markdown(self) -> str:
        """Sentence, table of all evidence, noise decision, and how the test works."""
        lines = [f"## Drift gate: {self.dataset} – {self.outcome}", "", self.sentence(), ""]
        if self.evidence:
            lines += [
                "| evidence | benchmark | new | effect (95 % interval) | alarm at | statistic | p | p "
                "(Holm) | n (effective) | |",
                "|---|---|---|---|---|---|---|---|---|---|",
                *(_row(result) for result in self.evidence),
                "",
                "Effects are ratios to the benchmark's mean, for the intensity distribution a distance "
                "in standard "
                "deviations.",
                "",
            ]
        if self.noise is not None:
            lines += [self.noise.sentence(), ""]
        lines += [
            f"Benchmark: {', '.join(self.reference_experiments)}. A new experiment of the benchmark's "
            f"kind would be "
            f"called anything but accepted with a probability of at most {self.alpha:.0%}: every quantity "
            f"is compared "
            "with how much whole experiments vary, not with how much frames of one experiment do, and "
            "the p-values "
            "are corrected for looking at several quantities (Holm).",
            "",
        ]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists, numbers and text."""
        data = asdict(self)
        data["sentence"] = self.sentence()
        for key in ("decided_by", "evidence", "reference_experiments"):
            data[key] = list(data[key])
        if data["noise"] is not None:
            data["noise"]["because"] = list(data["noise"]["because"])
        for result in data["evidence"]:
            result["new_values"] = list(result["new_values"])
            result["reference_values"] = {k: list(v) for k, v in result["reference_values"].items()}
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "GateReport":
        """Inverse of `to_dict`."""
        fields = {key: value for key, value in data.items() if key != "sentence"}
        evidence = tuple(
            EvidenceResult(
                **{
                    **result,
                    "new_values": tuple(result["new_values"]),
                    "reference_values": {k: tuple(v) for k, v in result["reference_values"].items()},
                }
            )
            for result in fields["evidence"]
        )
        return cls(
            **{
                **fields,
                "decided_by": tuple(fields["decided_by"]),
                "reference_experiments": tuple(fields["reference_experiments"]),
                "evidence": evidence,
                "noise": _noise_from_dict(fields["noise"]),
            }
        )

    def plot(self, figure: "Figure | None" = None) -> "Figure":
        """Per-image values of every quantity, benchmark beside new, with the range that raises no alarm.

        Parameters
        ----------
        figure : matplotlib Figure, optional
            Drawn into; made when absent.
        """
        from icefloe.drift.figure import draw_report

        return draw_report(self, figure)


def _noise_from_dict(data: Mapping[str, Any] | None) -> NoiseDecision | None:
    return None if data is None else NoiseDecision(**{**data, "because": tuple(data["because"])})


def _row(result: EvidenceResult) -> str:
    if result.is_ratio:
        benchmark, new = f"{result.reference_mean:.3g}", f"{result.new_mean:.3g}"
        alarm = f"> {result.threshold:.2f}"
        if result.alternative == "two-sided":
            alarm += f", < {1 / result.threshold:.2f}"
    else:
        benchmark, new, alarm = "–", "–", f"> {result.threshold:.2f}"
    verdict = "**alarm**" if result.significant else "" if result.decides else "shown only"
    return (
        f"| {result.words} | {benchmark} | {new} | {result.effect:.2f} "
        f"({result.low:.2f}–{result.high:.2f}) | {alarm} "
        f"| {result.statistic:+.2f} | {_p(result.p_value)} | {_p(result.adjusted_p_value)} "
        f"| {result.n_images} ({result.n_effective:.1f}) | {verdict} |"
    )


def _p_phrase(p_value: float | None) -> str:
    text = _p(p_value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def _p(p_value: float | None) -> str:
    if p_value is None:
        return "–"
    return "< 0.0001" if p_value < 1e-4 else f"{p_value:.2g}"
