"""Simulated experiments as the tables that the gate reads, measured in several processes and kept."""

import hashlib
import json
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np

from icefloe.drift.benchmark import with_evidence
from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.rows import ImageRow
from icefloe.files import write_text_atomic
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.standard import Cause, random_standard_spec, shifted_spec

CAUSES: tuple[Cause, ...] = get_args(Cause)
Rows = list[ImageRow]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Scenario:
    """A simulated experiment.

    Attributes
    ----------
    cause, strength
        As of `shifted_spec`; without a cause, a standard experiment.
    repeat
        Which draw.
    seed
        Of the draw and the simulation.
    """

    cause: Cause | None
    strength: float
    repeat: int
    seed: int

    @property
    def name(self) -> str:
        """Unique in a plan."""
        return f"{self.cause or 'standard'}-{self.strength:g}-{self.repeat}"


def plan(
    purpose: int, seed: int, n_standard: int, strengths: Sequence[float], repeats: int
) -> list[Scenario]:
    """Standard experiments, and every cause at every strength.

    Parameters
    ----------
    purpose, seed
        Plans that differ in either share no draw.
    n_standard, strengths, repeats
        How many without a cause; strengths; how many of each cause and strength.
    """
    wanted: list[tuple[Cause | None, float, int]] = [(None, 0.0, i) for i in range(n_standard)]
    wanted += [(cause, s, i) for cause in CAUSES for s in strengths for i in range(repeats)]
    seeds = np.random.SeedSequence(seed, spawn_key=(purpose,)).generate_state(len(wanted), np.uint64)
    return [Scenario(*which, int(drawn)) for which, drawn in zip(wanted, seeds, strict=True)]


@dataclass(frozen=True)
class Laboratory:
    """Measures simulated experiments with one ensemble; what was measured before is read.

    Attributes
    ----------
    directory
        The saved ensemble.
    cache
        Folder of one JSON file an experiment.
    n_images
        Composites of each, evenly spaced in time.
    processes
        How many at once; 1 starts none.
    """

    directory: Path
    cache: Path
    n_images: int
    processes: int = 1

    def measure(
        self, scenarios: Sequence[Scenario], progress: Progress = lambda done, total: None
    ) -> dict[Scenario, Rows]:
        """Simulate, predict and measure; `progress` is called with experiments done and all."""
        folder = self.cache / f"{self.fingerprint()}-{self.n_images}"
        paths = {scenario: folder / f"{scenario.name}-{scenario.seed:x}.json" for scenario in scenarios}
        missing = [scenario for scenario, path in paths.items() if not path.is_file()]
        done = len(scenarios) - len(missing)
        for scenario, rows in self._run(missing):
            write_text_atomic(paths[scenario], json.dumps([row.flat() for row in rows]))
            done += 1
            progress(done, len(scenarios))
        return {
            scenario: [ImageRow.from_flat(row) for row in json.loads(path.read_text(encoding="utf-8"))]
            for scenario, path in paths.items()
        }

    def fingerprint(self) -> str:
        """What one fixed image measures: it changes with simulator, ensemble and evidence alone."""
        _load(self.directory)
        (row,) = _measure_one(Scenario(None, 0.0, 0, 0), 1)
        numbers = {name: f"{value:.5g}" for name, value in row.values.items()}
        return hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()[:16]

    def _run(self, scenarios: Sequence[Scenario]) -> Iterator[tuple[Scenario, Rows]]:
        work = partial(_measure_one, n_images=self.n_images)
        if self.processes == 1 or not scenarios:
            yield from ((scenario, work(scenario)) for scenario in scenarios)
            return
        # Forked, torch's threads would hang.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(self.processes, context, _start, (self.directory,)) as pool:
            futures = {pool.submit(work, scenario): scenario for scenario in scenarios}
            for future in as_completed(futures):
                yield futures[future], future.result()


def thinned(rows: Rows, n: int) -> Rows:
    """`n` of the images, evenly spaced from the first to the last."""
    return [rows[i] for i in np.linspace(0, len(rows) - 1, n).round().astype(int)]


_ensemble: Ensemble
"""Of a process that measures."""


def _start(directory: Path) -> None:
    import torch

    torch.set_num_threads(1)  # the processes share the cores already
    _load(directory)


def _load(directory: Path) -> None:
    global _ensemble
    _ensemble = Ensemble.load(directory, device="cpu")


def _measure_one(scenario: Scenario, n_images: int) -> Rows:
    rng = np.random.default_rng(scenario.seed)
    cause, strength = scenario.cause, scenario.strength
    spec = random_standard_spec(rng) if cause is None else shifted_spec(cause, strength, rng)
    seconds = np.linspace(1, spec.n_composites - 1, n_images).round().astype(int).tolist()
    images = list(simulate_experiment(spec, scenario.seed, seconds).images.astype(np.float32))
    predictions = list(_ensemble.predict_images(images))
    scores = [
        ImageRow(scenario.name, f"composite_{second:03d}", second, prediction.scores())
        for second, prediction in zip(seconds, predictions, strict=True)
    ]
    return with_evidence(scores, images, [prediction.mask for prediction in predictions])
