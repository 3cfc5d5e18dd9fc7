"""Fit the Dice of masks to what is known of them before they are labelled.

    python benchmarks/fit_predicted_dice.py ENSEMBLE --data data

simulates standard experiments and ones with a single cause of departure, compares them with the ensemble's
benchmark, and writes `icefloe/drift/ice_dice.yaml`. `icefloe study predicted-dice` judges the result on other
experiments.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from sklearn.linear_model import QuantileRegressor
from sklearn.model_selection import GroupKFold

from icefloe.drift.benchmark import Benchmark
from icefloe.drift.ice import ICE
from icefloe.drift.predicted_dice import BEYOND_SIZES, FEATURES, FLOOR, LEVEL, DiceModel, DiceModels
from icefloe.ensemble.ensemble import Ensemble
from icefloe.files import write_text_atomic
from icefloe.progress import Lines
from icefloe.scoring.conformal import hierarchical_quantile
from studies.gate.design import Scenario, plan
from studies.gate.measure import Rows, SimulatedRows, reference_rows
from studies.predicted_dice.measure import KnownDice, known_dice

PURPOSE = 1
STRENGTHS = (0.1, 0.25, 0.5, 0.75, 1.0)
FOLDS = 5
QUANTILES = ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2)

Array = NDArray[np.float64]


def fit_models(
    benchmark: Benchmark, measured: Mapping[Scenario, Rows], source: str, n_images: int
) -> DiceModels:
    """The models of one image's Dice and of a dataset's mean.

    Parameters
    ----------
    benchmark
        What the experiments are compared with.
    measured
        Experiments with their true Dice.
    source
        How they were made, in words.
    n_images
        Number of images of each that are looked at.
    """
    known = [known_dice(benchmark, rows, n_images) for rows in measured.values()]
    known = [one for one in known if one is not None]
    return DiceModels(
        source=source,
        image=fit_model([one.features for one in known], [one.dice for one in known]),
        dataset=fit_model(*dataset_means(known)),
    )


def dataset_means(known: Sequence[KnownDice]) -> tuple[list[Array], list[Array]]:
    """Features and Dice of every experiment, averaged over its images."""
    return [one.features.mean(axis=0)[None] for one in known], [one.dice.mean()[None] for one in known]


def fit_model(features: Sequence[Array], dice: Sequence[Array]) -> DiceModel:
    """Quantile regression, every experiment weighing the same, and its margin on experiments left out.

    Parameters
    ----------
    features
        Of the images of each experiment, shape (n_k, 4).
    dice
        Their true Dice, shape (n_k,).
    """
    groups = np.repeat(np.arange(len(dice)), [len(own) for own in dice])
    table, error = np.concatenate(features), np.log(1 - np.concatenate(dice) + FLOOR)
    weights = 1 / np.array([len(own) for own in dice])[groups]
    scores = np.empty(len(error))
    for others, left_out in GroupKFold(FOLDS).split(table, groups=groups):
        lines = _quantiles(table[others], error[others], weights[others])
        low, _, high = np.sort(_at(lines, table[left_out]), axis=0)
        scores[left_out] = np.maximum(low - error[left_out], error[left_out] - high)
    margin = hierarchical_quantile([scores[groups == k] for k in range(len(dice))], LEVEL)
    lowest = table.min(axis=0)
    lowest[FEATURES.index(BEYOND_SIZES)] = 0.0  # the least there is, even where every experiment had more
    return DiceModel(
        lowest=_rounded(lowest),
        highest=_rounded(table.max(axis=0)),
        quantiles=tuple(_rounded(line) for line in _quantiles(table, error, weights)),
        margin=round(float(margin), 4),
    )


def _quantiles(table: Array, error: Array, weights: Array) -> Array:
    """Intercept and coefficients of each quantile, (3, 5)."""
    fits = (
        QuantileRegressor(quantile=quantile, alpha=0.0).fit(table, error, sample_weight=weights)
        for quantile in QUANTILES
    )
    return np.array([[fit.intercept_, *fit.coef_] for fit in fits])


def _at(lines: Array, table: Array) -> Array:
    return lines[:, :1] + lines[:, 1:] @ table.T


def _rounded(values: Array) -> tuple[float, ...]:
    return tuple(round(float(value), 4) for value in values)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ensemble", type=Path)
    parser.add_argument("--data", type=Path, default=Path("data"), help="datasets of the benchmark")
    parser.add_argument(
        "--cache", type=Path, default=Path(".icefloe/gate"), help="folder of what was measured"
    )
    parser.add_argument("--standard", type=int, default=120, help="experiments without a cause")
    parser.add_argument("--repeats", type=int, default=12, help="experiments a cause and strength")
    parser.add_argument("--images", type=int, default=10, help="images an experiment")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--output", type=Path, default=ICE.dice_file)
    arguments = parser.parse_args()

    scenarios = plan(PURPOSE, 0, arguments.standard, STRENGTHS, arguments.repeats)
    simulated = SimulatedRows(arguments.ensemble, arguments.cache, arguments.images, arguments.processes)
    measured = simulated.measure(scenarios, Lines(lambda line: print(line, file=sys.stderr)))
    benchmark = Benchmark.from_rows(reference_rows(Ensemble.load(arguments.ensemble), arguments.data))
    command = f"python benchmarks/fit_predicted_dice.py {arguments.ensemble.resolve().name}"
    source = f"{datetime.now(UTC):%Y-%m-%d}, {command}, {len(scenarios)} simulated experiments"
    models = fit_models(benchmark, measured, source, arguments.images)
    text = yaml.safe_dump(models.model_dump(mode="json"), sort_keys=False, default_flow_style=None, width=110)
    write_text_atomic(arguments.output, text)


if __name__ == "__main__":
    main()
