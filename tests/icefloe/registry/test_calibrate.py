"""Which images an ensemble may be calibrated on."""

from types import SimpleNamespace

import numpy as np
import pytest

from icefloe.datasets.dataset import DatasetInfo, load_datasets
from icefloe.ensemble.rows import ImageRow
from icefloe.errors import IcefloeError
from icefloe.registry.calibrate import held_out_experiments, simulated_experiments
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.spec import ExperimentSpec
from icefloe.simulate.workspace import write_dataset

TINY = ExperimentSpec(size_px=32, pixel_size_nm=15, n_composites=3)


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    """D1 (trained on), D2 and D2b (one new experiment, truth kept back), D3 (no reference)."""
    data = tmp_path_factory.mktemp("data")
    for seed, (name, experiment) in enumerate({"D1": "D1", "D2": "E2", "D2b": "E2", "D3": "D3"}.items()):
        info = DatasetInfo(name=name, experiment=experiment)
        write_dataset(simulate_experiment(TINY, seed), data / name, info, labelled=name == "D1")
    for path in (data / "D3" / "truth").iterdir():
        path.unlink()
    return load_datasets(data)


def manifest(*keys):
    rows = [ImageRow(*key.split("/"), 0, {}) for key in keys]
    return SimpleNamespace(name="EA-T1", benchmark=rows)


def test_of_experiments_trained_on_only_unseen_images_count(datasets):
    first, second = held_out_experiments(datasets.values(), manifest("D1/composite_001"))
    assert (first.name, first.origin) == ("D1", "trained on")
    assert [sample.key for sample in first.samples] == ["D1/composite_001"]
    assert (second.name, second.origin) == ("E2", "new")


def test_datasets_of_one_experiment_are_one_experiment_and_unlabelled_ones_none(datasets):
    experiments = held_out_experiments(datasets.values(), manifest("D1/composite_001"))
    assert [e.name for e in experiments] == ["D1", "E2"]
    assert len(experiments[1].samples) == 6


def test_the_lineage_overrules_the_benchmark(datasets):
    seen = ["D1/composite_001", "D2/composite_000"]
    (second,) = held_out_experiments(datasets.values(), manifest("D1/composite_001"), seen)
    assert (second.name, second.origin) == ("E2", "trained on")
    assert {sample.dataset for sample in second.samples} == {"D2b"}


def test_an_ensemble_of_unknown_training_is_not_calibrated_on_datasets(datasets):
    with pytest.raises(IcefloeError, match=r"EA-T1: its ensemble\.yaml has no benchmark"):
        held_out_experiments(datasets.values(), manifest())
    assert held_out_experiments([], manifest()) == []


def test_simulated_experiments_come_one_by_one_with_their_truth():
    experiment = next(simulated_experiments(3, seed=0, n_images=2))
    assert (experiment.name, experiment.origin) == ("simulated_000", "simulated")
    assert np.isin(experiment.samples[0].mask(), (0, 1)).all()
