"""Quality against labels, by kind of first weights."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from icefloe.evaluation.scores import Baseline
from icefloe.scoring.baselines import ALL_BACKGROUND
from icefloe.statistics.interval import Interval
from icefloe.statistics.repetitions import over_seeds
from studies.kit.figures import draw_curve, panels
from studies.kit.study import Record, StudyResult
from studies.kit.tables import in_words
from studies.transfer.design import MOST_LABELS, Panel

SCRATCH, SIM, IMAGENET, IMAGE_SIM = "scratch", "sim", "imagenet", "image-sim"
PAPER = {SCRATCH: "0.843", IMAGENET: "0.996", ALL_BACKGROUND: "not given"}
"""pCA on D1-D2 (Baskaran et al. 2022): 80 labelled composites after augmentation, five-stage U-Nets."""


class Outcome(Record):
    """One network, tested.

    Attributes
    ----------
    panel, encoder, weights, n_labels, seed
        Which: `weights` is the kind of first weights, `n_labels` the number of labelled images.
    iou, dice, pca
        Scores in [0, 1] of all test pixels pooled, on the network's grid, at threshold 0.5.
    seconds
        Wall time of the training, in s.
    n_test, n_pool
        Number of test images, and of others that could have been labelled.
    """

    panel: str
    encoder: str
    weights: str
    n_labels: int
    seed: int
    iou: float
    dice: float
    pca: float
    seconds: float
    n_test: int
    n_pool: int


class TransferResult(StudyResult):
    """What pre-trained weights are worth; a repetition is one encoder with one seed.

    Attributes
    ----------
    panels, encoders, epochs
        Learning curves, encoders of the networks, and number of epochs of each training.
    absent
        Pre-trained weights that are not here -> why.
    baselines
        Panel -> what takes no learning -> its scores on the test images, mean over seeds.
    outcomes
        Scores of every trained network.
    """

    name: ClassVar[str] = "transfer"
    title: ClassVar[str] = "What pre-trained weights are worth"
    folder: ClassVar[str] = "transfer"
    words: ClassVar[Mapping[str, Any]] = {"paper": PAPER, "scratch": SCRATCH, "nothing": ALL_BACKGROUND}

    panels: tuple[Panel, ...]
    encoders: tuple[str, ...]
    epochs: int
    absent: Mapping[str, str]
    baselines: Mapping[str, Mapping[str, Baseline]]
    outcomes: tuple[Outcome, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of first weights, in the order of the tables."""
        return tuple(dict.fromkeys(outcome.weights for outcome in self.outcomes))

    @property
    def pretrained(self) -> tuple[str, ...]:
        """Those that are compared with scratch."""
        return tuple(kind for kind in self.kinds if kind != SCRATCH)

    @property
    def n_seeds(self) -> int:
        """Repetitions with each encoder."""
        return len({outcome.seed for outcome in self.outcomes})

    def estimate(self, panel: Panel, weights: str, n_labels: int, measure: str = "iou") -> Interval:
        """Mean and interval of a measure over repetitions."""
        return over_seeds([getattr(each, measure) for each in self._of(panel, weights, n_labels).values()])

    def gain(self, panel: Panel, weights: str, n_labels: int) -> Interval:
        """Paired difference in IoU to training from scratch, over repetitions."""
        scratch = self._of(panel, SCRATCH, n_labels)
        found = self._of(panel, weights, n_labels)
        return over_seeds([each.iou - scratch[repetition].iou for repetition, each in found.items()])

    def _of(self, panel: Panel, weights: str, n_labels: int) -> dict[tuple[str, int], Outcome]:
        wanted = (panel.name, weights, n_labels)
        found = (o for o in self.outcomes if (o.panel, o.weights, o.n_labels) == wanted)
        return {(outcome.encoder, outcome.seed): outcome for outcome in found}

    def sentence(self) -> str:
        """How many of the comparisons show a gain."""
        gains = [
            self.gain(panel, weights, n_labels).finding()
            for panel in self.panels
            for weights in self.pretrained
            for n_labels in panel.n_labels
        ]
        return (
            f"Of {len(gains)} comparisons with random weights, {gains.count('better')} show a gain in IoU "
            f"and {gains.count('worse')} a loss."
        )

    def gains_in_words(self, panel: Panel, weights: str) -> str:
        """Gains in IoU at every number of labels, each with its finding."""
        gains = {n_labels: self.gain(panel, weights, n_labels) for n_labels in panel.n_labels}
        said = [f"{n} labels {gain.text(signed=True)}: {in_words(gain)}" for n, gain in gains.items()]
        return f"{weights} against scratch, IoU: {'; '.join(said)}."

    def labels_saved(self, panel: Panel, weights: str) -> int | None:
        """With how few labels the mean IoU is that of scratch with the most; None: not with fewer."""
        wanted = self.estimate(panel, SCRATCH, panel.n_labels[-1]).mean
        enough = [n for n in panel.n_labels[:-1] if self.estimate(panel, weights, n).mean >= wanted]
        return enough[0] if enough else None

    def sizes(self, panel: Panel) -> list[tuple[int, int]]:
        """Test images and images that can be labelled, as they come up among the seeds."""
        return sorted({(o.n_test, o.n_pool) for o in self.outcomes if o.panel == panel.name})

    def ends_early(self, panel: Panel) -> bool:
        """Whether there are not as many images to label as the longest curve has."""
        return max(n_pool for _, n_pool in self.sizes(panel)) < MOST_LABELS

    def plot(self, ax: Axes) -> None:
        """The first panel's learning curves."""
        self._draw(ax, self.panels[0])

    def figures(self) -> dict[str, Figure]:
        """Learning curves, a frame each."""
        figure, axes = panels(1, len(self.panels), 4.2 * len(self.panels), 3.8, sharey=True)
        for axis, panel in zip(axes[0], self.panels, strict=True):
            self._draw(axis, panel)
        axes[0, 0].set_ylabel("test IoU (mean, 95 % t interval over seeds)")
        axes[0, -1].legend(loc="lower right")
        return {"learning-curves": figure}

    def _draw(self, axes: Axes, panel: Panel) -> None:
        for number, weights in enumerate(self.kinds):
            estimates = [self.estimate(panel, weights, n) for n in panel.n_labels]
            beside = np.array(panel.n_labels) * 1.03 ** (number - (len(self.kinds) - 1) / 2)
            draw_curve(axes, beside, estimates, marker="o", capsize=3, label=weights)
        axes.set(xscale="log", xlabel="labelled images", title=panel.title, ylim=(0, 1))
        axes.set_xticks(panel.n_labels, map(str, panel.n_labels))
        axes.minorticks_off()
        axes.grid()
