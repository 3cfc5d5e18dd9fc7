"""Evaluation of a model: scores of images and datasets against reference masks, with trivial baselines."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from pydantic import ConfigDict

from icefloe.ensemble.prediction import Prediction
from icefloe.ensemble.samples import LabelledSample
from icefloe.errors import IcefloeError
from icefloe.evaluation.scores import Baseline, BinnedCurve, DatasetScores, ImageScores, RocPoints
from icefloe.files import write_text_atomic
from icefloe.result import Result
from icefloe.scoring.baselines import BASELINES
from icefloe.scoring.metrics import confusion_matrix, scores_from_confusion
from icefloe.scoring.roc import roc_curve
from icefloe.scoring.tally import Tally, mask_scores
from icefloe.tables import Table
from icefloe.typing import IGNORE, FloatArray, MaskArray
from icefloe.validation import validated

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from icefloe.ensemble.segmenter import Segmenter

COLUMNS = {
    "iou": "IoU",
    "dice": "Dice",
    "pca": "pCA",
    "brier": "Brier",
    "mae": "MAD",
    "ece": "ECE",
    "uq": "UQ",
    "uq_boundary": "UQ per boundary",
}
"""Score -> heading of its column."""


class Evaluation(Result):
    """Scores of a model on images with a reference.

    Attributes
    ----------
    ensemble
        Name of the model, such as `EA-T2`.
    classes
        Class names by mask value, background first.
    threshold
        Probability from which a pixel is class 1; binary models only.
    temperature
        What its logits are divided by; None: it has none, or the file is an earlier version's.
    images
        One row per image, in the order of evaluation.
    datasets
        Dataset -> scores of all its pixels together.
    baselines
        Dataset -> trivial baseline -> its scores of all pixels together.
    n_unjudged
        Number of labelled images left out because every member was trained on them: those that were not have
        been pruned.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ensemble: str
    classes: tuple[str, ...]
    threshold: float
    temperature: float | None = None
    images: tuple[ImageScores, ...]
    datasets: dict[str, DatasetScores]
    baselines: dict[str, dict[str, Baseline]]
    n_unjudged: int = 0

    @property
    def confusion(self) -> tuple[tuple[int, ...], ...]:
        """Pixels of all datasets by reference class (row) and predicted class (column)."""
        total = np.sum([scores.confusion for scores in self.datasets.values()], axis=0)
        return tuple(tuple(row) for row in total.tolist())

    @property
    def mean_dice(self) -> float:
        """Mean over datasets of their Dice."""
        return float(np.mean([scores.dice for scores in self.datasets.values()]))

    def numbers(self) -> dict[str, float]:
        """`D1.dice` and the like for every dataset, and the mean Dice over datasets, by flat names."""
        numbers = {
            f"{dataset}.{name}": float(value)
            for dataset, scores in self.datasets.items()
            for name in ("pca", "iou", "dice", "brier", "ece", "uq")
            if (value := getattr(scores, name)) is not None
        }
        return {"mean_dice": self.mean_dice, **numbers}

    def roc_points(self) -> list[tuple[float, float, float]]:
        """False and true positive rate and threshold along the ROC of the first dataset that has one."""
        for scores in self.datasets.values():
            if scores.roc is not None:
                roc = scores.roc
                return list(zip(roc.false_positive_rate, roc.true_positive_rate, roc.thresholds, strict=True))
        return []

    def save(self, path: Path) -> None:
        """Write a JSON file."""
        write_text_atomic(path, self.model_dump_json(indent=1))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a JSON file.

        Raises
        ------
        IcefloeError
            If it is missing or is no evaluation.
        """
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise IcefloeError(
                f"{path}: there is no evaluation at this path. Evaluate the ensemble first."
            ) from error
        return validated(cls, content, path, "Evaluate the ensemble again.")

    def sentence(self) -> str:
        """The range of Dice, where it is lowest, and whether a trivial baseline does as well."""
        if not self.datasets:
            return f"{self.ensemble}: nothing was evaluated. Label some held-out images."
        dice = {dataset: scores.dice for dataset, scores in self.datasets.items()}
        lowest, highest = min(dice, key=dice.__getitem__), max(dice, key=dice.__getitem__)
        best = {dataset: self._best_baseline(dataset) for dataset in dice}
        matched = [dataset for dataset, (_, baseline) in best.items() if baseline >= dice[dataset]]
        if matched:
            worst = max(matched, key=lambda dataset: best[dataset][1] - dice[dataset])
            name, baseline = best[worst]
            return (
                f"{self.ensemble}: Dice on {worst} is {dice[worst]:.3f}, no better than that of {name} "
                f"({baseline:.3f}). Train longer, or label more of {worst}."
            )
        found = f"Dice is {dice[lowest]:.3f} on {lowest}"
        if len(dice) > 1:
            found = f"Dice is {dice[lowest]:.3f} ({lowest}) to {dice[highest]:.3f} ({highest})"
        return f"{self.ensemble}: {found}, above every trivial baseline. To raise it, label more of {lowest}."

    def judges_note(self) -> str:
        """Which images only a part of the members judged, or none, and what that means; empty if all did."""
        notes = []
        partly = [image for image in self.images if image.n_left_out]
        if partly:
            low, high = (limit(image.n_members or 0 for image in partly) for limit in (min, max))
            n_judges = f"{low}" if low == high else f"{low} to {high}"
            n_members = low + max(image.n_left_out for image in partly)
            notes.append(
                f"{len(partly)} of the {len(self.images)} images are judged by {n_judges} of the {n_members} "
                "members, those that were not trained on them. These scores are conservative: the mean over "
                "all members is usually better than that of a part. A single member has no uncertainty (UQ)."
            )
        if self.n_unjudged:
            notes.append(
                f"Left out: {self.n_unjudged} labelled image{'s' if self.n_unjudged > 1 else ''} that every "
                "member kept was trained on. Members that could judge them have been pruned, so the images "
                "left may be the easier ones."
            )
        return " ".join(notes)

    def to_markdown(self) -> str:
        """The sentence, the table, and which members judged."""
        return "\n".join([super().to_markdown(), *([self.judges_note()] if self.judges_note() else [])])

    def _best_baseline(self, dataset: str) -> tuple[str, float]:
        """Name and Dice of the trivial baseline that does best; none does better than nothing."""
        scores = {name: baseline.dice for name, baseline in self.baselines.get(dataset, {}).items()}
        return max(scores.items(), key=lambda item: item[1], default=("nothing", -1.0))

    def table(self) -> Table:
        """Rows like those of the paper's tables 4 to 6, the trivial baselines under each dataset."""
        rows: list[dict[str, Any]] = []
        for dataset, scores in self.datasets.items():
            columns = {column: getattr(scores, name) for name, column in COLUMNS.items()}
            rows.append({"dataset": dataset, "images": scores.n_images, "version": self.ensemble, **columns})
            for name, baseline in self.baselines.get(dataset, {}).items():
                masks = {"IoU": baseline.iou, "Dice": baseline.dice, "pCA": baseline.pca}
                rows.append({"dataset": dataset, "images": scores.n_images, "version": name, **masks})
        formats = dict.fromkeys(COLUMNS.values(), ".4f") | dict.fromkeys(("IoU", "Dice", "pCA"), ".3f")
        return Table.of(rows, formats, ("dataset", "images", "version", *COLUMNS.values()))

    def plot(self, ax: "Axes") -> None:
        """Calibration: observed frequency against predicted probability, a line per dataset."""
        ax.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle="--")
        for name, s in self.datasets.items():
            label = f"{name} (ECE {s.ece:.3f})"
            ax.plot(s.calibration.predicted, s.calibration.frequency, marker="o", markersize=3, label=label)
        ax.set_xlabel("predicted probability")
        ax.set_ylabel("observed frequency")
        ax.legend(frameon=False)

    def plot_roc(self, ax: "Axes") -> None:
        """ROC curve of each dataset that has one."""
        for name, s in self.datasets.items():
            if s.roc is not None:
                ax.plot(
                    (0.0, *s.roc.false_positive_rate),
                    (0.0, *s.roc.true_positive_rate),
                    label=f"{name} (area {s.roc.area:.3f})",
                )
        ax.set_xlabel("false positive rate")
        ax.set_ylabel("true positive rate")
        ax.legend(frameon=False)

    def figure(self) -> "Figure":
        """Calibration, and beside it ROC curves where a dataset has one."""
        from matplotlib.figure import Figure

        plots = [self.plot]
        if any(scores.roc is not None for scores in self.datasets.values()):
            plots.append(self.plot_roc)
        figure = Figure(figsize=(4.5 * len(plots), 3.8), layout="constrained")
        for plot, axis in zip(plots, figure.subplots(1, len(plots), squeeze=False)[0], strict=True):
            plot(axis)
        return figure


