"""A tiny workspace of simulated ice, and learning curves made by hand."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from icefloe.datasets.dataset import DatasetInfo
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.spec import ExperimentSpec
from icefloe.simulate.workspace import write_dataset
from studies.label_cost.curves import Curves


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A and B are labelled, C arrives; tests must leave them so."""
    folder = tmp_path_factory.mktemp("label-cost")
    for seed, (name, labelled, count) in enumerate((("A", True, 7), ("B", True, 7), ("C", False, 12))):
        spec = ExperimentSpec(size_px=64, pixel_size_nm=7.5, n_composites=count)
        info = DatasetInfo(name=name, experiment=name, pixel_size_nm=7.5)
        write_dataset(simulate_experiment(spec, seed), folder / name, info, labelled=labelled)
    return folder


@pytest.fixture(scope="session")
def make_curves() -> Callable[..., Curves]:
    """Curves of the contenders' Dice, each float of shape (S, N)."""

    def make(labels: tuple[int, ...], dataset: str = "C", **dice: np.ndarray) -> Curves:
        names = tuple(name.replace("_", "-") for name in dice)
        values = np.array([np.atleast_2d(each) for each in dice.values()], dtype=np.float64)
        minutes = np.broadcast_to(2.0 * np.array(labels), values.shape)
        return Curves(
            dataset=dataset,
            standard=("A", "B"),
            contenders=names,
            labels=np.array(labels),
            dice=values,
            iou=values / (2 - values),
            minutes=np.array(minutes),
            ceiling=values[0, :, -1],
            trivial={"all background": 0.0, "Otsu": 0.3},
            places=np.arange(5),
            picked=np.tile([0.0, 0.5, 1.0, np.nan, 0.0], (len(names), 1)),
            n_pool=4.0,
            n_test=1.5,
        )

    return make
