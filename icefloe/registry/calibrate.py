"""The experiments that an ensemble may be calibrated on, and the calibration."""

from collections.abc import Collection, Iterable, Iterator
from itertools import chain

from icefloe.datasets.dataset import Dataset, Sample
from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.guarantees import (
    LEVEL,
    MAX_ERROR,
    ExperimentSamples,
    Guarantees,
    fit_guarantees,
    score_experiment,
)
from icefloe.ensemble.manifest import Manifest
from icefloe.errors import IcefloeError
from icefloe.simulate.fresh import fresh_experiments

N_IMAGES = 6
"""Frames per simulated experiment: more frames of the same experiment add little information."""


def held_out_experiments(
    datasets: Iterable[Dataset], manifest: Manifest, trained_on: Collection[str] = ()
) -> list[ExperimentSamples]:
    """Images with a reference that an ensemble has not been trained on, by experiment.

    Parameters
    ----------
    datasets
        Datasets of the workspace; those of one experiment are put together.
    manifest
        The ensemble's manifest; its benchmark names the images of the training datasets that were held out.
    trained_on
        Keys (`D1/stack_7`) of images that were used in training, if the lineage is known.

    Returns
    -------
    list of ExperimentSamples
        Experiments without such images are left out.

    Raises
    ------
    IcefloeError
        If the ensemble has no benchmark, so that its training images are not known.
    """
    datasets = list(datasets)
    if datasets and not manifest.benchmark:
        raise IcefloeError(
            f"{manifest.name}: its ensemble.yaml has no benchmark, so which images are new to it is not "
            "known. Take an ensemble that a pipeline has made."
        )
    unseen = {row.key for row in manifest.benchmark} - set(trained_on)
    trained_datasets = {row.dataset for row in manifest.benchmark} | {key.split("/")[0] for key in trained_on}
    samples: dict[str, list[Sample]] = {}
    trained_experiments = set()
    for dataset in datasets:
        experiment = dataset.info.experiment
        if dataset.name in trained_datasets:
            trained_experiments.add(experiment)
        samples.setdefault(experiment, []).extend(
            sample
            for sample in dataset.samples
            if sample.has_reference and (dataset.name not in trained_datasets or sample.key in unseen)
        )
    return [
        ExperimentSamples(name, "trained on" if name in trained_experiments else "new", found)
        for name, found in samples.items()
        if found
    ]


def simulated_experiments(n: int, seed: int, n_images: int = N_IMAGES) -> Iterator[ExperimentSamples]:
    """Fresh simulated experiments (`icefloe.simulate.fresh`), made as they are asked for.

    Parameters
    ----------
    n
        Number of experiments.
    seed
        Seed that all the experiments are drawn from.
    n_images
        Frames in each experiment.
    """
    for samples in fresh_experiments(n, n_images, seed):
        yield ExperimentSamples(samples[0].dataset, "simulated", samples)


def calibrate(
    ensemble: Ensemble,
    held_out: Iterable[ExperimentSamples],
    simulated: Iterable[ExperimentSamples],
    max_error: float = MAX_ERROR,
    confidence: float = LEVEL,
) -> Guarantees:
    """Score experiments of both kinds and take the quantiles over all of them.

    Parameters
    ----------
    ensemble
        The ensemble to be calibrated.
    held_out, simulated
        Experiments that it was not trained on.
    max_error
        Share of an image, in [0, 1], that may be wrong without a warning.
    confidence
        Level of that promise, in (0, 1).

    Raises
    ------
    IcefloeError
        If there is no experiment, or an image of one cannot be used.
    """
    scores = [score_experiment(ensemble, e, max_error) for e in chain(held_out, simulated)]
    return fit_guarantees(scores, ensemble.manifest.classes, max_error, confidence)
