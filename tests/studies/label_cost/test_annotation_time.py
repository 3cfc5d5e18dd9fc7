import numpy as np
import pytest
from scipy.spatial import KDTree
from skimage.segmentation import find_boundaries

from icefloe.active.region import Region
from icefloe.datasets.importer import import_folder
from icefloe.typing import IGNORE
from studies.label_cost.annotation_time import TOLERANCE, Cost, correction_cost

OPENING = 1.35 + 0.28
LOOK = 0.3 * 36  # 960 x 960 screen pixels in glances of 160 x 160
A_PIECE = 1.35 + 1.1


def square(size=960, first=200, last=600):
    mask = np.zeros((size, size), np.uint8)
    mask[first:last, first:last] = 1
    return mask


def test_a_mask_as_two_people_would_draw_it_costs_a_key_and_a_look():
    reference = square()
    within = correction_cost(reference, np.roll(reference, 14, axis=1))
    assert within == Cost(pytest.approx(OPENING + LOOK), 1)
    assert correction_cost(reference, np.roll(reference, 30, axis=1)).seconds > within.seconds


def test_the_tolerance_is_what_two_people_hardly_ever_differ_by(real_data, tmp_path):
    dataset = import_folder(real_data / "ice" / "D2", "D2", tmp_path).dataset
    masks = {sample.stem: sample.mask() for sample in dataset.labelled}
    distances = []
    for one, other in (("stack_6", "stack_9"), ("stack_7", "stack_12")):
        outlines = [np.argwhere(find_boundaries(masks[stem], mode="inner")) for stem in (one, other)]
        for points, others in (outlines, outlines[::-1]):
            distances.append(KDTree(others).query(points)[0])
    assert np.quantile(np.concatenate(distances), 0.95) == pytest.approx(960 * TOLERANCE, abs=0.1)


def test_a_missing_thing_costs_a_stroke_as_long_as_its_outline():
    reference = square()
    found = correction_cost(reference, np.zeros_like(reference))
    assert found.clicks == 2
    assert found.seconds == pytest.approx(OPENING + LOOK + A_PIECE + 4 * 399 / 300)


def test_a_thing_that_is_none_costs_a_stroke_round_it():
    drawn = square()
    found = correction_cost(np.zeros_like(drawn), drawn)
    assert found.seconds == pytest.approx(OPENING + LOOK + A_PIECE + 4 * 399 / 300)


def test_of_an_outline_that_is_half_off_the_true_half_is_drawn():
    reference = np.zeros((960, 960), np.uint8)
    reference[:, :480] = 1  # one straight outline
    drawn = reference.copy()
    drawn[480:, :580] = 1  # in its lower half 100 px too far
    found = correction_cost(reference, drawn)
    assert found.clicks == 2
    assert found.seconds == pytest.approx(OPENING + LOOK + A_PIECE + 480 / 300, abs=0.1)


def test_two_wrong_pieces_are_two_strokes():
    drawn = square(first=100, last=200) | square(first=700, last=800)
    assert correction_cost(np.zeros_like(drawn), drawn).clicks == 3


def test_a_region_costs_its_part_of_looking_and_drawing():
    reference, drawn = square(), np.zeros((960, 960), np.uint8)
    corner = Region(0, 0, 480, 480)  # with a corner of the square: two edges, 280 px each
    found = correction_cost(reference, drawn, corner)
    assert found.clicks == 2
    assert found.seconds == pytest.approx(OPENING + LOOK / 4 + A_PIECE + 559 / 300)
    assert correction_cost(reference, drawn, Region(700, 0, 240, 240)).clicks == 1
    whole = Region(0, 0, 960, 960)
    assert correction_cost(reference, drawn, whole) == correction_cost(reference, drawn)


def test_a_region_is_corrected_as_its_image_would_be():
    # The drawn outline lies outside the region, near enough: nothing is redrawn inside.
    reference, drawn = square(), square(first=190, last=610)
    assert correction_cost(reference, drawn, Region(195, 195, 240, 240)).clicks == 1


def test_nothing_is_drawn_where_the_truth_says_ignore():
    reference = np.full((960, 960), IGNORE, np.uint8)
    assert correction_cost(reference, square()).clicks == 1


def test_small_images_cost_what_large_ones_cost_and_a_pixel_is_not_off():
    small, large = square(96, 20, 60), square(960, 200, 600)
    of_small, of_large = (correction_cost(each, np.zeros_like(each)) for each in (small, large))
    assert of_small.seconds == pytest.approx(of_large.seconds, rel=0.02)
    assert correction_cost(small, np.roll(small, 1, axis=0)).clicks == 1


def test_costs_add_up():
    assert Cost(1.5, 2) + Cost(2.5, 1) == Cost(4.0, 3)
