"""The transfer study's tables, verdicts and figure."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from matplotlib.figure import Figure

from icefloe.scoring.baselines import ALL_BACKGROUND
from icefloe.statistics.interval import Interval
from icefloe.statistics.repetitions import over_seeds
from studies.transfer.design import Panel

SCRATCH, SIM, IMAGENET = "scratch", "sim", "imagenet"
PAPER = {SCRATCH: 0.843, IMAGENET: 0.996}
"""pCA on D1-D2 (Baskaran et al. 2022): 80 labelled composites after augmentation, five-stage U-Nets."""

MOST_LABELS = 20
MEASURES = ("iou", "dice", "pca")


@dataclass(frozen=True)
class Outcome:
    """One training, tested.

    Attributes
    ----------
    panel, encoder, arm, n, seed
        Which: `arm` is the kind of first weights, `n` the number of labelled images.
    iou, dice, pca
        Of all test pixels pooled, on the model's grid, at threshold 0.5.
    seconds
        Of training.
    n_test, n_pool
        Test images, and how many others could have been labelled.
    """

    panel: str
    encoder: str
    arm: str
    n: int
    seed: int
    iou: float
    dice: float
    pca: float
    seconds: float
    n_test: int
    n_pool: int


@dataclass(frozen=True)
class TransferStudy:
    """Quality against labels, by kind of first weights.

    Attributes
    ----------
    panels
        Learning curves.
    encoders
        Their numbers are taken together: a repetition is one encoder with one seed.
    outcomes
        Every training.
    baselines
        Panel -> name -> (pCA, IoU) of what takes no learning.
    absent
        Weights that could not be had -> why.
    epochs
        Of each training.
    """

    name: ClassVar[str] = "transfer"
    title: ClassVar[str] = "What pre-trained weights are worth"

    panels: tuple[Panel, ...]
    encoders: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    baselines: Mapping[str, Mapping[str, tuple[float, float]]]
    absent: Mapping[str, str]
    epochs: int

    @property
    def arms(self) -> tuple[str, ...]:
        """Kinds of first weights, in the order of the tables."""
        return tuple(dict.fromkeys(outcome.arm for outcome in self.outcomes))

    def estimate(self, panel: str, arm: str, n: int, measure: str = "iou") -> Interval:
        """Mean and interval of a measure over repetitions."""
        return over_seeds(list(self._values(panel, arm, n, measure).values()))

    def gain(self, panel: str, arm: str, n: int, measure: str = "iou") -> Interval:
        """Paired difference to training from scratch, over repetitions."""
        scratch = self._values(panel, SCRATCH, n, measure)
        return over_seeds([v - scratch[key] for key, v in self._values(panel, arm, n, measure).items()])

    def _values(self, panel: str, arm: str, n: int, measure: str) -> dict[tuple[str, int], float]:
        return {
            (outcome.encoder, outcome.seed): getattr(outcome, measure)
            for outcome in self.outcomes
            if (outcome.panel, outcome.arm, outcome.n) == (panel, arm, n)
        }

    def to_markdown(self) -> str:
        """Tables, verdicts and the figure's place."""
        seeds = len({outcome.seed for outcome in self.outcomes})
        lines = [
            f"One U-Net of {', '.join(self.encoders)} is trained for {self.epochs} epochs on n labelled "
            "images. It begins with random weights (scratch), with those of `icefloe pretrain` (sim: encoder "
            "and decoder) or with published ones (imagenet: encoder); frozen: the encoder stays as it began. "
            "The learning rate is 3e-3 from scratch and 1e-3 otherwise, the better for each. Everything else "
            f"is alike within a seed. Values are means over {seeds} seeds"
            + (f" and {len(self.encoders)} encoders" if len(self.encoders) > 1 else "")
            + " with 95 % t intervals: they cover which images are labelled and tested, first weights and "
            "augmentation, not other datasets. Gains are paired differences to scratch.",
            "",
            *(f"Absent: {what}. {why}" for what, why in self.absent.items()),
            "",
            f"![Test IoU against labelled images, by first weights]({self.name}-learning-curves.png)",
            "",
        ]
        for panel in self.panels:
            lines += self._panel(panel)
        return "\n".join([*lines, *self._paper()])

    def _panel(self, panel: Panel) -> Iterable[str]:
        sizes = sorted({(o.n_test, o.n_pool) for o in self.outcomes if o.panel == panel.name})
        yield f"## {panel.title()}"
        yield ""
        of_a_seed = " or ".join(f"{n_test} test images and {n_pool} to label" for n_test, n_pool in sizes)
        yield f"{of_a_seed} a seed, no two of them duplicates, at {panel.size} px."
        if max(n_pool for _, n_pool in sizes) < MOST_LABELS:
            yield f"So the curve ends at {panel.n_labels[-1]} labels: {MOST_LABELS} can't be had here."
        yield ""
        yield "| labels | weights | IoU | Dice | pCA | gain in IoU |"
        yield "|---:|---|---|---|---|---|"
        for n in panel.n_labels:
            for arm in self.arms:
                cells = [str(self.estimate(panel.name, arm, n, measure)) for measure in MEASURES]
                gain = "-" if arm == SCRATCH else _signed(self.gain(panel.name, arm, n))
                yield f"| {n} | {arm} | {' | '.join(cells)} | {gain} |"
        for name, (pca, iou) in self.baselines[panel.name].items():
            yield f"| 0 | {name} | {iou:.3f} | {2 * iou / (1 + iou):.3f} | {pca:.3f} | |"
        yield ""
        for arm in self.arms:
            if arm != SCRATCH:
                yield from self._verdicts(panel, arm)
        yield ""

    def _verdicts(self, panel: Panel, arm: str) -> Iterable[str]:
        parts = []
        for n in panel.n_labels:
            gain = self.gain(panel.name, arm, n)
            if gain.n < 2:
                word = "one repetition shows nothing"
            elif gain.low > 0:
                word = "better"
            elif gain.high < 0:
                word = "worse"
            else:
                word = "no difference shown"
            parts.append(f"{n} labels {_signed(gain)}: {word}")
        yield f"- **{arm}** against scratch, IoU: {'; '.join(parts)}."
        saved = self._labels_saved(panel, arm)
        if saved:
            yield f"  {saved}"

    def _labels_saved(self, panel: Panel, arm: str) -> str:
        """With how few labels an arm does as well as scratch does with the most, on the mean curve."""
        most = panel.n_labels[-1]
        wanted = self.estimate(panel.name, SCRATCH, most).mean
        enough = [n for n in panel.n_labels if self.estimate(panel.name, arm, n).mean >= wanted]
        if not enough or enough[0] == most:
            return ""
        return f"With {enough[0]} labels it reaches the mean IoU that scratch has with {most} ({wanted:.3f})."

    def _paper(self) -> Iterable[str]:
        yield "## The paper's claim"
        yield ""
        yield "Baskaran et al. 2022, figure 6: on D1-D2, pCA .843 from scratch, .996 with ImageNet weights."
        yield ""
        yield (
            "| weights | paper | " + " | ".join(f"{p.name}, n = {p.n_labels[-1]}" for p in self.panels) + " |"
        )
        yield "|---|---|" + "---|" * len(self.panels)
        for arm in dict.fromkeys((SCRATCH, IMAGENET, *self.arms)):
            if arm in self.arms:
                ours = [str(self.estimate(p.name, arm, p.n_labels[-1], "pca")) for p in self.panels]
            else:
                ours = ["absent"] * len(self.panels)
            paper = f"{PAPER[arm]:.3f}" if arm in PAPER else "-"
            yield f"| {arm} | {paper} | {' | '.join(ours)} |"
        background = [f"{self.baselines[p.name][ALL_BACKGROUND][0]:.3f}" for p in self.panels]
        yield f"| {ALL_BACKGROUND} | not given | {' | '.join(background)} |"
        yield ""
        for panel in self.panels:
            scratch = self.estimate(panel.name, SCRATCH, panel.n_labels[-1], "pca")
            empty = self.baselines[panel.name][ALL_BACKGROUND][0]
            above = "above" if scratch.mean > PAPER[SCRATCH] else "not above"
            yield (
                f"- {panel.name}: from scratch pCA is {scratch}, {above} the paper's .843; a mask without "
                f"any ice has {empty:.3f} here."
            )
        if IMAGENET not in self.arms:
            yield "- Whether ImageNet weights give .996 can't be told here: there were none."

    def figures(self) -> dict[str, Figure]:
        """The learning curves, one frame a panel."""
        figure = Figure(figsize=(4.2 * len(self.panels), 3.8), layout="constrained")
        axes = figure.subplots(1, len(self.panels), sharey=True, squeeze=False)[0]
        for axis, panel in zip(axes, self.panels, strict=True):
            for place, arm in enumerate(self.arms):
                estimates = [self.estimate(panel.name, arm, n) for n in panel.n_labels]
                means = np.array([estimate.mean for estimate in estimates])
                bounds = np.nan_to_num([[e.mean - e.low, e.high - e.mean] for e in estimates]).T
                at = np.array(panel.n_labels) * 1.03 ** (place - (len(self.arms) - 1) / 2)
                axis.errorbar(at, means, bounds, marker="o", capsize=3, lw=1.5, label=arm)
            axis.set(xscale="log", xlabel="labelled images", title=panel.title(), ylim=(0, 1))
            axis.title.set_fontsize(9)
            axis.set_xticks(panel.n_labels, map(str, panel.n_labels))
            axis.minorticks_off()
            axis.grid(alpha=0.3)
        axes[0].set_ylabel("test IoU (mean, 95 % t interval over seeds)")
        axes[-1].legend(fontsize=8, loc="lower right")
        return {"learning-curves": figure}

    def to_dict(self) -> dict[str, Any]:
        """Every number, and every estimate of the tables."""
        return {
            "panels": [asdict(panel) for panel in self.panels],
            "encoders": list(self.encoders),
            "epochs": self.epochs,
            "absent": dict(self.absent),
            "baselines": {
                panel: {name: {"pca": pca, "iou": iou} for name, (pca, iou) in found.items()}
                for panel, found in self.baselines.items()
            },
            "gains": [
                {
                    "panel": panel.name,
                    "arm": arm,
                    "n": n,
                    **{m: self.gain(panel.name, arm, n, m).model_dump() for m in MEASURES},
                }
                for panel in self.panels
                for n in panel.n_labels
                for arm in self.arms
                if arm != SCRATCH
            ],
            "outcomes": [asdict(outcome) for outcome in self.outcomes],
        }


def _signed(estimate: Interval) -> str:
    if estimate.n < 2:
        return f"{estimate.mean:+.3f}"
    return f"{estimate.mean:+.3f} [{estimate.low:+.3f}, {estimate.high:+.3f}]"
