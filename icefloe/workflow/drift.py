"""Check a new dataset for drift, and let one that is harmless join the benchmark."""

from collections.abc import Sequence
from pathlib import Path

from icefloe.datasets.bundle import Bundle
from icefloe.datasets.dataset import Sample, load_datasets
from icefloe.drift.benchmark import Benchmark, predicted_rows, with_evidence
from icefloe.drift.config import GateConfig
from icefloe.drift.gate import check
from icefloe.drift.predicted_dice import EXPECTED_DICE
from icefloe.drift.report import GateReport
from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.manifest import Manifest
from icefloe.ensemble.predictions import Maps, PredictionSet
from icefloe.ensemble.rows import ImageRow
from icefloe.errors import IcefloeError
from icefloe.progress import SILENT, Progress, tracked
from icefloe.registry.registry import Registry
from icefloe.registry.runs import RunRecord
from icefloe.scoring.uncertainty import expected_dice
from icefloe.settings import Settings
from icefloe.workflow.versions import FetchedVersion as FetchedVersion  # faces call both by one module


def check_drift(
    settings: Settings, version: FetchedVersion, predictions: Path, data: Path, gate: GateConfig, run: str
) -> GateReport:
    """Compare a dataset with a version's benchmark, and keep the report with the run.

    Parameters
    ----------
    settings
        Name the tracking store and the registry.
    version
        The version that predicted the dataset.
    predictions
        Directory of the dataset's predictions.
    data
        Bundle that holds the one dataset.
    gate
        Levels and assumptions of the gate.
    run
        Id of the run that keeps the report, as `gate/<dataset>.json`.
    """
    bundle = Bundle.load(data)
    predicted = PredictionSet.load(predictions)
    rows = [
        measured
        for row, sample in zip(predicted.rows, bundle.samples, strict=True)
        for measured in _measured(row, sample, predicted.maps(sample.key), bundle.only.info.experiment)
    ]
    report = _checked(Registry(settings), version.name, Manifest.load(version.folder), rows, gate)
    record = RunRecord(settings, run)
    record.write_result(f"gate/{report.dataset}.json", report)
    record.write_metrics(report.numbers())
    return report


def accept_experiment(
    settings: Settings,
    dataset: str,
    version: str = "champion",
    reason: str = "",
    progress: Progress = SILENT,
) -> GateReport:
    """Let a dataset join a version's benchmark, so that the gate learns how much experiments vary.

    Images that the version was trained on are left out: on those it agrees with itself.

    Parameters
    ----------
    settings
        Settings of the workspace.
    dataset
        Name of the dataset; accepted again, its new rows replace the old.
    version
        Name of a version such as `EA-T2`, or an alias. A later version gets a new benchmark.
    reason
        Why the dataset is harmless; needed where the gate does not accept it.
    progress
        Receives the number of images done.

    Returns
    -------
    GateReport
        The gate's report on it before it joined.

    Raises
    ------
    IcefloeError
        If the version was trained on all of its images, or the gate does not accept it and there is no
        reason.
    """
    registry = Registry(settings)
    name = registry.get(version).name
    segmenter = registry.load(version)
    if not isinstance(segmenter, Ensemble):
        raise IcefloeError(f"{name}: it has no benchmark. Name a version EA-Tn.")
    trained_on = set(registry.show(version).lineage.keys())
    samples = [
        sample
        for sample in load_datasets(settings.data, [dataset])[dataset].samples
        if sample.key not in trained_on
    ]
    if not samples:
        raise IcefloeError(f"{dataset}: {name} was trained on all of its images. Name another dataset.")
    predicted = segmenter.predict(samples)
    rows = predicted_rows(tracked(predicted, progress, "Measuring", len(samples)))
    report = _checked(registry, name, segmenter.manifest, rows)
    if report.outcome != "accept" and not reason.strip():
        raise IcefloeError(
            f"{report.sentence()} If you know that it is harmless, say why with --reason, and it joins."
        )
    registry.accept_experiment(name, dataset, rows)
    return report


def _measured(row: ImageRow, sample: Sample, maps: Maps, experiment: str) -> list[ImageRow]:
    """One image's row with the Dice that its probabilities expect, and its input evidence."""
    expected = row.with_values({EXPECTED_DICE: expected_dice(maps.mean, maps.mask)})
    return with_evidence([expected], [sample.image()], [maps.mask], experiment)


def _checked(
    registry: Registry,
    version: str,
    manifest: Manifest,
    rows: Sequence[ImageRow],
    gate: GateConfig | None = None,
) -> GateReport:
    """The gate's report, with what it and the version that judged are worth."""
    benchmark = _benchmark(registry, version, manifest)
    n_seen = sum(row.key in manifest.trained_on for row in benchmark.rows)
    warning = (
        f"Of the benchmark's {len(benchmark.rows)} images, {n_seen} trained some of the members, which agree "
        "more on them than on new images: the new dataset's uncertainty looks larger than it is, and a shift "
        "is found more often than the rate says. Keep test images (split.test_fraction), or accept a dataset "
        "that is harmless."
    )
    return check(benchmark, rows, gate).model_copy(
        update={
            "version": version,
            "provisional": registry.get(version).provisional,
            "warnings": (warning,) if n_seen else (),
        }
    )


def _benchmark(registry: Registry, version: str, manifest: Manifest) -> Benchmark:
    """Held-out images of the version's training datasets, and datasets accepted since."""
    accepted = registry.accepted_rows(version)
    benchmark = Benchmark(manifest.benchmark)
    return benchmark.accept(accepted) if accepted else benchmark
