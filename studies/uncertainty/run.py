"""From an ensemble and a workspace's datasets to the study."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np

from icefloe.datasets.dataset import Dataset
from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.guarantees import (
    LEVEL,
    MAX_ERROR,
    ExperimentSamples,
)
from icefloe.errors import IcefloeError
from icefloe.evaluation.evaluate import Evaluation, evaluate
from icefloe.evaluation.temperature import check_temperature
from icefloe.registry.calibrate import N_IMAGES, held_out_experiments
from icefloe.registry.registry import Registry
from icefloe.registry.store import StoreSettings
from icefloe.report.figures import Segmented
from icefloe.simulate.fresh import SimulatedSample, fresh_experiments
from icefloe.simulate.standard import Cause, shifted_spec
from studies.uncertainty.coverage import LEVELS, METHODS, OURS, divide, intraclass_correlation, verify
from studies.uncertainty.measure import Measured, measure
from studies.uncertainty.rows import (
    AbstentionRow,
    RankingRow,
    SplitRow,
    highest_doubt,
    image_curves,
    pixel_curves,
)
from studies.uncertainty.study import UncertaintyStudy
from studies.uncertainty.verdicts import FRESH

FEW = (2, 5, 9, 20, 50, 100)
"""Experiments to calibrate on, besides half of all."""

N_SHIFTED = 8
"""Of each cause, at full strength."""

N_EXAMPLES = 4


@dataclass(frozen=True)
class Subject:
    """An ensemble, and the keys of the images that its training has seen, where its lineage is known."""

    ensemble: Ensemble
    trained_on: Collection[str] = ()


def saved_subject(folder: Path) -> Subject:
    """An ensemble's directory; what it was trained on is then known from its benchmark alone."""
    return Subject(Ensemble.load(folder))


def registered_subjects(settings: StoreSettings, scratch: Path) -> list[Subject]:
    """The champion, then every other registered version, each under its own name, newest first.

    Raises
    ------
    IcefloeError
        If there is no champion.
    """
    registry = Registry(settings)
    champion = registry.get("champion").name
    others = [version.name for version in reversed(registry.list()) if version.name != champion]
    subjects = []
    for name in (champion, *others):
        loaded = Ensemble.load(registry.download(name, scratch / name))
        named = loaded.with_manifest(loaded.manifest.model_copy(update={"name": name}))
        subjects.append(Subject(named, registry.show(name).lineage.keys()))
    return subjects


Progress = Callable[[str, int, int], None]
"""Told what is measured, how many experiments are done, and how many there are."""


def run_uncertainty(
    subject: Subject,
    datasets: Mapping[str, Dataset],
    earlier: Sequence[Subject] = (),
    n_experiments: int = 240,
    seed: int = 0,
    progress: Progress = lambda what, done, total: None,
) -> UncertaintyStudy:
    """Measure what an ensemble's uncertainty is worth.

    Parameters
    ----------
    subject
        The ensemble.
    datasets
        Of the workspace; their images with a reference that training has not seen are used.
    earlier
        Other versions, whose temperatures are checked too.
    n_experiments
        Fresh simulated experiments, at least 20.
    seed
        Of experiments, divisions and drawn pixels.
    progress
        Told how far it is.

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
    ensemble = subject.ensemble
    held_out = _held_out(subject, datasets)
    evaluation = _evaluate(subject, datasets)
    known = {e.name: [measure(ensemble, e.name, e.samples, MAX_ERROR, rng)] for e in held_out}
    shifted = {
        cause: _simulated(
            ensemble,
            cause,
            fresh_experiments(N_SHIFTED, N_IMAGES, seed, cause, partial(shifted_spec, cause, 1.0)),
            N_SHIFTED,
            rng,
            progress,
        )
        for cause in get_args(Cause)
    }
    drawn = fresh_experiments(n_experiments, N_IMAGES, seed)
    fresh = _simulated(ensemble, FRESH, drawn, n_experiments, rng, progress)
    others = known | shifted
    ranked = {FRESH: fresh, **known, "simulated shifts": [e for group in shifted.values() for e in group]}
    half = n_experiments // 2
    return UncertaintyStudy(
        ensemble=ensemble.manifest.name,
        n_members=len(ensemble.manifest.members),
        level=LEVEL,
        max_error=MAX_ERROR,
        n_experiments=n_experiments,
        n_images=N_IMAGES,
        splits=tuple(SplitRow.of(where, group) for where, group in ({FRESH: fresh} | others).items()),
        checks=tuple(
            check
            for found in (evaluation, *(_evaluate(version, datasets) for version in earlier))
            if (check := check_temperature(found))
        ),
        between=intraclass_correlation(OURS.scores(fresh)),
        methods=tuple(row for method in METHODS for row in divide(fresh, method, half, rng)),
        few=tuple(row for n in FEW if n < n_experiments for row in divide(fresh, OURS, n, rng)),
        verifications=(
            *(verify(f"{FRESH}, the other half", fresh[:half], fresh[half:], level) for level in LEVELS),
            *(verify(where, fresh, group, LEVEL) for where, group in others.items()),
        ),
        rankings=tuple(
            RankingRow.of(where, unit, curves(group))
            for unit, curves in (("pixels", pixel_curves), ("images", image_curves))
            for where, group in ranked.items()
        ),
        abstentions=(
            AbstentionRow.of(FRESH, fresh[:half], fresh[half:], MAX_ERROR, LEVEL),
            *(AbstentionRow.of(where, fresh, group, MAX_ERROR, LEVEL) for where, group in others.items()),
        ),
        evaluation=evaluation,
        curves={"pixels": pixel_curves(fresh), "images": image_curves(fresh)},
        examples=tuple(_examples(ensemble, held_out, highest_doubt(fresh, LEVEL))),
    )


def _held_out(subject: Subject, datasets: Mapping[str, Dataset]) -> list[ExperimentSamples]:
    return held_out_experiments(datasets.values(), subject.ensemble.manifest, subject.trained_on)


def _evaluate(subject: Subject, datasets: Mapping[str, Dataset]) -> Evaluation:
    samples = [sample for experiment in _held_out(subject, datasets) for sample in experiment.samples]
    return evaluate(subject.ensemble, samples)


def _simulated(
    ensemble: Ensemble,
    what: str,
    experiments: Iterable[Sequence[SimulatedSample]],
    n: int,
    rng: np.random.Generator,
    progress: Progress,
) -> list[Measured]:
    measured = []
    for done, samples in enumerate(experiments):
        progress(what, done, n)
        name = samples[0].dataset
        measured.append(measure(ensemble, name, samples, MAX_ERROR, rng))
    return measured


def _examples(
    ensemble: Ensemble, held_out: Sequence[ExperimentSamples], max_doubt: float
) -> Iterator[Segmented]:
    """The middle frame of the last experiments to come in: those least like the training."""
    middle: list[Any] = [e.samples[len(e.samples) // 2] for e in held_out[-N_EXAMPLES:]]
    for sample, prediction in ensemble.predict(middle):
        abstained = prediction.doubt >= max_doubt
        title = f"{sample.key}, abstains from {abstained.mean():.1%}"
        mask = sample.reference()
        yield Segmented(title, sample.image(), prediction.mask, prediction.std, mask, abstained)
