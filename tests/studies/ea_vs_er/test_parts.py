import shutil
from pathlib import Path

import pytest

from icefloe.datasets.dataset import DatasetInfo
from icefloe.datasets.splits import SplitConfig
from icefloe.errors import IcefloeError
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.spec import ExperimentSpec
from icefloe.simulate.workspace import write_dataset
from studies.ea_vs_er.parts import Parts
from studies.material import Material

TINY = ExperimentSpec(size_px=64, pixel_size_nm=7.5, n_composites=24)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for seed, (name, labelled) in enumerate({"A": True, "B": False}.items()):
        info = DatasetInfo(name=name, experiment=name, pixel_size_nm=7.5)
        write_dataset(simulate_experiment(TINY, seed), folder / name, info, labelled=labelled)
    return folder


@pytest.fixture
def data(simulated, tmp_path) -> Path:
    return Path(shutil.copytree(simulated, tmp_path / "data"))


def divide(data: Path) -> Parts:
    return Parts.of(Material.load(data, ["A", "B"]), ["A"], ["B"], SplitConfig())


def test_labels_are_drawn_apart_in_time_from_what_scores_are_taken_on(data):
    parts = divide(data)
    pool = {sample.index for sample in parts.pools["B"]}
    scored = {sample.index for sample in parts.tests["B"]}
    assert len(scored) >= 10
    assert min(abs(one - other) for one in pool for other in scored) > 1


def test_a_seed_draws_the_same_images_again_and_another_seed_others(data):
    parts = divide(data)
    drawn = [tuple(sample.key for sample in parts.draw("B", 2, seed)) for seed in (0, 0, 1, 2, 3)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) > 2
    assert all(len(set(keys)) == 2 for keys in drawn)


def test_a_twin_of_a_training_image_is_not_scored(data):
    before = divide(data)
    trained, scored = before.train[0], before.tests["B"][0]
    shutil.copy(trained.image_path, scored.image_path)
    assert scored.key not in {sample.key for sample in divide(data).tests["B"]}


def test_more_labels_than_there_are_images_are_refused(data):
    with pytest.raises(IcefloeError, match=r"B: 30 labels to draw, but \d+ different images"):
        divide(data).draw("B", 30, seed=0)


def test_a_dataset_too_small_to_divide_is_refused(data):
    for image in sorted((data / "B" / "images").iterdir())[2:]:
        image.unlink()
    with pytest.raises(IcefloeError, match=r"B: no test image\. Label five or more images of each dataset"):
        divide(data)
