"""Images: read in any format, never written, refused with a remedy."""

import os

import numpy as np
import pytest
import tifffile
from PIL import Image

from icefloe.errors import IcefloeError
from icefloe.fewshot.source import checked, image_hash, read_picture
from icefloe.files import sha256_file


def test_a_16_bit_tiff_keeps_its_values_and_its_file(tmp_path, rng):
    path = tmp_path / "a.tif"
    values = rng.integers(0, 60_000, (20, 30)).astype(np.uint16)
    tifffile.imwrite(path, values)
    before = sha256_file(path)

    picture = read_picture(path)

    np.testing.assert_array_equal(picture.image, values)
    assert picture.reference.name == "a.tif"
    assert (picture.reference.height, picture.reference.width) == (20, 30)
    assert picture.notes == ()
    assert sha256_file(path) == before


@pytest.mark.parametrize(
    "name",
    [
        "rosettasciio/tiff/test_loading_image_saved_with_DM.tif",
        "rosettasciio/digitalmicrograph/2D/test_STEM_image.dm3",
        "openNCEM/dmTest_float32_nonSquare_diffPixelSize.dm4",
    ],
)
def test_real_containers_load(real_data, name):
    path = real_data / "containers" / name
    picture = read_picture(path)
    assert picture.image.dtype == np.float32
    assert picture.image.shape == (picture.reference.height, picture.reference.width)


def test_a_jpeg_that_is_named_png_loads_with_a_note(real_data):
    picture = read_picture(real_data / "fewshot-chips" / "fig2_b" / "LaO.png")
    assert picture.image.shape == (790, 787)
    assert picture.notes[0].startswith("LaO.png: a JPEG inside, whatever its name says")


def test_the_hash_is_of_the_pixels_not_of_the_file(tmp_path, rng):
    values = rng.integers(0, 255, (20, 30)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", values)
    Image.fromarray(values).save(tmp_path / "b.png")
    one, other = (read_picture(tmp_path / name).reference.sha256 for name in ("a.tif", "b.png"))
    assert one == other
    assert image_hash(values.astype(np.float32).T) != one


def test_one_frame_of_a_stack_must_be_named(tmp_path, rng):
    path = tmp_path / "a.tif"
    stack = rng.normal(size=(3, 20, 30)).astype(np.float32)
    tifffile.imwrite(path, stack, photometric="minisblack")

    with pytest.raises(IcefloeError, match="a stack of 3 frames where one image is meant"):
        read_picture(path)
    with pytest.raises(IcefloeError, match="no frame 3, it has 0 to 2"):
        read_picture(path, 3)
    np.testing.assert_array_equal(read_picture(path, 2).image, stack[2])


def test_colour_is_refused_with_the_remedy(tmp_path, rng):
    Image.fromarray(rng.integers(0, 255, (20, 30, 3)).astype(np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(IcefloeError, match=r"a colour picture .* Export the detector's own grey values"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("image", "refusal"),
    [
        (np.full((8, 8), 7, np.float32), "All pixels of the image have the value 7"),
        (np.array([[1, np.nan], [2, np.inf]], np.float32), "2 pixels of the image are NaN or infinite"),
        (np.zeros((8, 8, 3), np.float32), r"shape \(8, 8, 3\) is no grey image"),
    ],
)
def test_arrays_with_nothing_to_classify_are_refused(image, refusal):
    with pytest.raises(IcefloeError, match=refusal):
        checked(image)


def test_a_missing_and_a_damaged_file_are_refused(tmp_path):
    with pytest.raises(IcefloeError, match="no such file"):
        read_picture(tmp_path / "a.tif")
    (tmp_path / "b.tif").write_bytes(os.urandom(200))
    with pytest.raises(IcefloeError, match=r"b\.tif: "):
        read_picture(tmp_path / "b.tif")
