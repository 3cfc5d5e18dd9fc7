"""What a label costs a person: seconds and clicks to correct what the ensemble drew, image or region."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import find_boundaries

from icefloe.active.region import Region
from icefloe.typing import IGNORE, MaskArray
from studies.kit.keystrokes import DRAW_PX_PER_S, KEY_S, POINT_S, THINK_S

SCREEN_PX = 960
"""The image's longer side on the screen, which a region is shown at, too."""

GLANCE_S, GLANCE_PX = 0.3, 160
"""To look for errors: a fixation (Rayner 2009: 0.2 to 0.35 s), and the side of what it takes in, in px.

That is 4 degrees of vision, at 60 cm from a screen of 96 px an inch.
"""

MEASURED_ON_PX = 960
TOLERANCE = 14.8 / MEASURED_ON_PX
"""Distance at which outlines agree, of the image's longer side, but at least a pixel.

The 95th percentile of distances between two people's outlines, as Nikolov et al. 2021 choose it: measured on
the two published images that carry two labels (960x894 px). Their mean distance, 5.5 px, is what people
differ by: at that tolerance they would redraw four tenths of each other's outlines.
"""


@dataclass(frozen=True)
class Cost:
    """What a label costs.

    Attributes
    ----------
    seconds
        A person's time.
    clicks
        Strokes and keys.
    """

    seconds: float = 0.0
    clicks: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.seconds + other.seconds, self.clicks + other.clicks)


def correction_cost(reference: MaskArray, drawn: MaskArray, region: Region | None = None) -> Cost:
    """Estimated cost of correcting a mask, of a whole image or inside a region.

    Opening it is a key and a thought; looking it over takes time in proportion to its area; each wrong piece
    takes a thought, pointing at it, and a stroke as long as the outline that has to be drawn there: the true
    one, or, around what should not be there at all, the drawn one. Outlines within the tolerance are left
    alone, and so are pieces without any other.

    Parameters
    ----------
    reference : uint8, shape (H, W)
        Class indices, as the annotator would draw them; nothing is drawn where it is 255.
    drawn : uint8, shape (H, W)
        Class indices of the mask to start from.
    region
        The part that is labelled; None: all of the image.
    """
    height, width = reference.shape
    inside = region or Region(0, 0, height, width)
    zoom = SCREEN_PX / max(height, width)
    looked_at = inside.height * inside.width * zoom**2
    opening = THINK_S + KEY_S + GLANCE_S * looked_at / GLANCE_PX**2
    tolerance_px = max(1.0, TOLERANCE * max(height, width))
    lengths = strokes(*_around(reference, drawn, inside, tolerance_px), tolerance_px)
    drawing = len(lengths) * (THINK_S + POINT_S) + float(lengths.sum()) * zoom / DRAW_PX_PER_S
    return Cost(opening + drawing, 1 + len(lengths))


def strokes(
    reference: MaskArray, drawn: MaskArray, inside: NDArray[np.bool_], tolerance_px: float
) -> NDArray[np.float64]:
    """Lengths of the strokes that correct a mask.

    Parameters
    ----------
    reference, drawn : uint8, shape (H, W)
        Class indices; where the reference is 255, the drawn mask counts as right.
    inside : bool, shape (H, W)
        Pixels that are corrected.
    tolerance_px
        Largest distance at which two outlines agree, in pixels.

    Returns
    -------
    float64, shape (n,)
        Of each wrong piece the length of outline to draw, counted in boundary pixels.
    """
    drawn = np.where(reference == IGNORE, reference, drawn)
    wrong_true, wrong_drawn = (
        _far(one, other, tolerance_px) & inside for one, other in ((reference, drawn), (drawn, reference))
    )
    # Thickened, since the true outline lies in the difference or beside it.
    differing = ndimage.binary_dilation((reference != drawn) & inside, np.ones((3, 3)))
    pieces, n_pieces = ndimage.label(differing, np.ones((3, 3)))
    true, false = (
        np.bincount(pieces[wrong], minlength=n_pieces + 1)[1:] for wrong in (wrong_true, wrong_drawn)
    )
    lengths = np.where(true > 0, true, false)
    return lengths[lengths > 0].astype(np.float64)


def _around(
    reference: MaskArray, drawn: MaskArray, region: Region, tolerance_px: float
) -> tuple[MaskArray, MaskArray, NDArray[np.bool_]]:
    """Both masks and the region's pixels, cut to the region and what its outlines are compared with."""
    margin = int(np.ceil(tolerance_px)) + 1
    rows, columns = (
        slice(max(0, first - margin), first + length + margin)
        for first, length in ((region.top, region.height), (region.left, region.width))
    )
    shape = (reference.shape[0], reference.shape[1])
    return reference[rows, columns], drawn[rows, columns], region.mask(shape)[rows, columns]


def _far(mask: MaskArray, other: MaskArray, tolerance_px: float) -> NDArray[np.bool_]:
    """Outline pixels of a mask that are farther than the tolerance from the other's outline."""
    outline, others = (
        np.asarray(find_boundaries(each, mode="inner"), dtype=np.bool_) for each in (mask, other)
    )
    if not others.any():
        return outline
    return np.asarray(outline & (ndimage.distance_transform_edt(~others) > tolerance_px))
