"""Minutes that a person needs for a label: from scratch, and correcting what the ensemble drew."""

from collections.abc import Collection

from icefloe.active.labelers import SECONDS_AN_IMAGE
from icefloe.datasets.dataset import Dataset, Sample
from icefloe.datasets.label_history import read_history
from icefloe.ensemble.surface import surface_dice
from icefloe.typing import MaskArray

SCRATCH_MINUTES = SECONDS_AN_IMAGE / 60

LOOK_MINUTES = 0.3
"""Assumed: opening an image, judging the mask drawn in it, and handing it in."""

TOLERANCE = 5.5 / 960
"""Of the image's longer side, but at least a pixel: two people's outlines of one image are 5-6 px apart."""


def correction_minutes(reference: MaskArray, drawn: MaskArray) -> float:
    """Estimated time to correct a mask: a look, and of the time from scratch the share of outline to redraw.

    An outline off by no more than two annotators differ is left alone; one minus the surface Dice at that
    tolerance is the share that is not. A useless mask thus costs a look more than an empty image.

    Parameters
    ----------
    reference : uint8, shape (H, W)
        What the annotator would draw.
    drawn : uint8, shape (H, W)
        The mask to start from.

    Returns
    -------
    float
        In minutes, from `LOOK_MINUTES` to `LOOK_MINUTES + SCRATCH_MINUTES`.
    """
    tolerance_px = max(1.0, TOLERANCE * max(reference.shape))
    return LOOK_MINUTES + SCRATCH_MINUTES * (1 - surface_dice(reference, drawn, tolerance_px))


def measured_minutes(dataset: Dataset, samples: Collection[Sample]) -> dict[str, float]:
    """Minutes by sample key that a person's last label of an image took, where somebody measured them."""
    keys = {sample.stem: sample.key for sample in samples}
    return {
        keys[record.stem]: record.seconds / 60
        for record in read_history(dataset.path)
        # What a simulated labeler books, nobody spent.
        if record.seconds is not None and record.source != "simulation" and record.stem in keys
    }
