"""What a training is planned from: number of labels, size of images, width of what they show."""

import numpy as np
import pytest
from skimage.draw import disk

from icefloe.datasets.fingerprint import count_objects, fingerprint, typical_width
from icefloe.errors import IcefloeError


@pytest.mark.parametrize("width", [2, 5, 10, 40])
def test_a_strip_is_as_wide_as_it_is_drawn(width):
    region = np.zeros((200, 300), bool)
    region[80 : 80 + width] = True

    assert typical_width(region) == pytest.approx(width, abs=0.6)


def test_a_disc_counts_as_two_thirds_of_its_diameter():
    region = np.zeros((200, 200), bool)
    region[disk((100, 100), 60)] = True

    assert typical_width(region) == pytest.approx(80, rel=0.05)


def test_one_thin_line_beside_a_blob_does_not_hide_in_it():
    blob, line = np.zeros((2, 200, 200), bool)
    blob[disk((100, 100), 40)] = True
    line[20:23] = True

    assert typical_width(line) < 4 < typical_width(blob | line) < typical_width(blob)


def test_a_class_that_covers_the_image_is_as_wide_as_the_image():
    assert typical_width(np.ones((30, 50), bool)) == 50


def test_parts_of_a_class_are_its_objects_but_specks_are_none():
    region = np.zeros((200, 200), bool)
    for row, column in ((40, 40), (40, 120), (140, 60)):
        region[disk((row, column), 20)] = True
    region[disk((150, 150), 4)] = True

    assert count_objects(region) == 3
    assert count_objects(np.zeros((5, 5), bool)) == 0


def test_labelled_images_are_counted_and_measured(make_dataset):
    found = fingerprint([make_dataset("D1"), make_dataset("D2", labelled=range(3))])

    assert (found.datasets, found.n_labelled) == ({"D1": 10, "D2": 3}, 13)
    assert (found.largest, found.pixel_sizes_nm) == ((48, 64), {"D1": None, "D2": None})
    assert [one.name for one in found.classes] == ["ice"]
    assert 0.05 < found.classes[0].share < 0.4
    assert found.classes[0].n_objects == 13  # a disc an image
    assert found.finest.width == pytest.approx(2 / 3 * 26, rel=0.2)  # the discs' median diameter is 26


def test_without_a_label_nothing_is_planned(make_dataset):
    with pytest.raises(IcefloeError, match=r"D1: no image has a label.*Label five or more\."):
        fingerprint([make_dataset("D1", labelled=range(0))])
