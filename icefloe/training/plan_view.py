"""How a planned training sees its images: whole, or in tiles, and at which resolution."""

from icefloe.datasets.fingerprint import Fingerprint
from icefloe.imaging.geometry import STRIDE
from icefloe.imaging.preprocess import Preprocessing
from icefloe.training.decision import Decision

LEAST_WIDTH = 6.0
"""Pixels that objects must be wide on the grid of a network; thinner ones vanish in its first halvings."""

SMALLEST, SIZE, GPU_SIZE = 192, 256, 512
"""Sides of squares and tiles in px: the least, and the most without and with a GPU."""

WIDE_ENOUGH = 24.0
"""Pixels of width beyond which a finer grid is worth less than the training steps that it costs: edges half
a pixel off are 4 % of 24 px."""


def choose_view(found: Fingerprint, size: int) -> tuple[Preprocessing, Decision]:
    """Whole images where objects are wide enough in the square, else tiles at the resolution they need.

    Parameters
    ----------
    found
        Fingerprint of the images.
    size
        Greatest side of the square, and side of the tiles, in px.
    """
    finest, factor = found.finest, shrinking(found, size)
    shrunk = finest.width / factor
    largest = f"{max(found.largest)} px images"
    if shrunk >= LEAST_WIDTH or factor <= 1:
        choice = Preprocessing(size=_square(found, size))
        shrunk = finest.width / shrinking(found, choice.size)
        why = f"{finest.name} is about {finest.width:.0f} px wide in {largest}, {shrunk:.0f} px in the square"
        return choice, Decision(what="view", choice=seen(choice), why=why)
    sizes = list(found.pixel_sizes_nm.values())
    known = [pixel for pixel in sizes if pixel is not None]
    if len(known) == len(sizes) and len(set(known)) > 1:
        choice = Preprocessing(view="tiles", size=size, pixel_size_nm=max(known))
    else:
        choice = Preprocessing(
            view="tiles", size=size, downsampling=max(1, int(finest.width // (2 * LEAST_WIDTH)))
        )
    why = (
        f"{finest.name} is about {finest.width:.1f} px wide in {largest}; scaled to {size} px it would be "
        f"{shrunk:.1f}, less than the {LEAST_WIDTH:g} that networks need"
    )
    return choice, Decision(what="view", choice=seen(choice), why=why)


def _square(found: Fingerprint, largest: int) -> int:
    """Side of the smallest square in which the finest objects are `WIDE_ENOUGH`; at most `largest`."""
    sizes = range(SMALLEST, largest, STRIDE)
    return next((s for s in sizes if found.finest.width / shrinking(found, s) >= WIDE_ENOUGH), largest)


def shrinking(found: Fingerprint, size: int) -> float:
    """Native pixels per pixel of a square of `size` that holds a whole image."""
    return max(found.largest) / size


def grid_pixel(found: Fingerprint, how: Preprocessing) -> float:
    """Native pixels per pixel of the network's grid along an axis, at the finest pixel size there is."""
    if how.view == "whole":
        return shrinking(found, how.size)
    if how.pixel_size_nm is None:
        return float(how.downsampling)
    return how.pixel_size_nm / min(size for size in found.pixel_sizes_nm.values() if size is not None)


def seen(how: Preprocessing) -> str:
    """What a network sees, in words."""
    if how.view == "whole":
        return f"whole images at {how.size} px"
    if how.pixel_size_nm is not None:
        return f"tiles of {how.size} px at {how.pixel_size_nm:g} nm a pixel"
    share = "native" if how.downsampling == 1 else f"1/{how.downsampling} of the native"
    return f"tiles of {how.size} px at {share} resolution"
