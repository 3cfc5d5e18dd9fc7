"""Trivial baselines, which are printed beside every ensemble's scores."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from skimage.filters import threshold_otsu

from icefloe.scoring.metrics import confusion_matrix, iou_of_labelled_classes, scores_from_confusion
from icefloe.typing import IGNORE, FloatArray, MaskArray

ALL_BACKGROUND = "all background"


def _all_background(image: FloatArray) -> MaskArray:
    return np.zeros(image.shape, np.uint8)


def _otsu_bright(image: FloatArray) -> MaskArray:
    return np.asarray(image > threshold_otsu(image), np.uint8)


def _otsu_dark(image: FloatArray) -> MaskArray:
    return np.asarray(image <= threshold_otsu(image), np.uint8)


BASELINES: dict[str, Callable[[FloatArray], MaskArray]] = {
    ALL_BACKGROUND: _all_background,
    "Otsu, foreground bright": _otsu_bright,
    "Otsu, foreground dark": _otsu_dark,
}
"""Name -> mask of an image, float32 (H, W), or of any of its pixels. Otsu's threshold (1979) of the
image's own intensities knows nothing of which side the specimen is on, so both are given. With more than two
classes its foreground counts as class 1."""


@dataclass(frozen=True)
class BaselineScore:
    """Scores of a trivial baseline, all images together.

    Attributes
    ----------
    accuracy
        Share of pixels classified correctly.
    iou
        Mean over the classes that the references show; see `metrics.iou_of_labelled_classes`.
    """

    accuracy: float
    iou: float


def baseline_scores(
    images: Iterable[FloatArray], references: Iterable[MaskArray], n_classes: int
) -> dict[str, BaselineScore]:
    """Scores of every baseline on images with references.

    Only labelled pixels enter, also into Otsu's threshold: on a model's grid the others may be padding.

    Parameters
    ----------
    images : float32, each of shape (H, W)
        Intensities; of any size each.
    references : uint8, each of its image's shape
        Class of each pixel; 255 is left out.
    n_classes
        Number of classes, background included.

    Raises
    ------
    IcefloeError
        If there is no labelled pixel.
    """
    confusions: dict[str, Any] = {name: np.zeros((n_classes, n_classes), np.int64) for name in BASELINES}
    for image, reference in zip(images, references, strict=True):
        labelled = reference != IGNORE
        if not labelled.any():
            continue
        for name, baseline in BASELINES.items():
            mask = baseline(np.asarray(image[labelled]))
            confusions[name] += confusion_matrix(reference[labelled], mask, n_classes)
    return {
        name: BaselineScore(
            accuracy=scores_from_confusion(confusion).accuracy, iou=iou_of_labelled_classes(confusion)
        )
        for name, confusion in confusions.items()
    }
