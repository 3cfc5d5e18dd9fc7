"""Masks through files of every format and back: of several classes, with ignored pixels."""

import json
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools.coco import COCO

from icefloe.active.exchange.formats import Outgoing
from icefloe.active.exchange.known import Known
from icefloe.active.exchange.sources import open_source
from icefloe.active.exchange.transfer import FORMATS, exchange_format
from icefloe.active.items import Item, Purpose
from icefloe.datasets.readers import read_image, read_metadata
from icefloe.errors import IcefloeError

CLASSES = ("background", "ice", "gas")
NAMES = (*CLASSES[1:], "ignore")
VALUES = (1, 2, 255)
masks = hnp.arrays(
    np.uint8,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=14),
    elements=st.sampled_from([0, *VALUES]),
    fill=st.just(0),
)


def outgoing(mask: np.ndarray, stem: str = "stack_1") -> Outgoing:
    purpose = Purpose("random", 0.5, 1, "drawn at random", 0.03)
    state = {"state": "waiting", "has_presegmentation": True, "label_id": None, "data_version": None}
    item = Item(
        1, "D3", stem, "EA-T1", mask.shape, CLASSES, purpose, leased_to=None, lease_expires=None, **state
    )
    image = np.linspace(-3.5, 4000.25, mask.size, dtype=np.float32).reshape(mask.shape)
    return Outgoing(item, image, mask, pixel_size_nm=0.25)


def written(format_name: str, one: Outgoing, folder: Path) -> Path:
    exchange_format(format_name).write([one], folder)
    if not format_name.startswith("label-studio"):
        single = folder / "annotations.json"
        return single if single.is_file() else folder
    tasks = json.loads((folder / "tasks.json").read_text())
    for task in tasks:  # somebody submits each prediction as it is
        task["annotations"] = [{"result": task["predictions"][0]["result"], "completed_by": 1}]
    (folder / "tasks.json").write_text(json.dumps(tasks))
    return folder / "tasks.json"


def back(format_name: str, mask: np.ndarray) -> np.ndarray:
    one = outgoing(mask)
    with tempfile.TemporaryDirectory() as folder:
        path = written(format_name, one, Path(folder))
        reading = exchange_format(format_name).read(open_source(path), Known([one.item]))
    (label,) = reading.labels
    return label.mask


@pytest.mark.parametrize("format_name", ["label-studio", "coco-rle", "ome-tiff", "png"])
def test_what_goes_out_pixel_for_pixel_comes_back_so(format_name):
    @given(masks.filter(np.any))
    @settings(max_examples=25, deadline=None)
    def round_trip(mask):
        if format_name == "png" and not {1, 2} & set(mask.flat):
            mask[0, 0] = 1  # black and white alone mean background and a class there
        np.testing.assert_array_equal(back(format_name, mask), mask)

    round_trip()


@pytest.mark.parametrize("format_name", ["label-studio-polygons", "coco", "labelme"])
def test_outlines_come_back_as_they_are_known_to(format_name):
    chosen = exchange_format(format_name)

    @given(masks.filter(np.any))
    @settings(max_examples=25, deadline=None)
    def round_trip(mask):
        expected = mask if format_name.startswith("label-studio") else chosen.as_exported(mask, CLASSES)
        found = back(format_name, mask)
        if format_name.startswith("label-studio"):  # within half a pixel of the border
            changed = found != expected
            inner = np.pad(mask, 1, mode="edge")
            neighbours = [np.roll(inner, shift, axis)[1:-1, 1:-1] for axis in (0, 1) for shift in (-1, 1)]
            assert not (changed & np.all([each == mask for each in neighbours], axis=0)).any()
        else:
            np.testing.assert_array_equal(found, expected)

    round_trip()


def disks() -> np.ndarray:
    rows, columns = np.mgrid[:96, :128]
    mask = np.zeros((96, 128), np.uint8)
    mask[np.hypot(rows - 40, columns - 40) < 30] = 1
    mask[np.hypot(rows - 40, columns - 40) < 12] = 0  # a hole
    mask[np.hypot(rows - 60, columns - 95) < 25] = 2
    mask[np.hypot(rows - 60, columns - 95) < 8] = 255
    return mask


