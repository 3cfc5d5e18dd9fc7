"""Masks of several images scored together."""

from collections.abc import Iterable

import numpy as np

from icefloe.scoring.metrics import PixelScores, confusion_matrix, scores_from_confusion
from icefloe.typing import MaskArray


def pooled_scores(
    references: Iterable[MaskArray], masks: Iterable[MaskArray], n_classes: int = 2
) -> PixelScores:
    """Scores of masks against their references, the pixels of all images pooled.

    Parameters
    ----------
    references, masks : uint8, each pair of shape (H, W)
        Class indices; 255 is left out.
    n_classes
        Background included.
    """
    pairs = zip(references, masks, strict=True)
    return scores_from_confusion(np.sum([confusion_matrix(*pair, n_classes) for pair in pairs], axis=0))
