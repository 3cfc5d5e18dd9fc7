"""Images and datasets of odd names go through import, version and snapshot; the rest is refused."""

import os
import shutil
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import tifffile

from icefloe.datasets.dataset import Dataset, load_datasets
from icefloe.datasets.importer import import_folder
from icefloe.datasets.labels import write_mask
from icefloe.datasets.versions import commit, diff, snapshot
from icefloe.errors import IcefloeError

STEMS = (
    *(
        "T=-12°C_001",
        "-12C_002",
        "50%_x",
        "ice & water",
        "[Ceta] 0001",
        "(1)",
        "x..y",
        "a.b.c",
        "it's",
        "run#3",
    ),
    *("µm_5", "氷_1", "a b", "12:30?", "[b]", "{x}", "~1"),
)


def write(folder: Path, stem: str, suffix: str = ".tif") -> Path:
    folder.mkdir(exist_ok=True)
    mask = np.zeros((48, 64), np.uint8)
    mask[10 : 20 + len(stem), 10:30] = 1
    image = folder / f"{stem}{suffix}"
    tifffile.imwrite(
        image, (1000 + np.uint16(800) * mask + np.arange(64, dtype=np.uint16)), photometric="minisblack"
    )
    write_mask(folder / f"{stem}_mask.png", mask)
    return image


@pytest.fixture
def odd(tmp_path) -> Path:
    for stem in STEMS:
        write(tmp_path / "odd", stem)
    return tmp_path / "odd"


@pytest.mark.parametrize("name", ["D 9", "-12°C = [a] 50%"])
def test_odd_names_go_through_import_version_and_snapshot(workspace, odd, tmp_path, name):
    first = commit(workspace, "first")
    dataset = import_folder(odd, name, workspace / "data", author="Ada").dataset
    assert {sample.stem for sample in dataset.labelled} == set(STEMS)
    second = commit(workspace, "odd")
    assert set(diff(workspace, first.rev, second.rev).labels_added) == {f"{name}/{stem}" for stem in STEMS}
    snapshot(workspace, [name], None, tmp_path / "tree")
    (workspace / "data" / "D1" / "images" / "stack_1.tif").unlink()
    snapshot(workspace, [name], None, tmp_path / "cache")
    for copy in ("tree", "cache"):
        copied = load_datasets(tmp_path / copy)[name]
        assert {sample.stem: sample.mask().sum() for sample in copied.labelled} == {
            sample.stem: sample.mask().sum() for sample in dataset.labelled
        }


def test_accents_are_composed_wherever_the_folder_comes_from(workspace, tmp_path):
    stem = "Öl_é"
    apart = unicodedata.normalize("NFD", stem)
    write(tmp_path / "mac", apart)
    (tmp_path / "mac" / f"{apart}_mask.png").rename(tmp_path / "mac" / f"{stem}_mask.png")
    dataset = import_folder(tmp_path / "mac", unicodedata.normalize("NFD", "Dé"), workspace / "data").dataset
    assert [sample.stem for sample in dataset.labelled] == [stem]
    assert sorted(path.name for path in (workspace / "data" / "Dé").rglob("*.*")) == [
        "dataset.yaml",
        f"{stem}.png",
        f"{stem}.tif",
    ]
    assert list(load_datasets(workspace / "data", [unicodedata.normalize("NFD", "Dé")])) == ["Dé"]


def test_a_mask_put_by_hand_is_found_however_its_accents_are_written(tmp_path, make_dataset):
    folder = make_dataset("D1", n_images=1, labelled=range(0)).path
    (folder / "images" / "stack_1.tif").rename(folder / "images" / unicodedata.normalize("NFD", "é.tif"))
    write_mask(folder / "masks" / "é.png", np.ones((48, 64), np.uint8))
    (sample,) = Dataset.load(folder).samples
    assert sample.stem == "é"
    assert sample.mask().all()


@pytest.mark.parametrize("stem", ["x" * 245, "氷" * 80, "a\nb", "a\\b", "a\x1b[2Jb"])
def test_a_stem_that_cannot_be_kept_is_refused_before_anything_is_written(workspace, tmp_path, stem):
    image = write(tmp_path / "odd", "plain")
    (tmp_path / "odd" / "plain_mask.png").unlink()
    image.rename(image.with_name(f"{stem}.tif"))
    with pytest.raises(IcefloeError, match=r"\.tif: the name .*\. Rename it\.$") as error:
        import_folder(tmp_path / "odd", "D9", workspace / "data")
    assert str(error.value).isprintable()
    assert not (workspace / "data" / "D9").exists()


def test_a_stem_that_is_not_utf8_is_refused_and_later_commits_go_on(workspace, tmp_path):
    image = write(tmp_path / "odd", "plain")
    shutil.move(image, os.fsencode(tmp_path / "odd") + b"/bild_\xe4.tif")
    (tmp_path / "odd" / "plain_mask.png").unlink()
    with pytest.raises(IcefloeError, match="the name is not in UTF-8"):
        import_folder(tmp_path / "odd", "D9", workspace / "data")
    assert commit(workspace, "first").is_new


@pytest.mark.parametrize(("one", "other"), [("A", "a"), ("Straße", "STRASSE")])
def test_stems_that_other_systems_take_for_one_are_refused(workspace, tmp_path, one, other):
    for stem in (one, other):
        write(tmp_path / "odd", stem)
    with pytest.raises(IcefloeError, match=r"differs from .* only in case"):
        import_folder(tmp_path / "odd", "D9", workspace / "data")


def test_a_dataset_is_not_named_as_another_is_on_other_systems(workspace, odd):
    with pytest.raises(IcefloeError, match=r"data/D1: there is a dataset of this name"):
        import_folder(odd, "d1", workspace / "data")
