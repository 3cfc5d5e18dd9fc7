"""Report of the promotion gate: the verdict on a challenger, and the intervals it is based on."""

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from icefloe.evaluation.cause import weightiest
from icefloe.evaluation.rule import HIGHER_IS_BETTER, METRICS, PromotionRule
from icefloe.result import Result
from icefloe.statistics.interval import Interval
from icefloe.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Verdict = Literal["pass", "fail", "inconclusive"]
Finding = Literal["better", "not worse", "worse", "undecided", "reported"]

COLOURS: dict[Finding, str] = {
    "better": "C2",
    "not worse": "C0",
    "worse": "C3",
    "undecided": "C1",
    "reported": "0.4",
}


class Comparison(BaseModel):
    """One metric on one dataset: the paired difference, challenger minus reference, over its images.

    Attributes
    ----------
    dataset, metric
        Dataset whose images are compared, and a column of `METRICS`.
    n_images
        Number of images.
    challenger, reference
        Means over the images. The reference is the champion, or for a first version the best trivial
        baseline.
    difference, low, high
        Mean difference over the images, and the ends of the interval of the versions' mean difference; beside
        a baseline the ends are None where one image gives no interval.
    margin
        How much worse still counts as not worse; None: the metric is reported and decides nothing.
    finding
        What the interval says against the margin; `reported` where there is no margin.
    images_needed
        About how many held-out images of the same mean and spread would show a first version to be above the
        baseline; None: not undecided, or so many that no number helps, or one image shows no spread.
    baseline
        Name of the trivial baseline that is the reference; None: the champion is, or the file is an earlier
        version's.
    better, worse
        Probability that the challenger is better, and that it is worse beyond the margin; None beside a
        baseline, without a margin, or in files of earlier versions.
    spread
        Standard deviation of the images' differences; None: of one image, beside a baseline, or in files of
        earlier versions.
    """

    model_config = ConfigDict(frozen=True)

    dataset: str
    metric: str
    n_images: int
    challenger: float
    reference: float
    difference: float
    low: float | None
    high: float | None
    margin: float | None
    finding: Finding
    baseline: str | None = None
    images_needed: int | None = None
    better: float | None = None
    worse: float | None = None
    spread: float | None = None

    @property
    def interval(self) -> Interval:
        """Of the difference."""
        return Interval.model_validate(
            {"mean": self.difference, "low": self.low, "high": self.high, "n": self.n_images}
        )

    @property
    def harm(self) -> float:
        """By how much the challenger's mean is worse than the reference; negative where it is better."""
        return -self.difference if self.metric in HIGHER_IS_BETTER else self.difference


