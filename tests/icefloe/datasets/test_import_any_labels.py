"""Whatever a label file holds: import refuses it in one line, or reads it as others do, pixel for pixel."""

import io
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from scipy import ndimage

from icefloe.datasets.importer import import_folder
from icefloe.errors import IcefloeError
from tests.icefloe.datasets import strategies
from tests.icefloe.datasets.reference import coco_masks, labelme_mask

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:pycocotools")

SHAPE = strategies.SHAPE
IMAGES = {
    stem: Image.fromarray(np.random.default_rng(ord(stem)).integers(0, 255, SHAPE, dtype=np.uint8))
    for stem in "ab"
}


def imported(files: dict[str, bytes]) -> dict[str, np.ndarray] | None:
    """Masks by stem; None if the import was refused, which must take one line and leave nothing."""
    with tempfile.TemporaryDirectory() as scratch:
        source, data = Path(scratch) / "mine", Path(scratch) / "data"
        source.mkdir()
        for stem, image in IMAGES.items():
            image.save(source / f"{stem}.png", compress_level=0)
        for name, content in files.items():
            (source / name).write_bytes(content)
        try:
            dataset = import_folder(source, "D1", data).dataset
        except IcefloeError as error:
            message = str(error)
        else:
            return {sample.stem: sample.mask() for sample in dataset.labelled}
        assert "\n" not in message
        assert len(message) < 700
        assert not list(data.glob("*"))
        return None


def assert_within_a_pixel(mask: np.ndarray, other: np.ndarray) -> None:
    """Where two masks differ, both values are within a pixel: outlines are drawn with other edges."""
    near = np.ones((3, 3), bool)
    for value in np.unique(mask[mask != other]):
        assert ndimage.binary_dilation(other == value, near)[(mask == value) & (mask != other)].all()


@given(st.data())
@settings(deadline=None)
def test_labelme_files_are_refused_or_read_as_pil_draws_them(data):
    content = data.draw(strategies.labelme())
    masks = imported({"a.json": data.draw(strategies.encoded(content))})
    if masks:
        np.testing.assert_array_equal(masks["a"], labelme_mask(content, SHAPE))
        assert masks.keys() == {"a"}


@given(st.data())
@settings(deadline=None)
def test_coco_files_are_refused_or_read_as_pil_and_pycocotools_do(data):
    content = data.draw(strategies.coco())
    masks = imported({"all.json": data.draw(strategies.encoded(content))})
    if masks:
        expected = coco_masks(content, SHAPE)
        assert masks.keys() == expected.keys() & IMAGES.keys()
        for stem, mask in masks.items():
            np.testing.assert_array_equal(mask, expected[stem])


@given(st.data())
@settings(deadline=None)
def test_two_label_files_of_any_content_never_crash_the_import(data):
    names = st.sampled_from(["a.json", "b.json", "all.json", "a_label.json", "x.JSON"])
    contents = st.one_of(strategies.labelme(), strategies.coco(), strategies.values)
    files = data.draw(st.dictionaries(names, contents, max_size=3))
    imported({name: json.dumps(content).encode(errors="surrogatepass") for name, content in files.items()})


@given(st.binary(max_size=60))
@settings(deadline=None)
def test_bytes_that_are_called_labels_are_refused_or_left_out(content):
    for name in ("a.json", "a_mask.png", "a_mask.npy", "a_mask.tif"):
        assert not imported({name: content})


@given(strategies.mask_pngs(), strategies.mask_pngs())
@settings(deadline=None)
def test_masks_are_refused_or_read_as_a_viewer_shows_them(first, second):
    masks = imported({"a_mask.png": first, "b_mask.png": second})
    for stem, png in (("a", first), ("b", second)) if masks is not None else ():
        assert_as_shown(masks[stem], png)


def assert_as_shown(mask: np.ndarray, png: bytes) -> None:
    """Black is class 0 and nothing else but it; a colour has one class; low grey levels are their class."""
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(png)))
    if picture.mode.startswith("I"):
        grey = np.asarray(picture)
        shown = np.repeat(np.where(grey == 65535, 255, grey)[..., None], 3, axis=2)
    else:
        shown = np.asarray(picture.convert("RGB")).astype(int)
        shown = np.minimum(shown, 255)
        if picture.mode == "1":
            shown = np.where(shown == 255, 1, shown)
    is_black = (shown == 0).all(axis=2)
    np.testing.assert_array_equal(mask == 0, is_black)
    if (shown == shown[..., :1]).all() and picture.mode != "P":
        grey = shown[..., 0]
        low = (grey > 0) & (grey < 255)
        np.testing.assert_array_equal(mask[low], grey[low])
    white = (shown == 255).all(axis=2)
    assert len(np.unique(mask[white])) <= 1
    assert not np.isin(mask[white], [0]).any()


@pytest.mark.parametrize("name", ["labelme", "coco", "mask_pngs"])
def test_the_strategies_make_labels_that_are_accepted_and_labels_that_are_refused(name):
    outcomes: list[bool] = []

    @given(getattr(strategies, name)())
    @settings(deadline=None, max_examples=60, database=None)
    def collect(content: Any) -> None:
        file = "a_mask.png" if name == "mask_pngs" else "a.json" if name == "labelme" else "all.json"
        outcomes.append(
            bool(imported({file: content if isinstance(content, bytes) else json.dumps(content).encode()}))
        )

    collect()
    assert 5 <= sum(outcomes) <= len(outcomes) - 5


def test_polygons_differ_by_no_more_than_a_pixel_from_what_labelme_itself_draws(rng):
    for _ in range(50):
        turns = np.linspace(0, 2 * np.pi, 12, endpoint=False)
        around = np.stack([np.cos(turns), np.sin(turns)], axis=1) * rng.uniform(5, 11, (12, 1))
        outline = (around + np.array([16, 12])).tolist()
        content = {"shapes": [{"label": "ice", "points": outline}], "imagePath": "a.png"}
        masks = imported({"a.json": json.dumps(content).encode()})
        assert masks
        assert_within_a_pixel(masks["a"], labelme_mask(content, SHAPE, edges=False))
