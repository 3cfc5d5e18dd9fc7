"""The gate's report: outcome, evidence, causes, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import ConfigDict

from icefloe.drift.attribution import Attribution
from icefloe.drift.predicted_dice import PredictedDice
from icefloe.drift.results import EvidenceResult, NoiseDecision
from icefloe.result import Result
from icefloe.tables import MISSING, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Outcome = Literal["accept", "shifted", "noisy", "inconclusive"]

_COLUMNS = {
    "evidence": False,
    "benchmark": True,
    "new": True,
    "effect (95 % interval)": True,
    "alarm at": True,
    "statistic": True,
    "p": True,
    "p (Holm)": True,
    "n (effective)": True,
    "finding": False,
}
"""Heading: whether the column holds numbers."""


class GateReport(Result):
    """The gate's decision on one dataset.

    Attributes
    ----------
    outcome : "accept", "shifted", "noisy" or "inconclusive"
        Outcome of the gate.
    dataset : str
        Name of the dataset that was judged.
    decided_by : tuple of str
        Names of the evidence that decided; empty when accepted or inconclusive.
    evidence : tuple of EvidenceResult
        First those that decide, then those only shown; empty when inconclusive.
    noise : NoiseDecision or None
        None when inconclusive, or when the domain has no rule for noise.
    n_images : int
        Number of images of the dataset.
    reference_experiments : tuple of str
        Names of the benchmark's experiments.
    alpha : float
        Probability that an experiment of the benchmark's kind is not accepted.
    reason : str
        Why inconclusive, and what would decide; empty otherwise.
    not_compared : tuple of str
        Sentences on what was left out because the benchmark lacks it or too few images show a boundary.
    attribution : Attribution or None
        Property of the acquisition that changed, if shifted or noisy.
    predicted : PredictedDice or None
        Dice of the dataset's masks as far as it can be told without labels; None when inconclusive, or where
        there is no fit.
    warnings : tuple of str
        Sentences on what the benchmark is worth.
    version : str
        The version that predicted the dataset, such as `EA-T1`; empty in a file of an earlier Icefloe.
    provisional : str
        Why that version is only provisional; empty if it is not.
    """

    model_config = ConfigDict(ser_json_inf_nan="strings")

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
    predicted: PredictedDice | None = None
    warnings: tuple[str, ...] = ()
    version: str = ""
    provisional: str = ""

    def result(self, name: str) -> EvidenceResult:
        """The evidence of that name; KeyError if there is none."""
        return {result.name: result for result in self.evidence}[name]

    @property
    def deciding(self) -> tuple[EvidenceResult, ...]:
        """The evidence that takes part in the decision."""
        return tuple(result for result in self.evidence if result.decides)

    def numbers(self) -> dict[str, float]:
        """Effect and p-value of each piece of evidence, by flat names."""
        numbers: dict[str, float] = {"n_images": self.n_images, "alpha": self.alpha}
        for result in self.evidence:
            numbers[f"{result.name}.effect"] = result.effect
            numbers[f"{result.name}.p_value"] = result.p_value
        if self.predicted is not None and self.predicted.dataset is not None:
            numbers |= {f"predicted_dice.{key}": n for key, n in self.predicted.dataset.model_dump().items()}
        return numbers

    def sentence(self) -> str:
        """The outcome, what weighs most and what to do, for the person at the microscope."""
        return self._judgement() + (f" {self.version} is provisional." if self.provisional else "")

    def _judgement(self) -> str:
        if self.outcome == "inconclusive":
            return f"{self.dataset} cannot be judged: {self.reason}."
        if self.outcome == "accept":
            k = len(self.reference_experiments)
            return (
                f"{self.dataset} is accepted: over {self.n_images} images nothing sets it apart from the {k} "
                f"benchmark experiment{'s' if k > 1 else ''} (false-alarm rate {self.alpha:.0%}). "
                "Use its masks."
            )
        first = min(self._decided, key=lambda result: result.p_value)
        known = self.attribution is not None and self.attribution.is_clear
        cause = f"{', ' if known else '; '}{self.attribution.summary()}" if self.attribution else ""
        if self.outcome == "noisy":
            return (
                f"{self.dataset} is too noisy and set aside: edges cannot be seen, its {first.phrase()}"
                f"{cause if known else ''}. Record it again with more electrons or more frames per composite."
            )
        advice = "Label a few of its images and retrain."
        if self._shifted_without_uncertainty:
            advice = "Check its masks, label a few of its images and retrain."
        return (
            f"{self.dataset} is shifted: its {first.phrase()} ({_p_phrase(first.adjusted_p_value)}){cause}. "
            f"{advice}"
        )

    @property
    def _decided(self) -> list[EvidenceResult]:
        return [self.result(name) for name in self.decided_by]

    @property
    def _shifted_without_uncertainty(self) -> bool:
        return self.outcome == "shifted" and not any(result.of_prediction for result in self._decided)

    def table(self) -> Table:
        """Every quantity: benchmark, new dataset, effect with its interval, limits, p-values, alarm."""
        return Table(tuple(_COLUMNS), tuple(map(_row, self.evidence)), tuple(_COLUMNS.values()))

    def notes(self) -> list[str]:
        """Notes on what the table does not show."""
        notes = []
        if self.provisional:
            notes.append(f"{self.version} is provisional: {self.provisional}")
        if self.attribution is not None:
            notes.append(self.attribution.sentence())
        if self._shifted_without_uncertainty:
            notes.append("The ensemble's uncertainty alone would not have shown the shift: check its masks.")
        if self.predicted is not None:
            notes.append(self.predicted.sentence())
        if self.noise is not None:
            notes.append(self.noise.sentence())
        if self.not_compared:
            notes.append(f"Not compared: {', '.join(self.not_compared)}.")
        return [*notes, *self.warnings]

    def to_markdown(self) -> str:
        """Sentence, table of all evidence, notes, causes, and how the test works."""
        parts = [f"## Drift gate: {self.dataset} – {self.outcome}", self.sentence()]
        if self.evidence:
            parts += [
                self.table().markdown().rstrip(),
                "Effects are ratios to the benchmark's mean; for a distribution, which has no ratio, "
                "distances in standard deviations. n is the number of images, in brackets how many "
                "independent ones they are worth. * at the benchmark's mean size of the foreground.",
            ]
        notes = self.notes()
        if self.provisional:
            parts.append(notes.pop(0))
        if self.attribution is not None:
            parts.append(
                f"**What changed.** {notes.pop(0)}\n\n{self.attribution.table().markdown().rstrip()}"
            )
        parts += notes
        if self.predicted is not None:
            parts.append(self.predicted.table().markdown().rstrip())
        parts.append(
            f"Benchmark: {', '.join(self.reference_experiments)}. A new experiment of the benchmark's kind "
            f"would be called anything but accepted with a probability of at most {self.alpha:.0%}: every "
            "quantity is compared with how much whole experiments vary, not with how much frames of one "
            "experiment do, and the p-values are corrected for looking at several quantities (Holm)."
        )
        return "\n\n".join(parts) + "\n"

    def plot(self, ax: Axes) -> None:
        """Effects with 95 % intervals between their limits of alarm, on a logarithmic axis."""
        from icefloe.drift.figure import draw_effects

        draw_effects(ax, self.deciding)
        ax.set_title(f"{self.dataset}: {self.outcome}")

    def figure(self) -> Figure:
        """Values of every image, a panel per quantity, benchmark beside new, with the range without alarm."""
        from icefloe.drift.figure import draw_images

        title = f"{self.dataset}: {self.outcome}"
        if not self.evidence:
            return draw_images(self.dataset, (), None, title, self.sentence())
        return draw_images(self.dataset, self.deciding, self.attribution, title)


def _row(result: EvidenceResult) -> tuple[str, ...]:
    low, high = result.limits
    benchmark = new = MISSING
    if result.is_ratio:
        benchmark, new = f"{result.reference_mean:.3g}", f"{result.new_mean:.3g}"
    return (
        result.words + ("*" if result.at_equal_size else ""),
        benchmark,
        new,
        f"{result.effect:.2f} ({result.low:.2f}–{result.high:.2f})",
        f"> {high:.2f}" + (f", < {low:.2f}" if low else ""),
        f"{result.statistic:+.2f}",
        _p(result.p_value),
        _p(result.adjusted_p_value),
        f"{result.n_images} ({result.n_effective:.1f})",
        "ALARM" if result.significant else "" if result.decides else "shown only",
    )


def _p_phrase(p_value: float | None) -> str:
    text = _p(p_value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def _p(p_value: float | None) -> str:
    if p_value is None:
        return MISSING
    return "< 0.0001" if p_value < 1e-4 else f"{p_value:.2g}"
