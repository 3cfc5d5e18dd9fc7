import numpy as np
import pytest

from icefloe.datasets.dataset import DatasetInfo
from icefloe.errors import IcefloeError
from icefloe.imaging.preprocess import Preprocessing
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.spec import ExperimentSpec
from icefloe.simulate.workspace import write_dataset
from studies.material import Material, labelled_and_held_back

TINY = ExperimentSpec(size_px=64, pixel_size_nm=7.5, n_composites=3)


@pytest.fixture
def data(tmp_path):
    for seed, (name, labelled) in enumerate({"A": True, "B": False}.items()):
        info = DatasetInfo(name=name, experiment=name, pixel_size_nm=7.5)
        write_dataset(simulate_experiment(TINY, seed), tmp_path / name, info, labelled=labelled)
    return tmp_path


def test_labels_and_truth_kept_back_both_serve_as_reference(data):
    material = Material.load(data, ["A", "B"])
    prepared = material.prepare(material.samples("A", "B"), Preprocessing(size=64))
    expected = [sample.mask() for sample in material.samples("A")]
    expected += [sample.truth() for sample in material.samples("B")]
    np.testing.assert_array_equal(prepared.masks, expected)
    assert prepared.keys[3] == "B/composite_000"


def test_every_image_has_a_group_and_twins_share_one(data):
    twin = data / "A" / "images" / "composite_009.tif"
    twin.write_bytes((data / "A" / "images" / "composite_001.tif").read_bytes())
    groups = Material.load(data, ["A", "B"]).groups
    assert groups["A/composite_009"] == groups["A/composite_001"]
    assert len(groups) == 7
    assert set(groups.values()) == set(range(len(set(groups.values()))))


def test_training_data_know_which_images_are_new(data):
    material = Material.load(data, ["A", "B"])
    old, new = material.samples("A"), material.samples("B")
    prepared = material.training_data([*old[:2], new[0]], [old[2]], Preprocessing(size=64), new=[new[0]])
    assert prepared.is_new.tolist() == [False, False, True]
    assert prepared.classes == ("background", "ice")


def test_a_dataset_without_any_reference_is_refused(data):
    for mask in (data / "A" / "masks").iterdir():
        mask.unlink()
    with pytest.raises(IcefloeError, match=r"^A: no image has a label or a truth"):
        Material.load(data, ["A"])


def test_datasets_whose_truth_is_kept_back_play_the_new_ones(data):
    assert labelled_and_held_back(data) == (["A"], ["B"])
