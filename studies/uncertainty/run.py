"""From an ensemble and a workspace's datasets to the study."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np

from icefloe.datasets.dataset import Dataset, load_datasets
from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.guarantees import LEVEL, MAX_ERROR, ExperimentSamples
from icefloe.errors import IcefloeError
from icefloe.evaluation.evaluate import Evaluation, evaluate
from icefloe.evaluation.temperature import check_temperature
from icefloe.progress import SILENT, Progress, tracked
from icefloe.registry.calibrate import N_IMAGES, held_out_experiments
from icefloe.registry.loading import load_ensemble
from icefloe.registry.registry import Registry
from icefloe.report.figures import SegmentedImage
from icefloe.settings import Settings
from icefloe.simulate.fresh import fresh_experiments
from icefloe.simulate.standard import Cause, random_standard_spec, shifted_spec
from icefloe.statistics.repetitions import intraclass_correlation
from studies.uncertainty.design import FEW, FRESH, IN_USE, LEVELS, METHODS, N_EXAMPLES, N_SHIFTED
from studies.uncertainty.measure import MeasuredExperiment, measure
from studies.uncertainty.result import Calibration, UncertaintyResult
from studies.uncertainty.rows import (
    Abstention,
    Decomposition,
    Ranking,
    divide,
    highest_doubt,
    risk_curves,
    verify,
)


@dataclass(frozen=True)
class TrainedEnsemble:
    """An ensemble, and the keys of the images that its training has seen, where its lineage is known."""

    ensemble: Ensemble
    trained_on: Collection[str] = ()

    def held_out(self, datasets: Mapping[str, Dataset]) -> list[ExperimentSamples]:
        """Images with a reference that training has not seen, by experiment."""
        return held_out_experiments(datasets.values(), self.ensemble.manifest, self.trained_on)

    def evaluate(self, datasets: Mapping[str, Dataset]) -> Evaluation:
        """On those images."""
        held_out = self.held_out(datasets)
        return evaluate(self.ensemble, [sample for e in held_out for sample in e.samples])


def run_uncertainty(
    settings: Settings,
    progress: Progress = SILENT,
    *,
    ensemble: Path | None = None,
    n_experiments: int = 240,
    seed: int = 0,
) -> UncertaintyResult:
    """Of a saved ensemble; with None, of the workspace's champion, beside all other versions' temperatures.

    Of a saved ensemble, what it was trained on is known from its benchmark alone. Parameters and errors are
    those of `measure_uncertainty`, and there must be a champion.
    """
    datasets = load_datasets(settings.data)
    ensembles = (
        registered_ensembles(settings) if ensemble is None else [TrainedEnsemble(Ensemble.load(ensemble))]
    )
    return measure_uncertainty(ensembles, datasets, n_experiments, seed, progress)


def registered_ensembles(settings: Settings) -> list[TrainedEnsemble]:
    """The champion, then every other registered version, each under its own name, newest first.

    Raises
    ------
    IcefloeError
        If there is no champion.
    """
    registry = Registry(settings)
    newest_first = [version.name for version in reversed(registry.list())]
    found = []
    for name in dict.fromkeys((registry.get("champion").name, *newest_first)):
        loaded = load_ensemble(settings, name)
        named = loaded.with_manifest(loaded.manifest.model_copy(update={"name": name}))
        found.append(TrainedEnsemble(named, registry.show(name).lineage.keys()))
    return found


def measure_uncertainty(
    ensembles: Sequence[TrainedEnsemble],
    datasets: Mapping[str, Dataset],
    n_experiments: int = 240,
    seed: int = 0,
    progress: Progress = SILENT,
) -> UncertaintyResult:
    """Measure what an ensemble's uncertainty is worth.

    Parameters
    ----------
    ensembles
        The ensemble; behind it other versions, of which the temperature alone is checked.
    datasets
        Datasets of the workspace; their images with a reference that training has not seen are used.
    n_experiments
        Number of fresh simulated experiments, at least 20.
    seed
        Seed of the draws of experiments, divisions and pixels.
    progress
        Told how many experiments of each kind are measured.

    Raises
    ------
    IcefloeError
        If there are too few experiments, nobody knows what the ensemble was trained on, or no image has a
        reference.
    """
    if n_experiments < 20:
        raise IcefloeError(
            f"{n_experiments} experiments: half of them must allow 90 % intervals. Ask for 20 or more."
        )
    rng = np.random.default_rng(seed)
    ensemble, held_out = ensembles[0].ensemble, ensembles[0].held_out(datasets)
    evaluations = [each.evaluate(datasets) for each in ensembles]

    def simulated(group: str, n: int, *draw: Any) -> list[MeasuredExperiment]:
        experiments = fresh_experiments(n, N_IMAGES, seed, group, *draw)
        return [measure(ensemble, each, MAX_ERROR, rng) for each in tracked(experiments, progress, group, n)]

    known = {e.name: [measure(ensemble, e.samples, MAX_ERROR, rng)] for e in held_out}
    shifted = {c: simulated(c, N_SHIFTED, partial(shifted_spec, c, 1.0)) for c in get_args(Cause)}
    fresh = simulated(FRESH, n_experiments, random_standard_spec)
    others = known | shifted
    ranked = {FRESH: fresh, **known, "simulated shifts": [e for group in shifted.values() for e in group]}
    half = n_experiments // 2
    return UncertaintyResult(
        ensemble=ensemble.name,
        n_members=len(ensemble.manifest.members),
        level=LEVEL,
        max_error=MAX_ERROR,
        n_experiments=n_experiments,
        n_images=N_IMAGES,
        intraclass_correlation=intraclass_correlation(IN_USE.scores(fresh)),
        decompositions=tuple(
            Decomposition.of(name, group) for name, group in ({FRESH: fresh} | others).items()
        ),
        checks=tuple(filter(None, map(check_temperature, evaluations))),
        methods=tuple(row for method in METHODS for row in divide(fresh, method, half, rng)),
        few=tuple(row for n in FEW if n < n_experiments for row in divide(fresh, IN_USE, n, rng)),
        verifications=(
            *(verify(f"{FRESH}, the other half", fresh[:half], fresh[half:], level) for level in LEVELS),
            *(verify(name, fresh, group, LEVEL) for name, group in others.items()),
        ),
        rankings=tuple(
            Ranking.of(name, unit, group) for unit in ("pixels", "images") for name, group in ranked.items()
        ),
        abstentions=(
            Abstention.of(FRESH, fresh[:half], fresh[half:], MAX_ERROR, LEVEL),
            *(Abstention.of(name, fresh, group, MAX_ERROR, LEVEL) for name, group in others.items()),
        ),
        calibration=tuple(
            Calibration(dataset=dataset, **scores.model_dump(include=set(Calibration.model_fields)))
            for dataset, scores in evaluations[0].datasets.items()
        ),
        curves={unit: risk_curves(unit, fresh) for unit in ("pixels", "images")},
        examples=tuple(_examples(ensemble, held_out, highest_doubt(fresh, LEVEL))),
    )


def _examples(
    ensemble: Ensemble, held_out: Sequence[ExperimentSamples], max_doubt: float
) -> Iterator[SegmentedImage]:
    """The middle frame of the last experiments to come in: those least like the training."""
    middle: list[Any] = [e.samples[len(e.samples) // 2] for e in held_out[-N_EXAMPLES:]]
    for sample, prediction in ensemble.predict(middle):
        abstained = prediction.doubt >= max_doubt
        title = f"{sample.key}, abstains from {abstained.mean():.1%}"
        mask = sample.reference()
        yield SegmentedImage(title, sample.image(), prediction.mask, prediction.std, mask, abstained)
