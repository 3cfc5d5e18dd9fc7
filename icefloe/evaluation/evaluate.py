"""An ensemble against reference masks: scores of images and datasets, trivial baselines beside."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from icefloe.ensemble.prediction import Prediction
from icefloe.ensemble.samples import LabelledSample
from icefloe.errors import IcefloeError
from icefloe.files import write_text_atomic
from icefloe.scoring.baselines import BASELINES
from icefloe.scoring.calibration import CalibrationBins
from icefloe.scoring.metrics import confusion_matrix, scores_from_confusion
from icefloe.scoring.roc import RocCurve, roc_curve
from icefloe.scoring.tally import Tally, mask_scores
from icefloe.typing import IGNORE, FloatArray, MaskArray
from icefloe.validation import validated

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from icefloe.ensemble.segmenter import Segmenter


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Scores(_Record):
    """The numbers that an image and a dataset both have; each says how it takes them."""

    pca: float
    iou: float
    dice: float
    brier: float
    mae: float
    ece: float
    uq: float
    uq_boundary: float
    uq_foreground: float
    nll: float | None = None
    nll_uncalibrated: float | None = None
    ece_uncalibrated: float | None = None


class ImageScores(_Scores):
    """One image.

    Attributes
    ----------
    dataset, stem, index
        Which image, and its place in time.
    pca, iou, dice
        Of the mask; see `metrics.PixelScores`.
    brier, mae, ece
        Of the probability: Brier score, mean absolute deviation, expected calibration error.
    uq, uq_boundary, uq_foreground
        Uncertainty; see `uncertainty.ImageUncertainty` (`uq` is its `uq_mean`, the paper's).
    nll, nll_uncalibrated, ece_uncalibrated
        Negative log-likelihood a pixel, and both at temperature 1; None in files of an earlier version.
    """

    dataset: str
    stem: str
    index: int


class BinnedCurve(_Record):
    """A calibration or accuracy curve: occupied bins only, each list of one length.

    Attributes
    ----------
    predicted
        Mean predicted probability of the bin's pixels.
    frequency
        Share of them that had the event.
    count
        Their number.
    """

    predicted: tuple[float, ...]
    frequency: tuple[float, ...]
    count: tuple[int, ...]

    @classmethod
    def from_bins(cls, bins: CalibrationBins) -> "BinnedCurve":
        """The curve of pixel sums."""
        frequency, predicted = bins.curve()
        return cls(
            predicted=predicted.tolist(),
            frequency=frequency.tolist(),
            count=bins.count[bins.count > 0].tolist(),
        )


class RocPoints(_Record):
    """A thinned ROC curve, thresholds falling; `area` is the whole curve's."""

    thresholds: tuple[float, ...]
    true_positive_rate: tuple[float, ...]
    false_positive_rate: tuple[float, ...]
    area: float

    @classmethod
    def from_curve(cls, curve: RocCurve) -> "RocPoints":
        """At most 200 points of an exact curve."""
        thin = curve.thinned()
        return cls(
            thresholds=thin.thresholds.astype(np.float64).tolist(),
            true_positive_rate=thin.true_positive_rate.tolist(),
            false_positive_rate=thin.false_positive_rate.tolist(),
            area=curve.area,
        )


class Baseline(_Record):
    """Scores of a trivial baseline, all pixels of a dataset pooled."""

    pca: float
    iou: float
    dice: float


class DatasetScores(_Scores):
    """One dataset, its pixels pooled.

    Attributes
    ----------
    n_images
        Images evaluated.
    pca, iou, dice, brier, mae, ece, nll, nll_uncalibrated, ece_uncalibrated
        As in `ImageScores`, but of all pixels together.
    uq, uq_boundary, uq_foreground
        Mean over images (the paper's dataset UQ).
    confusion
        Pixels by reference class (row) and predicted class (column).
    calibration
        Of the foreground's probability; with more than two classes of the winning class's.
    uncalibrated
        The same at temperature 1; None in files of an earlier version.
    accuracy
        Share of pixels classified correctly by predicted foreground probability, as in the paper; None with
        more than two classes.
    roc
        None with more than two classes, or where the reference holds only one class.
    """

    n_images: int
    confusion: tuple[tuple[int, ...], ...]
    calibration: BinnedCurve
    uncalibrated: BinnedCurve | None = None
    accuracy: BinnedCurve | None
    roc: RocPoints | None


class Evaluation(_Record):
    """How good an ensemble is on images with a reference.

    Attributes
    ----------
    ensemble
        Its name.
    classes
        Class names by mask value.
    threshold
        Its threshold.
    temperature
        Its temperature; None in files of an earlier version.
    images
        One row an image.
    datasets
        Dataset -> pooled scores.
    baselines
        Dataset -> baseline -> pooled scores.
    """

    ensemble: str
    classes: tuple[str, ...]
    threshold: float
    temperature: float | None = None
    images: tuple[ImageScores, ...]
    datasets: dict[str, DatasetScores]
    baselines: dict[str, dict[str, Baseline]]

    @property
    def confusion(self) -> tuple[tuple[int, ...], ...]:
        """Pixels of all datasets by reference class (row) and predicted class (column)."""
        total = np.sum([scores.confusion for scores in self.datasets.values()], axis=0)
        return tuple(tuple(row) for row in total.tolist())

    def to_dict(self) -> dict[str, Any]:
        """Plain types, for JSON."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Evaluation":
        """Inverse of `to_dict`."""
        return cls.model_validate(content)

    def save(self, path: Path) -> None:
        """Write a JSON file."""
        write_text_atomic(path, json.dumps(self.to_dict(), indent=1))

    @classmethod
    def load(cls, path: Path) -> "Evaluation":
        """Read a JSON file.

        Raises
        ------
        IcefloeError
            If it is missing or is no evaluation.
        """
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise IcefloeError(f"{path}: no evaluation here. Evaluate the ensemble first.") from error
        return validated(cls, content, path, "Evaluate the ensemble again.")

    def to_markdown(self) -> str:
        """A table like the paper's 4 to 6, IoU and Dice first, trivial baselines under each dataset."""
        lines = [
            "| dataset | images | | IoU | Dice | pCA | Brier | MAD | ECE | UQ | UQ per boundary |",
            "|---|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|",
        ]
        for name, s in self.datasets.items():
            lines.append(
                f"| {name} | {s.n_images} | **{self.ensemble}** | {s.iou:.3f} | {s.dice:.3f} | {s.pca:.3f} "
                f"| {s.brier:.4f} | {s.mae:.4f} | {s.ece:.4f} | {s.uq:.4f} | {s.uq_boundary:.4f} |"
            )
            for baseline, b in self.baselines[name].items():
                lines.append(f"| | | {baseline} | {b.iou:.3f} | {b.dice:.3f} | {b.pca:.3f} | | | | | |")
        return "\n".join(lines) + "\n"

    def plot_calibration(self, ax: "Axes") -> None:
        """Observed frequency against predicted probability, a line a dataset, and the diagonal."""
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
        Images that it was not trained on, dataset after dataset, each with a reference.

    Raises
    ------
    IcefloeError
        If there is no sample, or a mask doesn't fit its image; the message names the sample.
    """
    seen: dict[str, _Evaluated] = {}
    images = []
    for sample, prediction in segmenter.predict(samples, uncalibrated=True):
        mask = sample.reference()
        dataset = seen.setdefault(sample.dataset, _Evaluated(len(segmenter.classes)))
        try:
            scores = dataset.add(sample.image(), mask, prediction)
        except IcefloeError as error:
            raise IcefloeError(f"{sample.key}: {error}") from error
        images.append(ImageScores(dataset=sample.dataset, stem=sample.stem, index=sample.index, **scores))
    if not images:
        raise IcefloeError(f"{segmenter.name}: there is no image to evaluate on. Label some held-out images.")
    return Evaluation(
        ensemble=segmenter.name,
        classes=segmenter.classes,
        threshold=segmenter.threshold,
        temperature=segmenter.temperature,
        images=tuple(images),
        datasets={name: dataset.pooled() for name, dataset in seen.items()},
        baselines={name: dataset.baselines() for name, dataset in seen.items()},
    )


class _Evaluated:
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
            **tally.pooled(),
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


def _uncalibrated(scores: Mapping[str, float]) -> dict[str, float]:
    return {f"{name}_uncalibrated": scores[name] for name in ("nll", "ece")}
