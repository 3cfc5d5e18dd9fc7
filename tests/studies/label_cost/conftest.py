"""A tiny workspace of simulated ice, and learning curves made by hand."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from icefloe.datasets.dataset import DatasetInfo
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.spec import ExperimentSpec
from icefloe.simulate.workspace import write_dataset
from studies.label_cost.replay import Outcome
from studies.label_cost.result import DatasetSummary, LabelCostResult
from studies.label_cost.savings import Curves


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A and B are labelled, C arrives; tests must leave them so."""
    folder = tmp_path_factory.mktemp("label-cost")
    for seed, (name, labelled, count) in enumerate((("A", True, 7), ("B", True, 7), ("C", False, 12))):
        spec = ExperimentSpec(size_px=64, pixel_size_nm=7.5, n_composites=count)
        info = DatasetInfo(name=name, experiment=name, pixel_size_nm=7.5)
        write_dataset(simulate_experiment(spec, seed), folder / name, info, labelled=labelled)
    return folder


MakeResult = Callable[..., LabelCostResult]


def outcomes_of(dataset: str, seconds: tuple[int, ...], dice: dict[str, np.ndarray]) -> list[Outcome]:
    """From Dice by strategy, float of shape (S, N)."""
    return [
        Outcome(
            dataset=dataset,
            seed=seed,
            strategy=strategy,
            budget=budget,
            seconds=budget,
            clicks=2 * budget,
            images=1,
            regions=3,
            dice=value,
            iou=value / (2 - value),
        )
        for strategy, of_seeds in dice.items()
        for seed, curve in enumerate(np.atleast_2d(np.asarray(of_seeds, float)))
        for budget, value in zip(seconds, curve, strict=True)
    ]


@pytest.fixture(scope="session")
def make_result() -> MakeResult:
    """A result on datasets C (real), D, ...: by dataset, strategy -> Dice, float of shape (S, N)."""

    def make(
        seconds: tuple[int, ...], *by_dataset: dict[str, np.ndarray], **fields: object
    ) -> LabelCostResult:
        datasets, outcomes = [], []
        for name, dice in zip("CDE", by_dataset, strict=False):
            outcomes += outcomes_of(name, seconds, dice)
            first = np.atleast_2d(np.asarray(next(iter(dice.values())), float))
            datasets.append(
                DatasetSummary(
                    dataset=name,
                    standard=("A", "B"),
                    is_simulated=name != "C",
                    n_pool=4.0,
                    n_test=1.5,
                    whole_pool=tuple(first[:, -1]),
                    baselines={"all background": 0.0, "Otsu": 0.3},
                    frames=tuple(range(5)),
                    picked=dict.fromkeys(dice, (0.0, 0.5, 1.0, None, 0.0)),
                )
            )
        return LabelCostResult.of(
            datasets,
            outcomes,
            preset="light",
            members=("mobilenet_v2", "efficientnet-b0"),
            size=128,
            epochs=15,
            retraining_epochs=6,
            n_seeds=len(first),
            spread=0.5,
            default="uncertainty-typical",
            **fields,
        )

    return make


@pytest.fixture(scope="session")
def make_curves() -> Callable[..., Curves]:
    """Learning curves of strategies' Dice on one dataset, each float of shape (S, N)."""

    def make(seconds: tuple[int, ...], is_simulated: bool = True, **dice: np.ndarray) -> Curves:
        named = {name.replace("_", "-"): each for name, each in dice.items()}
        return Curves.of("C", is_simulated, outcomes_of("C", seconds, named))

    return make
