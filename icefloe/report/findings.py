"""Findings of the steps of a run, read from its record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from icefloe.active.sampler import Selection
from icefloe.drift.report import GateReport
from icefloe.evaluation.evaluate import Evaluation
from icefloe.evaluation.promotion import PromotionReport
from icefloe.training.pruning import PruningResult

if TYPE_CHECKING:
    from icefloe.registry.runs import RunRecord


@dataclass(frozen=True)
class LabelCost:
    """Number of labels received, and the minutes spent on them."""

    n_images: int
    minutes: float


@dataclass(frozen=True)
class Arrival:
    """One dataset that arrived.

    Attributes
    ----------
    dataset
        Name of the dataset.
    gate
        Report of the drift gate; None: the run has no gate (`retrain`).
    selection, selection_picture
        Images chosen for labelling, and a PNG of them; None where none were chosen.
    labels
        Summary of its labelling; None: no labels came in.
    """

    dataset: str
    gate: GateReport | None
    selection: Selection | None
    selection_picture: bytes | None
    labels: LabelCost | None


@dataclass(frozen=True)
class MadeVersion:
    """One version that the run made.

    Attributes
    ----------
    name
        Name of the version, such as `EA-T2`.
    promotion
        Report of its promotion gate.
    pruning
        Candidates kept and dropped, with reasons.
    picture
        PNG of held-out images with outlines.
    """

    name: str
    promotion: PromotionReport
    pruning: PruningResult
    picture: bytes

    @property
    def is_provisional(self) -> bool:
        """Whether it is not shown to beat the trivial baselines, or has members that do not pass pruning."""
        return bool(self.promotion.provisional or self.pruning.provisional)


@dataclass(frozen=True)
class Findings:
    """Everything that a run's record holds.

    Attributes
    ----------
    arrivals
        Datasets that the run checked, in order.
    versions
        Versions that were made, oldest first.
    evaluations
        Version, also the champions compared with -> its evaluation that covers the most datasets; older
        versions first.
    """

    arrivals: tuple[Arrival, ...]
    versions: tuple[MadeVersion, ...]
    evaluations: dict[str, Evaluation]

    @classmethod
    def read(cls, record: RunRecord) -> Findings:
        """Read a run's record, also that of an unfinished run."""
        promotions = record.read_folder("promotion")
        made = sorted(promotions, key=_number)
        return cls(
            _arrivals(record),
            tuple(_version(record, name, promotions[name]) for name in made),
            _evaluations(record),
        )


def _arrivals(record: RunRecord) -> tuple[Arrival, ...]:
    gates, selections, labels = map(record.read_folder, ("gate", "selection", "labels"))
    arrivals = []
    for dataset in dict.fromkeys([*gates, *labels]):
        gate, chosen, cost = gates.get(dataset), selections.get(dataset), labels.get(dataset)
        arrivals.append(
            Arrival(
                dataset=dataset,
                gate=GateReport.model_validate(gate) if gate else None,
                selection=Selection.model_validate(chosen) if chosen else None,
                selection_picture=record.read_bytes(f"selection/{dataset}.png") if chosen else None,
                labels=LabelCost(len(cost["keys"]), cost["seconds"] / 60) if cost else None,
            )
        )
    return tuple(arrivals)


def _version(record: RunRecord, name: str, promotion: object) -> MadeVersion:
    return MadeVersion(
        name=name,
        promotion=PromotionReport.model_validate(promotion),
        pruning=PruningResult.model_validate(record.read_json(f"pruning/{name}.json")),
        picture=record.read_bytes(f"pictures/{name}.png"),
    )


def _evaluations(record: RunRecord) -> dict[str, Evaluation]:
    found = {
        name: Evaluation.model_validate(content) for name, content in record.read_folder("evaluation").items()
    }
    for content in record.read_folder("before").values():
        evaluation = Evaluation.model_validate(content["evaluation"])
        known = found.get(content["version"])
        if known is None or len(evaluation.datasets) > len(known.datasets):
            found[content["version"]] = evaluation
    return {name: found[name] for name in sorted(found, key=_number)}


def _number(version: str) -> int:
    return int(version.rpartition("T")[2])