class PromotionReport(Result):
    """Outcome of the gate, with the intervals it is based on.

    Attributes
    ----------
    verdict
        `pass`, `fail` (worse beyond a margin somewhere, or shown not to be better) or `inconclusive`.
    challenger
        Version that was judged, such as `EA-T2`; None: it had no name yet.
    champion
        Version compared with, such as `EA-T1`; None: a first version, compared with the trivial baselines.
    new_dataset
        Dataset on which "better" had to be shown; None: any of them.
    rule
        What the challenger had to show.
    comparisons
        One comparison for every metric on every dataset.
    gains
        Dataset -> interval of the Dice gained, for each dataset on which "better" could be shown, at the
        level corrected for their number. Empty for a first version, and in files of earlier versions.
    dataset_verdicts
        Dataset -> what the comparisons on it come to.
    reasons
        Sentences that explain the verdict.
    warnings
        What a reader should know although it decided nothing.
    """

    verdict: Verdict
    challenger: str | None = None
    champion: str | None
    new_dataset: str | None
    rule: PromotionRule
    comparisons: tuple[Comparison, ...]
    gains: dict[str, Interval] = Field(default_factory=dict)
    dataset_verdicts: dict[str, Verdict]
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def against(self) -> str:
        """Name of what it was compared with."""
        return self.champion or ("the trivial baselines" if self.is_first else "the champion")

    @property
    def is_first(self) -> bool:
        """Whether a first version was judged, which has no champion to beat."""
        return self.champion is None and self.new_dataset is None and not self.gains

    @property
    def provisional(self) -> str:
        """Why a first version is only provisional, and what would settle it; empty if it is not.

        Nothing is shown against it either, so it may be used.
        """
        if not (self.is_first and self.verdict == "inconclusive"):
            return ""
        return f"{self.cause()}. {self.remedy()}"

    def outcome(self) -> str:
        """The verdict in words, without a full stop."""
        name = self.challenger or "This version"
        if self.provisional:
            return f"{name} is provisional"
        if self.verdict != "pass":
            return f"{name} stays a challenger"
        return f"{name} passes" if self.is_first else f"{name} may replace {self.against}"

    def cause(self) -> str:
        """The most important finding, without a full stop."""
        return weightiest(self)[0]

    def remedy(self) -> str:
        """The remedy that would change the verdict; empty after a pass."""
        return weightiest(self)[1]

    def sentence(self) -> str:
        """Outcome, the most important finding, and what would change it."""
        return f"{self.outcome()}: {self.cause()}. {self.remedy()}".strip()

    def table(self) -> Table:
        """Every comparison."""
        reference = self.champion or ("baseline" if self.is_first else "champion")
        challenger = self.challenger or "challenger"
        rows = [
            {
                "dataset": c.dataset,
                "metric": METRICS[c.metric],
                "images": c.n_images,
                reference: c.reference,
                challenger: c.challenger,
                f"difference [{2 * self.rule.confidence - 1:.0%} interval]": c.interval.text(4, signed=True),
                "P(better)": c.better,
                "margin": c.margin,
                "P(worse)": c.worse,
                "finding": c.finding,
            }
            for c in self.comparisons
        ]
        formats = {reference: ".4f", challenger: ".4f", "margin": "g"}
        return Table.of(rows, formats | dict.fromkeys(("P(better)", "P(worse)"), ".3f"))

    def to_markdown(self) -> str:
        """The sentence and all comparisons."""
        return f"{self.sentence()}\n\n{self.details()}"

    def details(self) -> str:
        """Gains, warnings and the table, as Markdown."""
        notes = [f"- Warning: {warning}" for warning in self.warnings]
        if len(self.gains) > 1:
            gained = ", ".join(f"{name} {gain.text(4, signed=True)}" for name, gain in self.gains.items())
            notes.insert(0, f"- Dice gained, at a level corrected for {len(self.gains)} datasets: {gained}.")
        table = self.table().markdown()
        return "\n".join([*notes, "", table]) if notes else table

    def plot(self, ax: "Axes", metric: str = "dice") -> None:
        """Forest plot: each dataset's difference in one metric with its interval, zero and the margin."""
        rows = [c for c in self.comparisons if c.metric == metric]
        for y, c in enumerate(rows):
            if c.low is not None and c.high is not None:
                ax.plot([c.low, c.high], [y, y], color=COLOURS[c.finding], linewidth=2)
            ax.plot(c.difference, y, "o", color=COLOURS[c.finding])
        ax.axvline(0, color="0.6", linewidth=1)
        if rows and rows[0].margin is not None:
            forgetting = -rows[0].margin if metric in HIGHER_IS_BETTER else rows[0].margin
            ax.axvline(forgetting, color="C3", linewidth=1, linestyle="--", label="margin")
            ax.legend(frameon=False)
        ax.set_yticks(range(len(rows)), [f"{c.dataset} (n={c.n_images})" for c in rows])
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.set_xlabel(f"difference in {METRICS[metric]}, challenger minus {self.champion or 'baseline'}")

    def figure(self) -> "Figure":
        """One panel per metric."""
        from matplotlib.figure import Figure

        metrics = list(dict.fromkeys(comparison.metric for comparison in self.comparisons))
        datasets = {comparison.dataset for comparison in self.comparisons}
        figure = Figure(
            figsize=(max(5.0, 3.6 * len(metrics)), 1.2 + 0.45 * len(datasets)), layout="constrained"
        )
        for axis, metric in zip(figure.subplots(1, len(metrics), squeeze=False)[0], metrics, strict=True):
            self.plot(axis, metric)
        return figure
