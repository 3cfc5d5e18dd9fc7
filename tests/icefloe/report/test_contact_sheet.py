"""The contact sheet of an import: what stands beside each picture is true, and what differs is marked."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from icefloe.datasets.dataset import Dataset
from icefloe.datasets.importer import import_folder
from icefloe.datasets.labels import write_mask
from icefloe.report.contact_sheet import IGNORED, OUTLINE, SIDE, contrast, thumbnail, write_contact_sheet
from icefloe.settings import Settings
from icefloe.workflow.data import import_images


def _write(folder: Path, stem: str, bright: bool, rng: np.random.Generator, unit: str = "nm") -> None:
    rows, columns = np.mgrid[:60, :80]
    disc = np.hypot(rows - 30, columns - 50) < 12
    image = 1000 + (400 if bright else -400) * disc + rng.normal(0, 20, disc.shape)
    scale = {"imagej": True, "resolution": (2, 2), "metadata": {"unit": unit}}
    tifffile.imwrite(folder / f"{stem}.tif", image.astype(np.uint16), **scale)
    write_mask(folder / f"{stem}_mask.png", disc.astype(np.uint8))


@pytest.fixture
def folder(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Three images with bright ice and one with dark ice, of which one has no scale."""
    folder = tmp_path / "from"
    folder.mkdir()
    for number in range(4):
        _write(folder, f"ice_{number}", bright=number != 2, rng=rng, unit="pixel" if number == 1 else "nm")
    return folder


@pytest.fixture
def dataset(folder: Path, tmp_path: Path) -> Dataset:
    return import_folder(folder, "D7", tmp_path / "data").dataset


def _figures(page: str) -> dict[str, str]:
    figures = re.findall(r"<figure.*?</figure>", page, re.DOTALL)
    return {re.search(r"<strong>(.*?)</strong>", figure)[1]: figure for figure in figures}


def test_every_image_has_its_size_pixel_size_and_sense_of_brightness(dataset, tmp_path):
    page = write_contact_sheet(dataset, tmp_path / "reports" / "import-D7.html").read_text(encoding="utf-8")
    figures = _figures(page)
    assert list(figures) == [f"ice_{number}" for number in range(4)]
    for name, figure in figures.items():
        assert "80 x 60 px" in figure
        assert "uint16, " in figure
        assert ("0.5 nm a pixel" in figure) == (name != "ice_1")
        assert ("darker than the rest" in figure) == (name == "ice_2")
        assert ("brighter than the rest" in figure) == (name != "ice_2")
        assert "ice: 9.1 % of the image" in figure  # 437 of 4800 px


def test_images_that_differ_from_most_are_marked(dataset, tmp_path):
    figures = _figures(write_contact_sheet(dataset, tmp_path / "a.html").read_text(encoding="utf-8"))
    marked = {name: re.findall(r"differs in ([^<]*)<", figure) for name, figure in figures.items()}
    assert marked == {"ice_0": [], "ice_1": ["pixel size"], "ice_2": ["brightness"], "ice_3": []}


def test_the_page_needs_no_other_file(dataset, tmp_path):
    page = write_contact_sheet(dataset, tmp_path / "a.html").read_text(encoding="utf-8")
    addresses = re.findall(r'(?:src|href)="([^"]{0,40})', page)
    assert len(addresses) == 4
    assert all(address.startswith("data:image/jpeg;base64,") for address in addresses)


def test_a_small_picture_shows_the_outline_where_the_class_begins():
    mask = np.zeros((120, 240), np.uint8)
    mask[:, 120:] = 1
    mask[:60, 200:] = 255
    image = np.tile(np.linspace(0, 100, 240, dtype=np.float32), (120, 1))
    address = thumbnail(image, mask)
    picture = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))
    pixels = np.asarray(picture).astype(int)
    assert picture.size == (SIDE, 120)
    assert np.abs(pixels[90, 119:121] - OUTLINE).max() < 60
    assert np.abs(pixels[30, 200] - IGNORED).max() < 60
    assert np.abs(np.diff(pixels[60, 40])).max() < 12  # grey elsewhere


def test_contrast_is_none_where_one_side_is_empty(rng):
    image = rng.normal(size=(4, 4)).astype(np.float32)
    everywhere = np.ones((4, 4), np.bool_)
    assert contrast(image, everywhere, everywhere) is None
    assert contrast(image, ~everywhere, everywhere) is None


def test_importing_writes_the_sheet_and_says_where(folder, tmp_path):
    settings = Settings(workspace=tmp_path / "workspace")
    imported = import_images(settings, folder, "D7")
    assert imported.contact_sheet == tmp_path / "workspace" / "reports" / "import-D7.html"
    assert imported.contact_sheet.is_file()
    assert imported.sentences()[-1] == f"Look at every image and its outline: {imported.contact_sheet}"


def test_an_image_without_a_label_says_so(tmp_path, rng):
    folder = tmp_path / "plain"
    folder.mkdir()
    _write(folder, "a", bright=True, rng=rng)
    (folder / "a_mask.png").unlink()
    dataset = import_folder(folder, "D8", tmp_path / "data").dataset
    assert "no label" in write_contact_sheet(dataset, tmp_path / "a.html").read_text(encoding="utf-8")
