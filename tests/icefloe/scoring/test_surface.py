import numpy as np
import pytest
from scipy.ndimage import binary_erosion
from scipy.spatial.distance import cdist

from icefloe.errors import IcefloeError
from icefloe.scoring.surface import surface_dice
from icefloe.typing import IGNORE


def disc(row: float, column: float, radius: float, size: int = 48) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size]
    return ((rows - row) ** 2 + (columns - column) ** 2 < radius**2).astype(np.uint8)


def by_all_pairs(reference: np.ndarray, predicted: np.ndarray, tolerance: float) -> float:
    """Every outline pixel against every other's."""
    wanted, drawn = (
        np.argwhere(mask & ~binary_erosion(mask, border_value=1)) for mask in (reference > 0, predicted > 0)
    )
    distances = cdist(wanted, drawn)
    near = (distances.min(axis=1) <= tolerance).sum() + (distances.min(axis=0) <= tolerance).sum()
    return near / (len(wanted) + len(drawn))


@pytest.mark.parametrize("tolerance", [0, 1, 1.5, 3])
def test_it_is_the_share_of_outline_pixels_near_the_other_outline(tolerance):
    reference, predicted = disc(20, 20, 12), disc(22, 23, 10)
    expected = by_all_pairs(reference, predicted, tolerance)
    assert surface_dice(reference, predicted, tolerance) == pytest.approx(expected)


def test_an_outline_that_ends_at_the_images_margin_need_not_be_drawn_there():
    half = np.zeros((20, 20), np.uint8)
    half[:, :10] = 1
    other = np.zeros((20, 20), np.uint8)
    other[:, :13] = 1
    assert surface_dice(half, other, 2) == 0
    assert surface_dice(half, other, 3) == 1


def test_it_is_one_where_neither_has_an_outline_and_zero_where_only_one_has():
    nothing, something = np.zeros((48, 48), np.uint8), disc(20, 20, 8)
    assert surface_dice(nothing, nothing, 1) == 1
    assert surface_dice(nothing, something, 1) == 0
    assert surface_dice(something, nothing, 1) == 0


def test_what_is_drawn_where_the_reference_says_ignore_does_not_count():
    reference = disc(24, 24, 10)
    reference[:, 40:] = IGNORE
    predicted = disc(24, 24, 10)
    predicted[10:20, 42:46] = 1
    assert surface_dice(reference, predicted, 1) == 1


def test_masks_of_two_sizes_are_refused():
    with pytest.raises(IcefloeError, match=r"Masks of 5x4 and 6x4 pixels\. Compare masks of the same image"):
        surface_dice(np.zeros((4, 5), np.uint8), np.zeros((4, 6), np.uint8), 1)
