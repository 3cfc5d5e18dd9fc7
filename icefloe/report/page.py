"""The report of a run: what happened to every dataset and version, on one self-contained page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, select_autoescape
from matplotlib.figure import Figure

from icefloe.evaluation.evaluate import Evaluation
from icefloe.evaluation.temperature import TemperatureCheck, check_temperature
from icefloe.files import write_text_atomic
from icefloe.report.figures import data_uri, png
from icefloe.report.findings import Findings
from icefloe.report.timeline import what_happened

if TYPE_CHECKING:
    from icefloe.registry.registry import Registry
    from icefloe.registry.runs import RunRecord

COLUMNS = {"pca": "pCA", "iou": "IoU", "dice": "Dice", "brier": "Brier", "ece": "ECE", "uq": "UQ"}


def write_page(record: RunRecord, registry: Registry, path: Path) -> str:
    """Write the page; return the champion's name, or `none`.

    Parameters
    ----------
    record
        Record of the run.
    registry
        The versions, for lineage and history.
    path
        HTML file to write.
    """
    findings = Findings.read(record)
    champion = registry.champion()
    history, versions = registry.history(), registry.list()
    promoted = {entry.champion for entry in history}
    template = Environment(
        loader=PackageLoader("icefloe.report", "."), autoescape=select_autoescape(default=True)
    ).get_template("page.html")
    text = template.render(
        run=record.run_id,
        pipeline=record.name,
        written=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        happened=what_happened(
            findings,
            promoted,
            champion.name if champion else None,
            champion.provisional if champion else "",
        ),
        versions=versions,
        provisional={version.name: version.provisional for version in versions},
        history=history,
        findings=findings,
        columns=COLUMNS,
        table=_table(findings.evaluations),
        calibration=_calibration_figure(findings.evaluations) if findings.evaluations else None,
        judges={name: note for name, found in findings.evaluations.items() if (note := found.judges_note())},
        temperatures=_temperatures(findings.evaluations),
        image_address=_image_address,
    )
    write_text_atomic(path, text)
    return champion.name if champion else "none"


def _image_address(picture: Figure | bytes) -> str:
    """A figure or a PNG as a data URI."""
    return data_uri(picture if isinstance(picture, bytes) else png(picture))


def _table(evaluations: Mapping[str, Evaluation]) -> list[dict[str, Any]]:
    """Rows of the paper's tables 4 to 6: every dataset, every version, then the trivial baselines."""
    datasets = list(dict.fromkeys(name for found in evaluations.values() for name in found.datasets))
    rows = []
    for dataset in datasets:
        scores = {v: found.datasets[dataset] for v, found in evaluations.items() if dataset in found.datasets}
        for version, values in scores.items():
            numbers = {column: getattr(values, column) for column in COLUMNS}
            rows.append({"dataset": dataset, "who": version, "n": values.n_images, **numbers})
        latest = evaluations[list(scores)[-1]]
        for name, baseline in latest.baselines[dataset].items():
            rows.append(
                {
                    "dataset": dataset,
                    "who": name,
                    "n": latest.datasets[dataset].n_images,
                    "trivial": True,
                    "pca": baseline.pca,
                    "iou": baseline.iou,
                    "dice": baseline.dice,
                }
            )
    return rows


def _temperatures(evaluations: Mapping[str, Evaluation]) -> list[TemperatureCheck]:
    """Of every version whose evaluation has the numbers needed."""
    checks = {name: check_temperature(found) for name, found in evaluations.items()}
    return [check.model_copy(update={"ensemble": name}) for name, check in checks.items() if check]


def _calibration_figure(evaluations: Mapping[str, Evaluation]) -> Figure:
    figure = Figure(figsize=(4.2 * len(evaluations), 3.8), layout="constrained")
    axes = figure.subplots(1, len(evaluations), squeeze=False)[0]
    for axis, (name, found) in zip(axes, evaluations.items(), strict=True):
        found.plot(axis)
        axis.set_title(name)
    return figure
