"""What pipelines take for "the data": one version, its split, and images that nothing may be measured on."""

import json
import shutil

import numpy as np
import pytest
import tifffile

from icefloe.datasets.bundle import Bundle
from icefloe.datasets.dataset import Dataset
from icefloe.datasets.labels import write_mask
from icefloe.datasets.splits import SplitConfig
from icefloe.datasets.versions import commit, init_workspace
from icefloe.errors import IcefloeError

SPLIT = SplitConfig(guard_frames=0)


@pytest.fixture
def workspace(tmp_path):
    """A workspace without a data version; `make_dataset(..., root=workspace / "data")` fills it."""
    init_workspace(tmp_path / "workspace", "presets: {}\n")
    return tmp_path / "workspace"


def texture(rng):
    return rng.integers(0, 60_000, (48, 64)).astype(np.uint16)


def write_images(folder, images, labelled=(), truth=()):
    """Replace a dataset's images; masks for some, truth kept back for others."""
    for part in ("images", "masks", "truth"):
        shutil.rmtree(folder / part, ignore_errors=True)
        (folder / part).mkdir()
    mask = np.zeros((48, 64), np.uint8)
    mask[10:20, 10:20] = 1
    for name, image in images.items():
        tifffile.imwrite(folder / "images" / f"{name}.tif", image)
    for part, names in (("masks", labelled), ("truth", truth)):
        for name in names:
            write_mask(folder / part / f"{name}.png", mask)
    return Dataset.load(folder)


def test_a_bundle_read_back_is_the_one_made(workspace, make_dataset, tmp_path):
    make_dataset("D1", root=workspace / "data")
    make_dataset("D2", root=workspace / "data", labelled=range(0))
    version = commit(workspace, "first")

    made = Bundle.make(workspace, [], SPLIT, tmp_path / "bundle")
    read = Bundle.load(tmp_path / "bundle")

    assert read.version == made.version
    assert read.version.md5 == version.md5
    assert (read.split, read.twins, list(read.datasets)) == (made.split, made.twins, ["D1", "D2"])
    assert len(read.samples) == 20
    assert read.describe()["train"] == len(made.split.train)


def test_only_the_named_datasets_are_copied(workspace, make_dataset, tmp_path):
    make_dataset("D1", root=workspace / "data")
    make_dataset("D2", root=workspace / "data")
    commit(workspace, "first")

    bundle = Bundle.make(workspace, ["D2"], SPLIT, tmp_path / "bundle")

    assert bundle.only.name == "D2"
    assert not (tmp_path / "bundle" / "D1").exists()


def test_every_labelled_image_is_on_one_side_and_none_seen_is_held_out(workspace, make_dataset, tmp_path):
    make_dataset("D1", root=workspace / "data", n_images=20)
    commit(workspace, "first")
    bundle = Bundle.make(workspace, [], SPLIT, tmp_path / "bundle")

    sides = {side: {s.key for s in bundle.side(side)} for side in ("train", "validation", "test")}

    assert all(sides.values())
    assert len(set.union(*sides.values())) == 20
    assert {sample.key for sample in bundle.held_out} == sides["test"]
    assert {sample.key for sample in bundle.unseen} == sides["test"]


def test_with_folds_every_labelled_image_is_held_out_from_some_members(workspace, make_dataset, tmp_path):
    make_dataset("D1", root=workspace / "data", n_images=10)
    commit(workspace, "first")
    made = Bundle.make(workspace, [], SplitConfig(folds=3), tmp_path / "bundle")
    read = Bundle.load(tmp_path / "bundle")

    assert read.split == made.split
    assert len(read.held_out) == 10
    assert [sample.key for sample in read.validation] == list(read.split.train)
    assert {sample.key for sample in read.unseen} == set(read.split.test)
    assert read.describe()["folds"] == 3


def test_unlabelled_images_are_unseen_and_are_held_out_only_where_truth_was_kept_back(
    workspace, make_dataset, tmp_path, rng
):
    folder = make_dataset("D3", root=workspace / "data").path
    images = {f"stack_{number}": texture(rng) for number in range(6)}
    write_images(folder, images, labelled=["stack_0", "stack_1"], truth=["stack_2", "stack_3", "stack_0"])
    commit(workspace, "first")

    bundle = Bundle.make(workspace, [], SPLIT, tmp_path / "bundle")

    assert set(bundle.split.train) == {"D3/stack_0", "D3/stack_1"}  # too few labels to hold some out
    assert [sample.stem for sample in bundle.unseen] == ["stack_2", "stack_3", "stack_4", "stack_5"]
    assert [sample.stem for sample in bundle.held_out] == ["stack_2", "stack_3"]


