"""Simulated experiments, the benchmark and datasets as the rows that the gate reads."""

import hashlib
import json
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from icefloe.datasets.dataset import Dataset, load_datasets
from icefloe.drift.benchmark import predicted_rows, with_evidence
from icefloe.drift.predicted_dice import EXPECTED_DICE
from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.rows import ImageRow
from icefloe.errors import IcefloeError
from icefloe.files import write_text_atomic
from icefloe.progress import SILENT, Progress
from icefloe.scoring.metrics import dice
from icefloe.scoring.uncertainty import expected_dice
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.standard import random_standard_spec, shifted_spec
from studies.gate.design import Scenario

Rows = list[ImageRow]

TRUE_DICE = "true_dice"
"""Column: Dice of the mask with the truth."""


def reference_rows(ensemble: Ensemble, data: Path) -> Rows:
    """The benchmark's images, predicted and measured again: older benchmarks lack columns.

    Raises
    ------
    IcefloeError
        If the benchmark is empty, or one of its images is not among the datasets in `data`.
    """
    held_out: dict[str, set[str]] = {}
    for row in ensemble.manifest.benchmark:
        held_out.setdefault(row.dataset, set()).add(row.stem)
    if not held_out:
        raise IcefloeError(f"{ensemble.name}: its benchmark holds no image. Train it again.")
    rows: Rows = []
    for name, dataset in load_datasets(data, list(held_out)).items():
        found = measured_rows(ensemble, dataset, held_out[name])
        missing = held_out[name] - {row.stem for row in found}
        if missing:
            raise IcefloeError(
                f"{data / name}: image {min(missing)} of the benchmark is not here. Name the workspace that "
                f"{ensemble.name} was trained in."
            )
        rows += found
    return rows


def measured_rows(ensemble: Ensemble, dataset: Dataset, stems: set[str] | None = None) -> Rows:
    """One row an image of a dataset, or of those named."""
    samples = [sample for sample in dataset.samples if stems is None or sample.stem in stems]
    return predicted_rows(ensemble.predict(samples))


@dataclass(frozen=True)
class SimulatedRows:
    """Rows of simulated experiments with one ensemble; what was measured before is read.

    Attributes
    ----------
    directory
        Folder of the saved ensemble.
    cache
        Folder of one JSON file an experiment.
    n_images
        Number of composites of each experiment, evenly spaced in time.
    processes
        Number of processes that simulate and predict; with 1 this process does.
    """

    directory: Path
    cache: Path
    n_images: int
    processes: int = 1

    def measure(self, scenarios: Sequence[Scenario], progress: Progress = SILENT) -> dict[Scenario, Rows]:
        """Simulate, predict and measure what has not been measured."""
        folder = self.cache / f"{self.fingerprint()}-{self.n_images}"
        paths = {scenario: folder / f"{scenario.name}-{scenario.seed:x}.json" for scenario in scenarios}
        missing = [scenario for scenario, path in paths.items() if not path.is_file()]
        first = len(scenarios) - len(missing) + 1
        for done, (scenario, rows) in enumerate(self._run(missing), first):
            write_text_atomic(paths[scenario], json.dumps([row.flat() for row in rows]))
            progress.advance("Simulated experiments", done, len(scenarios))
        return {
            scenario: [ImageRow.from_flat(row) for row in json.loads(path.read_text(encoding="utf-8"))]
            for scenario, path in paths.items()
        }

    def fingerprint(self) -> str:
        """What one fixed image measures: it changes with simulator, ensemble and evidence alone."""
        (row,) = _measure_one(self.directory, 1, Scenario(None, 0.0, 0, 0))
        numbers = {name: f"{value:.5g}" for name, value in row.values.items()}
        return hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()[:16]

    def _run(self, scenarios: Sequence[Scenario]) -> Iterator[tuple[Scenario, Rows]]:
        work = partial(_measure_one, self.directory, self.n_images)
        if self.processes == 1 or not scenarios:
            yield from ((scenario, work(scenario)) for scenario in scenarios)
            return
        # Forked, torch's threads would hang.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(self.processes, context, _use_one_thread) as pool:
            futures = {pool.submit(work, scenario): scenario for scenario in scenarios}
            for future in as_completed(futures):
                yield futures[future], future.result()


def _use_one_thread() -> None:
    import torch

    torch.set_num_threads(1)  # the processes share the cores already


@lru_cache(maxsize=1)
def _loaded(directory: Path) -> Ensemble:
    return Ensemble.load(directory, device="cpu")


def _measure_one(directory: Path, n_images: int, scenario: Scenario) -> Rows:
    rng = np.random.default_rng(scenario.seed)
    cause, strength = scenario.cause, scenario.strength
    spec = random_standard_spec(rng) if cause is None else shifted_spec(cause, strength, rng)
    seconds = np.linspace(1, spec.n_composites - 1, n_images).round().astype(int).tolist()
    experiment = simulate_experiment(spec, scenario.seed, seconds)
    images = list(experiment.images.astype(np.float32))
    predictions = list(_loaded(directory).predict_images(images))
    scores = [
        ImageRow(
            scenario.name,
            f"composite_{second:03d}",
            second,
            prediction.scores()
            | {
                EXPECTED_DICE: expected_dice(prediction.mean, prediction.mask),
                TRUE_DICE: dice(truth, prediction.mask),
            },
        )
        for second, prediction, truth in zip(seconds, predictions, experiment.masks, strict=True)
    ]
    return with_evidence(scores, images, [prediction.mask for prediction in predictions])
