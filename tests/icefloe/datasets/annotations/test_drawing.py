from pathlib import Path

import numpy as np
import pytest

from icefloe.datasets.annotations.drawing import class_index, draw_mask, foreground_alias
from icefloe.datasets.annotations.regions import Polygon, Region
from icefloe.errors import IcefloeError

ICE = ("background", "ice")
CLASSES = ("background", "crystal", "crack")
SHAPE = (64, 80)


def box(label: str | None, left: float, top: float, right: float, bottom: float) -> Polygon:
    return Polygon(label, np.array([(left, top), (right, top), (right, bottom), (left, bottom)], float))


def test_a_square_of_corner_points_covers_the_pixels_its_points_lie_in():
    mask = draw_mask(Path("x"), [box("ice", 1.2, 1.9, 3.7, 2.1)], (5, 6), ICE)
    assert mask.sum() == 6
    assert mask[1:3, 1:4].all()


def test_polygons_may_reach_beyond_the_image():
    mask = draw_mask(Path("x"), [box("ice", -5, -5, 50, 3)], (10, 8), ICE)
    assert mask[:4].all()
    assert not mask[4:].any()


@pytest.mark.parametrize(
    "name", ["background", "_background_", "Background", "_BACKGROUND_ ", "__background__"]
)
def test_a_polygon_named_background_is_a_hole_in_what_was_drawn_before(name):
    """The rectangle has 31 x 23 pixels, the hole 11 x 11."""
    mask = draw_mask(Path("x"), [box("ice", 10, 8, 40, 30), box(name, 20, 14, 30, 24)], SHAPE, ICE)
    assert mask.sum() == 31 * 23 - 11 * 11
    assert not mask[14:25, 20:31].any()


def test_the_name_of_class_0_is_background_whatever_it_is():
    regions = [box("Ice", 10, 8, 40, 30), box("Water", 20, 14, 30, 24)]
    mask = draw_mask(Path("x"), regions, SHAPE, ("water", "ice"))
    assert mask.sum() == 31 * 23 - 11 * 11


@pytest.mark.parametrize("name", ["ignore", "__ignore__", "_ignore_", "Ignore"])
@pytest.mark.parametrize("classes", [ICE, CLASSES])
def test_a_polygon_named_ignore_is_255(name, classes):
    mask = draw_mask(Path("x"), [box(name, 20, 14, 30, 24)], SHAPE, classes)
    assert (mask == 255).sum() == 11 * 11


def test_a_class_that_is_called_ignore_is_that_class():
    assert class_index("Ignore", ("background", "ice", "Ignore")) == 2


def test_a_name_of_several_classes_in_other_case_is_none_of_them():
    assert class_index("ICE", ("background", "ice", "Ice")) is None
    assert class_index("Ice", ("background", "ice", "Ice")) == 2


def test_one_unknown_name_stands_for_the_second_of_two_classes():
    assert foreground_alias("x", ["boundary", "boundary", "background"], ICE) == "boundary"
    assert foreground_alias("x", ["ice", None, "_background_"], ICE) is None
    assert draw_mask("x", [box("boundary", 1, 1, 3, 3)], SHAPE, ICE, alias="boundary").sum() == 9


@pytest.mark.parametrize("names", [["ice", "dust"], ["crystal", "dust"], [None, "dust"]])
def test_unknown_names_that_mean_different_things_are_refused_with_the_option_that_helps(names):
    with pytest.raises(IcefloeError, match=r'labels named .*\'dust\'.*--classes "background,ice,.*dust"'):
        foreground_alias("x", names, ICE)


def test_an_unknown_class_is_refused_where_there_are_several():
    message = r"a\.json: unknown class 'dust'; known are background, crystal, crack"
    with pytest.raises(IcefloeError, match=message):
        draw_mask(Path("a.json"), [box("dust", 1, 1, 3, 3)], (5, 5), CLASSES)
    with pytest.raises(IcefloeError, match="a label without a class; known are background"):
        draw_mask(Path("a.json"), [box(None, 1, 1, 3, 3)], (5, 5), CLASSES)


@pytest.mark.parametrize(
    ("region", "message"),
    [
        (box("ice", 100, 100, 120, 120), "at x 100 to 120, y 100 to 120 lies outside the image of 80x64"),
        (box("ice", -9, 5, -1, 20), "lies outside the image"),
        (box("ice", 0.1, 0.08, 0.4, 0.3), "in fractions of the image's size"),
        (box("ice", 0, 0, 1, 1), "in fractions of the image's size"),
        (box("ice", 0, 0, 1e19, 1e19), "far outside the image of 80x64"),
        (box("ice", 0, 0, np.nan, 9), "not a finite number"),
        (Polygon("ice", np.empty((0, 2))), "an outline of 0 points encloses nothing"),
        (Polygon("ice", np.array([(3.0, 4.0)])), "an outline of 1 point encloses nothing"),
        (Polygon("ice", np.array([(3.0, 4.0), (9.0, 9.0)])), "an outline of 2 points encloses nothing"),
    ],
)
def test_an_outline_that_cannot_be_of_the_image_is_refused_with_the_cause(region: Region, message):
    with pytest.raises(IcefloeError) as error:
        draw_mask("a.json", [region], SHAPE, ICE)
    assert str(error.value).startswith("a.json: ")
    assert message in str(error.value)


def test_a_circle_of_no_radius_is_one_pixel():
    mask = draw_mask("x", [Polygon("ice", np.zeros((180, 2)))], (24, 32), ICE)
    assert mask.sum() == mask[0, 0] == 1


def test_a_single_pixel_in_the_corner_is_no_fraction():
    mask = draw_mask("x", [Polygon("ice", np.full((4, 2), 0.5))], SHAPE, ICE)
    assert mask.sum() == mask[0, 0] == 1
