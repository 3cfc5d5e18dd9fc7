"""Minutes that a person needs for a label: from scratch, and correcting what the ensemble drew."""

from collections.abc import Iterable

from icefloe.active.labelers import SECONDS_AN_IMAGE
from icefloe.datasets.dataset import Dataset, Sample
from icefloe.datasets.label_history import read_history
from icefloe.scoring.surface import surface_dice
from icefloe.typing import MaskArray

SCRATCH_MINUTES = SECONDS_AN_IMAGE / 60

LOOK_MINUTES = 0.3
"""Assumed: opening an image, judging the mask drawn in it, and handing it in."""

MEASURED_ON_PX = 960
TOLERANCE = 14.8 / MEASURED_ON_PX
"""Distance at which outlines agree, of the image's longer side, but at least a pixel.

The 95th percentile of distances between two people's outlines, as Nikolov et al. 2021 choose it: measured on
the two published images that carry two labels (960x894 px). Their mean distance, 5.5 px, is what people
differ by: at that tolerance they would redraw four tenths of each other's outlines.
"""


def correction_minutes(reference: MaskArray, drawn: MaskArray) -> float:
    """Estimated time to correct a mask: a look, and of the time from scratch the share of outline to redraw.

    Outlines within the tolerance are left alone; one minus the surface Dice is the share that is not. A
    useless mask thus costs a look more than an empty image.

    Parameters
    ----------
    reference : uint8, shape (H, W)
        Class indices, as the annotator would draw them.
    drawn : uint8, shape (H, W)
        Class indices of the mask to start from.

    Returns
    -------
    float
        Time in minutes, from `LOOK_MINUTES` to `LOOK_MINUTES + SCRATCH_MINUTES`.
    """
    tolerance_px = max(1.0, TOLERANCE * max(reference.shape))
    return LOOK_MINUTES + SCRATCH_MINUTES * (1 - surface_dice(reference, drawn, tolerance_px))


def measured_minutes(dataset: Dataset, samples: Iterable[Sample]) -> dict[str, float]:
    """Minutes by sample key that a person's last label of an image took, where somebody measured them."""
    keys = {sample.stem: sample.key for sample in samples}
    return {
        keys[record.stem]: record.seconds / 60
        for record in read_history(dataset.path)
        # Nobody spent what a simulated labeler books.
        if record.seconds is not None and record.source != "simulation" and record.stem in keys
    }
