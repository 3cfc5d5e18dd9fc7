import pytest

from icefloe.datasets.dataset import DatasetInfo
from icefloe.errors import IcefloeError
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.spec import ExperimentSpec
from icefloe.simulate.workspace import write_dataset
from studies.kit.data import StudyData, labelled_and_held_back

TINY = ExperimentSpec(size_px=64, pixel_size_nm=7.5, n_composites=3)


@pytest.fixture
def folder(tmp_path):
    for seed, (name, labelled) in enumerate({"A": True, "B": False}.items()):
        info = DatasetInfo(name=name, experiment=name, pixel_size_nm=7.5)
        write_dataset(simulate_experiment(TINY, seed), tmp_path / name, info, labelled=labelled)
    return tmp_path


@pytest.fixture
def with_twin(folder):
    twin = folder / "A" / "images" / "composite_009.tif"
    twin.write_bytes((folder / "A" / "images" / "composite_001.tif").read_bytes())
    (folder / "A" / "masks" / "composite_009.png").write_bytes(
        (folder / "A" / "masks" / "composite_001.png").read_bytes()
    )
    return StudyData.load(folder, ["A", "B"])


def test_labels_and_truth_kept_back_both_serve_as_reference(folder):
    data = StudyData.load(folder, ["A", "B", "A"])
    assert list(data.datasets) == ["A", "B"]
    assert data.classes == ("background", "ice")
    assert [sample.key for sample in data.samples("B", "A")][2:4] == ["B/composite_002", "A/composite_000"]


def test_every_image_has_a_group_and_twins_share_one(with_twin):
    groups = with_twin.groups
    assert groups["A/composite_009"] == groups["A/composite_001"]
    assert len(groups) == 7
    assert set(groups.values()) == set(range(len(set(groups.values()))))


def test_a_twin_is_not_distinct_nor_is_what_is_known(with_twin):
    samples = with_twin.samples("A")
    assert [sample.index for sample in with_twin.distinct(samples)] == [0, 1, 2]
    assert [sample.index for sample in with_twin.distinct(samples, known=samples[3:])] == [0, 2]


def test_a_dataset_without_any_reference_is_refused(folder):
    for mask in (folder / "A" / "masks").iterdir():
        mask.unlink()
    with pytest.raises(IcefloeError, match=r"^A: no image has a label or a truth"):
        StudyData.load(folder, ["A"])


def test_datasets_whose_truth_is_kept_back_play_the_new_ones(folder):
    assert labelled_and_held_back(folder) == (["A"], ["B"])
