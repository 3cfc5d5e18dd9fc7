"""Lineage of a version."""

import hashlib
from functools import partial

import numpy as np
import pytest
from PIL import Image

from icefloe.datasets.dataset import Dataset, DatasetInfo
from icefloe.datasets.label_history import add_labels
from icefloe.datasets.label_origin import Making, Origin
from icefloe.datasets.versions import DataVersion
from icefloe.errors import IcefloeError
from icefloe.registry.lineage import Lineage, collect_lineage, package_versions


@pytest.fixture
def dataset(tmp_path, rng):
    folder = tmp_path / "D1"
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    DatasetInfo(name="D1", experiment="E1").save(folder)
    for i in range(3):
        Image.fromarray(rng.integers(0, 255, (8, 8), dtype=np.uint8)).save(folder / f"images/frame_{i}.png")
    for i in range(2):
        Image.fromarray(rng.integers(0, 2, (8, 8), dtype=np.uint8)).save(folder / f"masks/frame_{i}.png")
    return Dataset.load(folder)


@pytest.fixture
def collect(tmp_path, dataset):
    (tmp_path / "ensemble").mkdir()
    (tmp_path / "ensemble" / "member.safetensors").write_bytes(b"weights")
    return partial(collect_from, tmp_path / "ensemble", dataset.path)


W1 = hashlib.sha256(b"weights").hexdigest()


def collect_from(ensemble, dataset, train=("D1/frame_0", "D1/frame_1"), validation=(), **changes):
    arguments = {
        "data": DataVersion(rev="abc", md5="123.dir"),
        "git_sha": "def",
        "parameters": {"epochs": 3},
        "seeds": {"training": 0},
        "ensemble": ensemble,
    } | changes
    return collect_lineage({"D1": Dataset.load(dataset)}, train=train, validation=validation, **arguments)


def test_images_and_labels_are_named_by_their_bytes(dataset, collect):
    lineage = collect(["D1/frame_0"], ["D1/frame_1"])
    train, validation = lineage.images
    assert (train.key, train.role) == ("D1/frame_0", "train")
    assert (validation.key, validation.role) == ("D1/frame_1", "validation")
    assert train.image_sha256 == hashlib.sha256(dataset.samples[0].image_path.read_bytes()).hexdigest()
    assert train.mask_sha256 == hashlib.sha256(dataset.samples[0].mask_path.read_bytes()).hexdigest()
    assert lineage.keys("validation") == ["D1/frame_1"]


def test_the_latest_label_says_who_and_when(dataset, collect):
    mask = np.zeros((8, 8), dtype=np.uint8)
    add_labels(dataset.path, {"frame_0": mask}, author="ada", source="queue")
    add_labels(dataset.path, {"frame_0": mask + 1}, author="lise", source="queue")
    first, second = collect().images
    assert (first.author, first.source) == ("lise", "queue")
    assert first.labelled_at is not None
    assert (second.author, second.labelled_at) == (None, None)


def test_a_label_says_how_long_it_took_and_from_what_it_was_made_with_what(dataset, collect):
    origin = Origin("3fa9" * 16, "EA-T2", "editor 12ab", "0.1.0")
    making = Making("2026-03-01T12:00:00Z", origin, "bob", 0.91)
    mask = np.zeros((8, 8), dtype=np.uint8)
    add_labels(dataset.path, {"frame_0": mask}, "ada", seconds=61, making={"frame_0": making})
    add_labels(dataset.path, {"frame_1": mask}, "ada")
    first, second = collect().images
    assert (first.seconds, first.others, first.agreement) == (61, "bob", 0.91)
    assert (first.made_from, first.made_with) == ("EA-T2 3fa93fa93fa9", "editor 12ab, icefloe 0.1.0")
    assert (second.made_from, second.made_with, second.others) == ("not known", "not known", None)


def test_an_image_without_a_label_cannot_have_been_trained_on(dataset, collect):
    with pytest.raises(IcefloeError, match=r"D1/frame_2: it was trained on without a label\. Label it"):
        collect(["D1/frame_2"])


def test_a_lineage_survives_json(dataset, collect):
    first = collect()
    second = collect(
        parent=first.as_parent("EA-T1"),
        start_sha256={"member": W1},
        data=DataVersion(rev="r", md5="m"),
    )
    assert Lineage.model_validate_json(second.model_dump_json()) == second


def test_starting_weights_must_be_the_parents(dataset, collect):
    parent = collect().as_parent("EA-T1")
    collect(parent=parent, start_sha256={"member": W1}).check_start()
    stranger = collect(parent=parent, start_sha256={"member": "other"})
    with pytest.raises(
        IcefloeError, match=r"member: the weights it started from \(other\) are not those of EA-T1"
    ):
        stranger.check_start()


def test_starting_weights_need_a_parent(dataset, collect):
    with pytest.raises(IcefloeError, match="are not those of any parent"):
        collect(start_sha256={"member": W1}).check_start()


def test_packages_that_change_numbers_are_noted():
    assert {"python", "numpy", "torch"} <= package_versions().keys()
