"""Whatever a tool hands over: the queue refuses it in one line, or has what an independent reading has."""

import csv
import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icefloe.active.exchange.transfer import import_labels
from icefloe.active.items import NewItem, Purpose
from icefloe.active.queue import Queue
from icefloe.active.uploads import decode_png, encode_png
from icefloe.database.open import open_url
from icefloe.database.url import sqlite_url
from icefloe.errors import IcefloeError
from tests.icefloe.active.exchange.reference import label_studio_masks
from tests.icefloe.active.exchange.strategies import label_studio
from tests.icefloe.datasets import strategies
from tests.icefloe.datasets.reference import coco_masks, labelme_mask
from tests.icefloe.datasets.test_import_any_labels import assert_as_shown

SHAPE = strategies.SHAPE

Import = Callable[..., dict[str, np.ndarray] | None]


@pytest.fixture(scope="session")
def two_waiting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the database of a queue in which D/a and D/b wait."""
    folder = tmp_path_factory.mktemp("waiting")
    corner = np.zeros(SHAPE, np.uint8)
    corner[:2, :2] = 1
    purpose = Purpose("random", 0.5, 1, "drawn at random")
    Queue(open_url(sqlite_url(folder / "queue.db"))).add(
        NewItem("D", stem, "EA-T1", SHAPE, ("background", "ice"), purpose, encode_png(corner))
        for stem in "ab"
    )
    return folder


@pytest.fixture(scope="session")
def imported(two_waiting: Path) -> Import:
    """Masks by stem; None if the import was refused, which takes one line and leaves the queue as it was."""

    def run(format_name: str, files: dict[str, bytes], *, pack: bool = False) -> dict[str, np.ndarray] | None:
        with tempfile.TemporaryDirectory() as scratch:
            database, source = Path(scratch) / "database", Path(scratch) / "source"
            shutil.copytree(two_waiting, database)
            queue = Queue(open_url(sqlite_url(database / "queue.db")))
            before = queue.history()
            _write(source, files)
            if pack:
                source = Path(shutil.make_archive(str(source), "zip", source))
            elif list(files) == ["a.json"]:
                source = source / "a.json"
            try:
                labels = import_labels(queue, source, format_name, "Ana", accept_unchanged=True).labels
            except IcefloeError as error:
                message = str(error)
            else:
                stems = {item.id: item.stem for item in queue.items()}
                assert {label.id for label in queue.labels()} == {label.id for label in labels}
                return {stems[label.item_id]: decode_png(label.png) for label in labels}
            assert "\n" not in message
            assert len(message) < 900
            assert (queue.labels(), queue.refused_labels(), queue.history()) == ([], [], before)
            return None

    return run


def _write(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@given(st.data())
@settings(deadline=None)
def test_label_studio_exports_are_refused_or_read_as_published(imported, data):
    content = data.draw(label_studio())
    masks = imported("label-studio", {"a.json": data.draw(strategies.encoded(content))})
    if masks is not None:
        expected = label_studio_masks(content, SHAPE)
        assert masks.keys() == expected.keys()
        for stem, mask in masks.items():
            np.testing.assert_array_equal(mask, expected[stem])


@given(st.data(), st.booleans())
@settings(deadline=None)
def test_labelme_files_are_refused_or_read_as_pil_draws_them(imported, data, pack):
    content = data.draw(strategies.labelme())
    masks = imported("labelme", {"tasks/D/a.json": data.draw(strategies.encoded(content))}, pack=pack)
    if masks is not None:
        assert masks.keys() == {"a"}
        np.testing.assert_array_equal(masks["a"], labelme_mask(content, SHAPE))


@given(st.data())
@settings(deadline=None)
def test_coco_files_are_refused_or_read_as_pil_and_pycocotools_do(imported, data):
    content = data.draw(strategies.coco())
    masks = imported("coco", {"a.json": data.draw(strategies.encoded(content))})
    if masks is not None:
        expected = coco_masks(content, SHAPE)
        assert masks.keys() == expected.keys()
        for stem, mask in masks.items():
            np.testing.assert_array_equal(mask, expected[stem])


@given(strategies.mask_pngs(), strategies.mask_pngs(), st.booleans())
@settings(deadline=None)
def test_painted_masks_are_refused_or_read_as_a_viewer_shows_them(imported, first, second, pack):
    files = {"masks/D/a.png": first, "masks/D/b.png": second}
    masks = imported("png", files, pack=pack)
    for stem, png in (("a", first), ("b", second)) if masks is not None else ():
        assert_as_shown(masks[stem], png)


CELLS = st.sampled_from(
    ["D", "a", "b", "c", "", "Bea", "2026-03-01", "noon", "9", "-1", "nan", "1e9", ";", '"', "\n", "\0"]
)


@given(st.lists(st.lists(CELLS, max_size=10), max_size=3), st.sampled_from(",;\t|"), st.booleans())
@settings(deadline=None)
def test_tables_of_any_content_never_crash_the_import(imported, rows, separator, heading):
    text = io.StringIO(newline="")
    table = csv.writer(text, delimiter=separator)
    names = ["dataset", "stem", "author", "time", "seconds"]
    table.writerows([names, *rows] if heading else rows)
    imported(
        "png",
        {"masks/D/a.png": encode_png(np.eye(*SHAPE, dtype=np.uint8)), "items.csv": text.getvalue().encode()},
    )


FILES = st.sampled_from(["a.json", "masks/D/a.png", "items.csv", "D/a.json"])
FORMAT_NAMES = st.sampled_from(["label-studio", "coco", "labelme", "png"])
JSON_BYTES = strategies.values.map(lambda value: json.dumps(value).encode(errors="surrogatepass"))


@given(FORMAT_NAMES, FILES, st.binary(max_size=60) | JSON_BYTES)
@settings(deadline=None)
def test_any_bytes_and_any_json_are_no_labels(imported, format_name, name, content):
    assert not imported(format_name, {name: content})


@given(st.data())
@settings(deadline=None)
def test_a_damaged_zip_is_refused_or_read_whole(imported, two_waiting, data):
    content = json.dumps(
        {"shapes": [{"label": "ice", "points": [[3, 3], [9, 3], [9, 9]]}], "imagePath": "a.png"}
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tasks/D/a.json", content)
    damaged = bytearray(packed.getvalue())
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    masks = imported("labelme", {"a.json": bytes(damaged)})
    if masks is not None:
        np.testing.assert_array_equal(masks["a"], labelme_mask(json.loads(content), SHAPE))


@pytest.mark.parametrize("name", ["label-studio", "labelme", "coco", "png"])
def test_the_strategies_make_exports_that_are_accepted_and_others_that_are_refused(imported, name):
    makers: dict[str, st.SearchStrategy[Any]] = {
        "label-studio": label_studio(),
        "labelme": strategies.labelme(),
        "coco": strategies.coco(),
        "png": strategies.mask_pngs(),
    }
    outcomes: list[bool] = []

    @given(makers[name])
    @settings(deadline=None, max_examples=100, database=None, derandomize=True)  # a ratio, so no luck
    def collect(content: Any) -> None:
        file = "masks/a.png" if name == "png" else "D/a.json"
        encoded = (
            content if isinstance(content, bytes) else json.dumps(content).encode(errors="surrogatepass")
        )
        outcomes.append(bool(imported(name, {file: encoded})))

    collect()
    assert 5 <= sum(outcomes) <= len(outcomes) - 5
