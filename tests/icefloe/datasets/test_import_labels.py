"""Which pixels of an imported image are of which class, and what is refused because nobody could tell."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from icefloe.datasets.importer import ImportResult, import_folder
from icefloe.errors import IcefloeError

SHAPE = (64, 80)
BLOCK = (slice(8, 31), slice(10, 41))
OUTLINE = [[10, 8], [40, 8], [40, 30], [10, 30]]
HOLE = [[20, 14], [30, 14], [30, 24], [20, 24]]


def block(value: int = 1, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    mask[BLOCK] = value
    return mask


@pytest.fixture
def mine(tmp_path: Path, rng: np.random.Generator) -> Path:
    """A folder of two images of 80x64."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for stem in "ab":
        Image.fromarray(rng.integers(0, 99, SHAPE, dtype=np.uint8)).save(folder / f"{stem}.png")
    return folder


def run(mine: Path, **options: Any) -> ImportResult:
    return import_folder(mine, "D1", mine.parent / "data", author="Ana", **options)


def mask_of(mine: Path, **options: Any) -> np.ndarray:
    return run(mine, **options).dataset.samples[0].mask()


def labelme(mine: Path, *shapes: tuple[str | None, Any], **changes: Any) -> None:
    content = {
        "shapes": [{"label": label, "points": points, "shape_type": "polygon"} for label, points in shapes],
        "imagePath": "a.png",
        "imageHeight": SHAPE[0],
        "imageWidth": SHAPE[1],
    }
    (mine / "a.json").write_text(json.dumps(content | changes))


@pytest.mark.parametrize("name", ["_background_", "background", "Background"])
def test_a_hole_drawn_as_background_is_a_hole(mine, name):
    labelme(mine, ("ice", OUTLINE), (name, HOLE))
    mask = mask_of(mine)
    assert mask.sum() == 592
    assert not mask[14:25, 20:31].any()


def test_an_image_outlined_as_background_is_labelled_as_background(mine):
    labelme(mine, ("background", OUTLINE))
    assert mask_of(mine).max() == 0


def test_what_is_named_ignore_counts_nowhere(mine):
    labelme(mine, ("ice", OUTLINE), ("__ignore__", HOLE))
    assert (mask_of(mine) == 255).sum() == 121


def test_one_name_that_is_no_class_is_the_second_and_that_is_told(mine):
    labelme(mine, ("boundary", OUTLINE))
    result = run(mine)
    np.testing.assert_array_equal(result.dataset.samples[0].mask(), block())
    assert result.notes == ("Outlines named 'boundary' are taken as 'ice'.",)


def test_outlines_beyond_the_image_are_cut_off_and_that_is_told(mine):
    labelme(mine, ("ice", [[-20, 8], [10, 8], [10, 30], [-20, 30]]))
    result = run(mine)
    assert result.dataset.samples[0].mask().sum() == 11 * 23
    assert result.notes == ("With outlines beyond the image, cut off at its edge: a.",)


def test_masks_of_0_1_and_of_0_255_in_one_folder_are_both_class_1(mine):
    Image.fromarray(block(255)).save(mine / "a_mask.png")
    Image.fromarray(block(1)).save(mine / "b_mask.png")
    for sample in run(mine).dataset.samples:
        np.testing.assert_array_equal(sample.mask(), block())


def test_a_palette_mask_with_white_first_is_read_as_a_viewer_shows_it(mine):
    picture = Image.fromarray(1 - block())
    picture.putpalette([255, 255, 255, 0, 0, 0])
    picture.save(mine / "a_mask.png")
    np.testing.assert_array_equal(mask_of(mine), block())


def test_a_third_class_is_answered_with_the_option_that_names_it(mine):
    Image.fromarray(block(2)).save(mine / "a_mask.png")
    with pytest.raises(IcefloeError, match=r'a_mask\.png: mask has .*--classes "background,ice,NAME2"\.'):
        run(mine)
    np.testing.assert_array_equal(mask_of(mine, classes=["background", "ice", "dust"]), block(2))


def _white(mine: Path) -> None:
    Image.fromarray(np.full(SHAPE, 255, np.uint8)).save(mine / "a_mask.png")
    Image.fromarray(np.ones(SHAPE, np.uint8)).save(mine / "b_mask.png")


def _two_names(mine: Path) -> None:
    labelme(mine, ("ice", OUTLINE), ("water", HOLE))


def _outside(mine: Path) -> None:
    labelme(mine, ("ice", [[100, 100], [120, 100], [120, 120]]))


def _fractions(mine: Path) -> None:
    labelme(mine, ("ice", [[0.1, 0.08], [0.4, 0.08], [0.4, 0.3]]))


def _other_size(mine: Path) -> None:
    labelme(mine, ("ice", OUTLINE), imageHeight=128, imageWidth=160)


def _turned(mine: Path) -> None:
    labelme(mine, ("ice", OUTLINE), imageHeight=80, imageWidth=64)


def _percent(mine: Path) -> None:
    for stem in "ab":
        Image.fromarray(np.random.default_rng(0).integers(0, 99, (300, 400), np.uint8)).save(
            mine / f"{stem}.png"
        )
    labelme(mine, ("ice", [[0, 0], [100, 0], [100, 100]]), imageHeight=300, imageWidth=400)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            _white,
            "a_mask.png: the mask is 255 all over, which may be class 1, or ignored. Write class 1 as 1.",
        ),
        (_two_names, "mine: labels named 'water', but the classes are background, ice."),
        (_outside, "a.json: an outline at x 100 to 120, y 100 to 120 lies outside the image of 80x64."),
        (_fractions, "a.json: an outline in fractions of the image's size (0 to 1), which are not pixels."),
        (_other_size, "a.json: mask is 160x128 but the image is 80x64."),
        (_turned, "a.json: mask is 64x80 but the image is 80x64."),
        (_percent, "a.json: all outlines lie within 100x100 pixels of larger images, so they are in percent"),
    ],
)
def test_labels_that_could_mean_something_else_are_refused_and_nothing_is_written(mine, spoil, message):
    spoil(mine)
    with pytest.raises(IcefloeError) as error:
        run(mine)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert not list((mine.parent / "data").glob("*"))


def test_outlines_are_laid_on_the_image_as_viewers_turn_it(mine):
    """A phone's or a scanner's JPEG, of which viewers, label tools and Icefloe show the turned pixels."""
    exif = Image.Exif()
    exif[0x0112] = 6
    (mine / "a.png").unlink()
    bright = 40 + 200 * block()
    stored = np.rot90(bright)
    Image.fromarray(stored.astype(np.uint8)).save(mine / "a.jpg", exif=exif, quality=95)
    labelme(mine, ("ice", OUTLINE))
    sample = run(mine).dataset.samples[0]
    image, mask = sample.image(), sample.mask()
    assert image.shape == SHAPE
    assert np.median(image[mask == 1]) == 240
    assert np.median(image[mask == 0]) == 40
    assert np.corrcoef(image.ravel(), mask.ravel())[0, 1] > 0.99
