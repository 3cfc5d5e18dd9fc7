"""What the gate found: numbers, words, and what to do next."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from icefloe.drift.attribution import Attribution
from icefloe.drift.results import EvidenceResult, NoiseDecision

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PHRASES = 3
"""Alarms told in full; a sentence with eight of them is not read."""

Outcome = Literal["accept", "shifted", "noisy", "inconclusive"]


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
    not_compared : tuple of str
        In words, what was left out because the benchmark lacks it or too few images show a boundary.
    attribution : Attribution or None
        Which property of the acquisition moved, if shifted or noisy.
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
    not_compared: tuple[str, ...] = ()
    attribution: Attribution | None = None

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
        phrases = "; ".join(f"its {r.phrase()}, {_p_phrase(r.adjusted_p_value)}" for r in found[:_PHRASES])
        if len(found) > _PHRASES:
            phrases += "; also its " + ", ".join(r.words for r in found[_PHRASES:])
        worth = min(r.n_effective for r in found)
        counted = f"{self.n_images} images worth {worth:.1f} independent ones, {against}"
        cause = f"{self.attribution.sentence()} " if self.attribution else ""
        if self.outcome == "noisy":
            assert self.noise is not None
            return (
                f"{self.dataset} is too noisy and set aside: {phrases} ({counted}). {self.noise.sentence()} "
                f"{cause}Take it again with more electrons or more frames a composite."
            )
        advice = "Label a few of its images and retrain."
        if "uncertainty" not in self.decided_by:
            advice = "The ensemble's uncertainty alone would not have shown it: check its masks. " + advice
        return f"{self.dataset} is shifted: {phrases} ({counted}). {cause}{advice}"

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
                "in standard deviations. * at the benchmark's mean size of the crystal.",
                "",
            ]
        if self.not_compared:
            lines += [f"Not compared: {', '.join(self.not_compared)}.", ""]
        if self.attribution is not None:
            lines += [self.attribution.to_markdown(), ""]
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
        for key in ("decided_by", "evidence", "reference_experiments", "not_compared"):
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
        noise, attribution = fields["noise"], fields.get("attribution")
        return cls(
            **{
                **fields,
                "decided_by": tuple(fields["decided_by"]),
                "reference_experiments": tuple(fields["reference_experiments"]),
                "evidence": tuple(EvidenceResult.from_dict(result) for result in fields["evidence"]),
                "noise": None if noise is None else NoiseDecision.from_dict(noise),
                "not_compared": tuple(fields.get("not_compared", ())),
                "attribution": None if attribution is None else Attribution.from_dict(attribution),
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
        f"| {result.words}{'*' if result.at_equal_size else ''} | {benchmark} | {new} | {result.effect:.2f} "
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