def test_a_dataset_without_labels_is_not_evaluated_although_its_truth_is_known(
    workspace, make_dataset, tmp_path, rng
):
    make_dataset("D1", root=workspace / "data")
    folder = make_dataset("D3", root=workspace / "data").path
    images = {f"stack_{number}": texture(rng) for number in range(4)}
    write_images(folder, images, truth=images)
    commit(workspace, "first")

    bundle = Bundle.make(workspace, [], SPLIT, tmp_path / "bundle")

    assert {sample.dataset for sample in bundle.held_out} == {"D1"}


@pytest.mark.parametrize("turned", [False, True])
def test_an_unlabelled_twin_of_a_training_image_is_neither_unseen_nor_held_out(
    workspace, make_dataset, tmp_path, rng, turned
):
    folder = make_dataset("D3", root=workspace / "data").path
    images = {f"stack_{number}": texture(rng) for number in range(5)}
    images["stack_3"] = images["stack_0"][:, ::-1] if turned else images["stack_0"]
    write_images(folder, images, labelled=["stack_0"], truth=["stack_2", "stack_3"])
    commit(workspace, "first")

    bundle = Bundle.make(workspace, [], SPLIT, tmp_path / "bundle")

    assert bundle.twins == ("D3/stack_3",)
    assert Bundle.load(tmp_path / "bundle").twins == ("D3/stack_3",)
    assert [sample.stem for sample in bundle.unseen] == ["stack_1", "stack_2", "stack_4"]
    assert [sample.stem for sample in bundle.held_out] == ["stack_2"]


def test_a_twin_in_another_dataset_is_found_too(workspace, make_dataset, tmp_path, rng):
    shared = texture(rng)
    for name, labelled in (("D1", ["stack_0"]), ("D2", ["stack_1"])):
        folder = make_dataset(name, root=workspace / "data").path
        images = {f"stack_{number}": texture(rng) for number in range(3)}
        images["stack_0" if name == "D1" else "stack_2"] = shared
        write_images(folder, images, labelled=labelled)
    commit(workspace, "first")

    bundle = Bundle.make(workspace, [], SPLIT, tmp_path / "bundle")

    assert bundle.twins == ("D2/stack_2",)


def test_the_reference_is_the_label_before_the_truth(make_dataset, rng):
    folder = make_dataset("D3").path
    dataset = write_images(folder, {"a": texture(rng), "b": texture(rng)}, ["a"], ["a", "b"])
    write_mask(folder / "masks" / "a.png", np.ones((48, 64), np.uint8))

    labelled, held_back = dataset.samples

    assert labelled.reference().all()
    assert held_back.reference().sum() == 100


def test_changes_that_no_version_holds_are_left_behind(workspace, make_dataset, tmp_path):
    dataset = make_dataset("D1", root=workspace / "data")
    commit(workspace, "first")
    (dataset.path / "masks" / "stack_1.png").unlink()

    bundle = Bundle.make(workspace, [], SPLIT, tmp_path / "bundle")

    assert len(bundle.only.labelled) == 10


def test_a_dataset_that_is_in_no_version_is_named(workspace, make_dataset, tmp_path):
    make_dataset("D1", root=workspace / "data")
    commit(workspace, "first")
    make_dataset("D3", root=workspace / "data")

    with pytest.raises(IcefloeError, match=r"no dataset 'D3' in this data version\. There are: D1\."):
        Bundle.make(workspace, ["D3"], SPLIT, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_a_folder_that_is_no_bundle_is_refused(tmp_path):
    with pytest.raises(IcefloeError, match=r"no data bundle\. Take the output of the step get_data"):
        Bundle.load(tmp_path)


def test_the_bundles_file_is_plain_json(workspace, make_dataset, tmp_path):
    make_dataset("D1", root=workspace / "data")
    commit(workspace, "first")
    Bundle.make(workspace, [], SPLIT, tmp_path / "bundle")

    content = json.loads((tmp_path / "bundle" / "bundle.json").read_text())

    assert set(content) == {"version", "split", "twins"}
