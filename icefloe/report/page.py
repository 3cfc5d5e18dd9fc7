"""The report of a run: what happened to every dataset and version, on one self-contained page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, select_autoescape
from matplotlib.figure import Figure

from icefloe.active.sampler import Selection
from icefloe.drift.report import GateReport
from icefloe.evaluation.evaluate import Evaluation
from icefloe.evaluation.promotion import PromotionReport
from icefloe.evaluation.temperature import TemperatureCheck, check_temperature
from icefloe.files import write_text_atomic
from icefloe.report.figures import data_uri, png
from icefloe.report.intervals import intervals_figure

if TYPE_CHECKING:
    from icefloe.registry.registry import Registry
    from icefloe.registry.runs import RunRecord

COLUMNS = {"pca": "pCA", "iou": "IoU", "dice": "Dice", "brier": "Brier", "ece": "ECE", "uq": "UQ"}


@dataclass(frozen=True)
class Arrival:
    """One dataset that came in: what the gate said, what was chosen, and what its labels cost.

    Each is None where the run did not come to it: `retrain` has no gate, `drift_check` no labels.
    """

    dataset: str
    gate: GateReport | None
    gate_figure: str | None
    selection: Selection | None
    selection_figure: str | None
    labels: LabelCost | None


@dataclass(frozen=True)
class LabelCost:
    """How many labels came in, and the minutes spent on them."""

    n_images: int
    minutes: float


@dataclass(frozen=True)
class VersionSection:
    """One version that the run made."""

    name: str
    promotion: PromotionReport
    intervals: str
    pictures: str
    pruning: Mapping[str, Any]


def write_page(record: RunRecord, registry: Registry, path: Path) -> str:
    """Write the page; return the champion's name, or `none`.

    Parameters
    ----------
    record
        What the run's steps found.
    registry
        The versions, for lineage and history.
    path
        The HTML file.
    """
    evaluations = _evaluations(record)
    champion = registry.champion()
    template = Environment(
        loader=PackageLoader("icefloe.report", "."), autoescape=select_autoescape(default=True)
    ).get_template("page.html")
    text = template.render(
        run=record.run_id,
        pipeline=record.name,
        written=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        champion=champion.name if champion else None,
        versions=registry.list(),
        history=registry.history(),
        made=[_version(record, name) for name in record.read_folder("promotion")],
        arrivals=_arrivals(record),
        columns=COLUMNS,
        table=_table(evaluations),
        calibration=_picture(_calibration_figure(evaluations)) if evaluations else None,
        temperatures=_temperatures(evaluations),
    )
    write_text_atomic(path, text)
    return champion.name if champion else "none"


def _evaluations(record: RunRecord) -> dict[str, Evaluation]:
    """The latest evaluation of each version, which covers the most datasets; older versions first."""
    found: dict[str, Evaluation] = {}
    for name, content in record.read_folder("evaluation").items():
        found[name] = Evaluation.from_dict(content)
    for content in record.read_folder("before").values():
        seen = Evaluation.from_dict(content["evaluation"])
        known = found.get(content["version"])
        if known is None or len(seen.datasets) > len(known.datasets):
            found[content["version"]] = seen
    return {name: found[name] for name in sorted(found, key=_number)}


def _number(version: str) -> int:
    return int(version.rpartition("T")[2])


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
    """Of every version whose evaluation kept what it takes."""
    checks = [check_temperature(found) for found in evaluations.values()]
    names = list(evaluations)
    return [
        check.model_copy(update={"ensemble": name})
        for name, check in zip(names, checks, strict=True)
        if check is not None
    ]


def _calibration_figure(evaluations: Mapping[str, Evaluation]) -> Figure:
    figure = Figure(figsize=(4.2 * len(evaluations), 3.8), layout="constrained")
    axes = figure.subplots(1, len(evaluations), squeeze=False)[0]
    for axis, (name, found) in zip(axes, evaluations.items(), strict=True):
        found.plot_calibration(axis)
        axis.set_title(name)
    return figure


def _version(record: RunRecord, name: str) -> VersionSection:
    promotion = PromotionReport.from_dict(record.read_json(f"promotion/{name}.json"))
    return VersionSection(
        name=name,
        promotion=promotion,
        intervals=_picture(intervals_figure(promotion)),
        pictures=data_uri(record.read_bytes(f"pictures/{name}.png")),
        pruning=record.read_json(f"pruning/{name}.json"),
    )


def _arrivals(record: RunRecord) -> list[Arrival]:
    gates, selections, labels = map(record.read_folder, ("gate", "selection", "labels"))
    arrivals = []
    for dataset in dict.fromkeys([*gates, *labels]):
        gate = GateReport.model_validate(gates[dataset]) if dataset in gates else None
        cost = labels.get(dataset)
        chosen = selections.get(dataset)
        arrivals.append(
            Arrival(
                dataset=dataset,
                gate=gate,
                gate_figure=_picture(gate.figure()) if gate else None,
                selection=Selection.model_validate(chosen) if chosen else None,
                selection_figure=data_uri(record.read_bytes(f"selection/{dataset}.png")) if chosen else None,
                labels=LabelCost(len(cost["keys"]), cost["seconds"] / 60) if cost else None,
            )
        )
    return arrivals


def _picture(figure: Figure) -> str:
    return data_uri(png(figure))
