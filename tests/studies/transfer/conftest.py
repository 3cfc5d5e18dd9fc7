"""A and B are a few labelled pictures, R is a recording that arrives; tests must leave them so."""

from pathlib import Path

import pytest

from icefloe.datasets.dataset import DatasetInfo
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.spec import ExperimentSpec
from icefloe.simulate.workspace import write_dataset
from studies.kit.data import StudyData
from studies.transfer.design import Panel

FEW = ExperimentSpec(size_px=64, pixel_size_nm=7.5, n_composites=9)
BOTH = Panel(name="real", train=("A", "B"), test=("A", "B"), n_labels=(2, 5), size=64)


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("transfer")
    for seed, (name, n) in enumerate({"A": 9, "B": 9, "R": 30}.items()):
        info = DatasetInfo(name=name, experiment=name, pixel_size_nm=7.5)
        experiment = simulate_experiment(FEW.changed(n_composites=n), seed)
        write_dataset(experiment, folder / "data" / name, info, labelled=name != "R")
    images = folder / "data" / "A" / "images"
    (images / "composite_008.tif").write_bytes((images / "composite_000.tif").read_bytes())
    return folder


@pytest.fixture(scope="session")
def folder(workspace: Path) -> Path:
    return workspace / "data"


@pytest.fixture(scope="session")
def data(folder: Path) -> StudyData:
    return StudyData.load(folder, ["A", "B", "R"])