def by_pycocotools(path: Path) -> dict[str, np.ndarray]:
    file = COCO(str(path))
    found = {}
    for number, category in file.cats.items():
        parts = [file.annToMask(entry) for entry in file.loadAnns(file.getAnnIds(catIds=[number]))]
        found[category["name"]] = np.any(parts, axis=0) if parts else np.zeros((96, 128), bool)
    return found


def test_pycocotools_reads_our_run_lengths_pixel_for_pixel(tmp_path):
    found = by_pycocotools(written("coco-rle", outgoing(disks()), tmp_path))
    for name, value in zip(NAMES, VALUES, strict=True):
        np.testing.assert_array_equal(found[name], disks() == value)
    areas = [
        entry["area"] for entry in json.loads((tmp_path / "annotations.json").read_text())["annotations"]
    ]
    assert areas == [(disks() == value).sum() for value in VALUES]


def test_pycocotools_reads_our_outlines_up_to_the_border(tmp_path):
    """It counts half the pixels that an outline passes through, and a cut to a hole not at all."""
    found = by_pycocotools(written("coco", outgoing(disks()), tmp_path))
    for name, value in zip(NAMES, VALUES, strict=True):
        true = disks() == value
        assert 2 * (found[name] & true).sum() / (found[name].sum() + true.sum()) > 0.9


def test_ome_tiffs_hold_the_images_own_values_and_the_pixel_size(tmp_path):
    one = outgoing(disks())
    written("ome-tiff", one, tmp_path)
    for folder in ("images", "masks"):
        path = tmp_path / folder / "D3" / "stack_1.ome.tif"
        assert read_metadata(path).pixel_size_nm == 0.25
        with tifffile.TiffFile(path) as tiff:
            assert tiff.is_ome
    np.testing.assert_array_equal(read_image(tmp_path / "images/D3/stack_1.ome.tif"), one.image)


@pytest.mark.parametrize("stem", ["stack_1", "a.ome", "b.c"])
@pytest.mark.parametrize("name", ["masks/D3/{}.ome.tif", "masks/D3/{}.tif", "{}.TIFF"])
def test_a_mask_is_known_however_it_is_named_and_packed(tmp_path, stem, name):
    one = outgoing(disks(), stem)
    tifffile.imwrite(tmp_path / "saved.tif", one.premask, imagej=True)  # as Fiji saves
    with zipfile.ZipFile(tmp_path / "labels.zip", "w") as archive:
        archive.write(tmp_path / "saved.tif", name.format(stem))
    reading = exchange_format("ome-tiff").read(open_source(tmp_path / "labels.zip"), Known([one.item]))
    np.testing.assert_array_equal(reading.labels[0].mask, one.premask)
    assert reading.notes == [f"D3/{stem}: {(one.premask == 255).sum()} pixels of 255 are taken as ignore."]


@pytest.mark.parametrize(
    ("saved", "words"),
    [
        (disks().T, "mask is 96x128 but the image is 128x96. Export the mask at the image's size."),
        (disks() * np.uint8(3), "pixels are of no class (grey levels 3, 6"),
        (disks() / 2, "values other than whole numbers from 0 to 255"),
        (np.stack([disks()] * 2), "a mask must be one image"),
    ],
)
def test_a_tiff_that_is_no_mask_of_the_image_is_refused_by_its_own_name(tmp_path, saved, words):
    tifffile.imwrite(tmp_path / "saved.tif", saved, photometric="minisblack")
    with zipfile.ZipFile(tmp_path / "labels.zip", "w") as archive:
        archive.write(tmp_path / "saved.tif", "masks/D3/stack_1.tif")
    with pytest.raises(IcefloeError) as error:
        exchange_format("ome-tiff").read(
            open_source(tmp_path / "labels.zip"), Known([outgoing(disks()).item])
        )
    assert words in str(error.value)
    assert "labels.zip: masks/D3/stack_1.tif" in str(error.value)
    assert tempfile.gettempdir() + "/icefloe-" not in str(error.value)


def test_every_format_has_a_round_trip_here():
    exact = {"label-studio", "coco-rle", "ome-tiff", "png"}
    assert set(FORMATS) == exact | {"label-studio-polygons", "coco", "labelme"}
