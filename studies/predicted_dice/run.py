"""Predicted Dice checked with one ensemble, on experiments that it was not fitted on."""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from icefloe.datasets.dataset import Dataset, load_datasets
from icefloe.drift.benchmark import Benchmark, predicted_rows
from icefloe.drift.ice import ICE
from icefloe.drift.predicted_dice import DiceModels
from icefloe.ensemble.ensemble import Ensemble
from icefloe.errors import IcefloeError
from icefloe.progress import SILENT, Progress
from icefloe.registry.registry import Registry
from icefloe.scoring.metrics import dice
from icefloe.settings import Settings
from studies.gate.design import COUNTS, PURPOSE, STRENGTHS, TYPICAL, Scenario, plan
from studies.gate.measure import TRUE_DICE, Rows, SimulatedRows, reference_rows
from studies.predicted_dice.measure import Judged, judge
from studies.predicted_dice.result import Checked, Predicted, PredictedDiceResult


def run_predicted_dice(
    settings: Settings,
    progress: Progress = SILENT,
    *,
    ensemble: Path | None = None,
    n_standard: int = 200,
    repeats: int = 12,
    processes: int = 2,
    seed: int = 0,
) -> PredictedDiceResult:
    """Predict the Dice of simulated experiments, and of the workspace's datasets with labels.

    The simulated experiments are those of the study of the gate, which it shares what was measured with.

    Parameters
    ----------
    settings
        Paths and services of the workspace, which holds the benchmark's images, and datasets to judge.
    progress
        Told how many experiments are measured.
    ensemble
        Folder of a saved ensemble; None: the champion.
    n_standard, repeats, processes, seed
        As of `studies.gate.run.run_gate`.

    Raises
    ------
    IcefloeError
        If there is no champion or no fit, or the benchmark's images are not among the datasets.
    """
    if ICE.dice_file is None:
        raise IcefloeError(f"Domain {ICE.name}: it has no fit of Dice. Make one with fit_predicted_dice.py.")
    with tempfile.TemporaryDirectory() as scratch:
        if ensemble is None:
            registry = Registry(settings)
            name = registry.get("champion").name
            directory = registry.download(name, Path(scratch) / name)
        else:
            directory, name = ensemble, ensemble.resolve().name
        loaded = Ensemble.load(directory)
        benchmark = Benchmark.from_rows(reference_rows(loaded, settings.data))
        simulated = SimulatedRows(directory, settings.state / "gate", COUNTS[-1], processes)
        measured = simulated.measure(plan(PURPOSE, seed, n_standard, STRENGTHS, repeats), progress)
    known = {row.dataset for row in benchmark.rows}
    arrived = {
        dataset.name: found
        for dataset in load_datasets(settings.data).values()
        if dataset.name not in known
        and (rows := labelled_rows(loaded, dataset))
        and (found := judge(benchmark, rows, len(rows))) is not None
    }
    judged = {
        scenario: found
        for scenario, rows in measured.items()
        if (found := judge(benchmark, rows, TYPICAL)) is not None
    }
    return PredictedDiceResult(
        ensemble=name,
        fitted=DiceModels.load(ICE.dice_file).source,
        n_images=TYPICAL,
        checked=tuple(checked(judged, arrived)),
        points={"simulated": tuple(means(judged.values())), "datasets": tuple(means(arrived.values()))},
    )


def labelled_rows(ensemble: Ensemble, dataset: Dataset) -> Rows:
    """Rows of the images that have a mask to compare with, and their true Dice."""
    samples = [sample for sample in dataset.samples if sample.has_reference]
    if not samples:
        return []
    predictions = list(ensemble.predict(samples))
    rows = predicted_rows(predictions)
    return [
        row.with_values({TRUE_DICE: dice(sample.reference(), prediction.mask)})
        for row, (sample, prediction) in zip(rows, predictions, strict=True)
    ]


def checked(judged: Mapping[Scenario, Judged], arrived: Mapping[str, Judged]) -> Iterable[Checked]:
    """All simulated experiments, then each kind of them, then each dataset; images, then means."""
    kinds: dict[str, list[Judged]] = {"simulated": list(judged.values())}
    for scenario, one in judged.items():
        kinds.setdefault(scenario.cause or "standard", []).append(one)
    for kind, found in kinds.items():
        yield Checked.of(kind, "image", images(found))
        yield Checked.of(kind, "dataset", means(found))
    for name, one in arrived.items():
        yield Checked.of(name, "image", images([one]))
        yield Checked.of(name, "dataset", means([one]))


def images(judged: Sequence[Judged]) -> Iterable[Predicted]:
    """Every image by itself."""
    for one in judged:
        for stem, truth in one.truth.items():
            yield Predicted(truth=truth, predicted=one.predicted.images[stem])


def means(judged: Iterable[Judged]) -> Iterable[Predicted]:
    """Mean over the images of each experiment."""
    for one in judged:
        yield Predicted(truth=float(np.mean(list(one.truth.values()))), predicted=one.predicted.dataset)