def evaluate(
    segmenter: "Segmenter",
    samples: Iterable[LabelledSample],
) -> Evaluation:
    """Predict samples and score them, at native size.

    Time is that of the predictions and about 0.5 s a megapixel of scoring; memory holds a probability and a
    class for every pixel of one dataset.

    Parameters
    ----------
    segmenter
        An ensemble, or another model to be judged.
    samples
        Images that it was not trained on, dataset after dataset, each with a reference; of an ensemble that
        was trained on folds, `icefloe.ensemble.judges.UnseenBy` lets the members judge that were not.

    Raises
    ------
    IcefloeError
        If there is no sample, or a mask does not fit its image; the message names the sample.
    """
    scorers: dict[str, _DatasetScorer] = {}
    images = []
    for sample, prediction in segmenter.predict(samples, uncalibrated=True):
        mask = sample.reference()
        dataset = scorers.setdefault(sample.dataset, _DatasetScorer(len(segmenter.classes)))
        try:
            scores = dataset.add(sample.image(), mask, prediction)
        except IcefloeError as error:
            raise IcefloeError(f"{sample.key}: {error}") from error
        images.append(
            ImageScores(
                dataset=sample.dataset,
                stem=sample.stem,
                index=sample.index,
                n_members=prediction.n_members or None,
                n_left_out=prediction.n_left_out,
                **_without_nan(scores),
            )
        )
    if not images:
        raise IcefloeError(f"{segmenter.name}: there is no image to evaluate on. Label some held-out images.")
    return Evaluation(
        ensemble=segmenter.name,
        classes=segmenter.classes,
        threshold=segmenter.threshold,
        temperature=segmenter.temperature,
        images=tuple(images),
        datasets={name: dataset.pooled() for name, dataset in scorers.items()},
        baselines={name: dataset.baselines() for name, dataset in scorers.items()},
    )


class _DatasetScorer:
    """The images of one dataset so far."""

    def __init__(self, n_classes: int) -> None:
        self._tally, self._uncalibrated = Tally(n_classes), Tally(n_classes)
        self._baselines = {name: np.zeros((n_classes, n_classes), np.int64) for name in BASELINES}
        self._references: list[MaskArray] = []
        self._probabilities: list[FloatArray] = []

    def add(self, image: FloatArray, reference: MaskArray, prediction: Prediction) -> dict[str, float]:
        """Count one image; its scores by the names of `ImageScores`."""
        mean, uncertainty = prediction.mean, prediction.uncertainty
        scores = self._tally.add(reference, mean, prediction.mask, uncertainty)
        if prediction.uncalibrated is not None:
            before = self._uncalibrated.add(reference, prediction.uncalibrated, prediction.mask, uncertainty)
            scores |= _uncalibrated(before)
        for name, baseline in BASELINES.items():
            self._baselines[name] += confusion_matrix(reference, baseline(image), len(self._tally.confusion))
        if mean.ndim == 2:
            counted = reference != IGNORE
            self._references.append(reference[counted])
            self._probabilities.append(mean[counted])
        return scores

    def pooled(self) -> DatasetScores:
        """All images together; pixel means are weighted by each image's number of pixels."""
        tally, before = self._tally, self._uncalibrated
        return DatasetScores(
            n_images=len(tally.images),
            **_without_nan(tally.pooled()),
            **(_uncalibrated(before.pooled()) if before.images else {}),
            confusion=tally.confusion.tolist(),
            calibration=BinnedCurve.from_bins(tally.calibration),
            uncalibrated=BinnedCurve.from_bins(before.calibration) if before.images else None,
            accuracy=BinnedCurve.from_bins(tally.accuracy) if tally.accuracy else None,
            roc=self._roc(),
        )

    def baselines(self) -> dict[str, Baseline]:
        """Baseline -> scores, all images together."""
        return {
            name: Baseline(**mask_scores(scores_from_confusion(confusion)))
            for name, confusion in self._baselines.items()
        }

    def _roc(self) -> RocPoints | None:
        if not self._references or not self._tally.confusion.sum(axis=1).all():
            return None
        curve = roc_curve(np.concatenate(self._references), np.concatenate(self._probabilities))
        return RocPoints.from_curve(curve)


def _without_nan(scores: Mapping[str, float]) -> dict[str, Any]:
    """None for what could not be measured, which JSON can keep."""
    return {name: None if np.isnan(value) else value for name, value in scores.items()}


def _uncalibrated(scores: Mapping[str, float]) -> dict[str, float]:
    return {f"{name}_uncalibrated": scores[name] for name in ("nll", "ece")}
