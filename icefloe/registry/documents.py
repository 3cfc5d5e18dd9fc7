"""Documents stored with a version by `Registry.register`, and the gate's reports."""

from mlflow.entities.model_registry import ModelVersion
from pydantic import RootModel

from icefloe.ensemble.guarantees import Guarantees
from icefloe.ensemble.rows import ImageRow
from icefloe.evaluation.evaluate import Evaluation
from icefloe.evaluation.promotion import PromotionReport
from icefloe.registry.lineage import Lineage
from icefloe.registry.provisional import Provisional
from icefloe.registry.store import VersionStore

LINEAGE_FILE, EVALUATION_FILE, HASHES_FILE = "lineage.json", "evaluation.json", "manifest.json"
GUARANTEES_FILE, PROVISIONAL_FILE = "guarantees.json", "provisional.json"
ACCEPTED_FOLDER = "accepted"
REPORT_TAG, GUARANTEES_TAG, PROVISIONAL_TAG = "gate.report", "guarantees", "provisional"
LONGEST_TAG = 5000
"""Characters that MLflow's database takes."""


class AcceptedRows(RootModel[tuple[ImageRow, ...]]):
    """Scores and evidence of the images of one accepted dataset."""


class Hashes(RootModel[dict[str, str]]):
    """Path of a file in the version's folder -> SHA-256 of its bytes, in hex."""


def read_lineage(store: VersionStore, version: ModelVersion) -> Lineage:
    """Lineage of a version."""
    return store.read(version, LINEAGE_FILE, Lineage)


def read_evaluation(store: VersionStore, version: ModelVersion) -> Evaluation:
    """A version's evaluation at its registration."""
    return store.read(version, EVALUATION_FILE, Evaluation)


def read_accepted(store: VersionStore, version: ModelVersion) -> tuple[ImageRow, ...]:
    """Rows of the datasets that joined a version's benchmark since it was registered."""
    documents = store.files(version).read_folder(ACCEPTED_FOLDER)
    return tuple(row for text in documents.values() for row in AcceptedRows.model_validate_json(text).root)


def write_accepted(
    store: VersionStore, version: ModelVersion, dataset: str, rows: tuple[ImageRow, ...]
) -> None:
    """Write the rows of an accepted dataset, in place of earlier ones."""
    store.files(version).write(f"{ACCEPTED_FOLDER}/{dataset}.json", AcceptedRows(rows).model_dump_json())


def read_hashes(store: VersionStore, version: ModelVersion) -> dict[str, str]:
    """Path of each file of a version's folder -> SHA-256."""
    return store.read(version, HASHES_FILE, Hashes).root


def read_report(store: VersionStore, version: ModelVersion) -> PromotionReport | None:
    """The promotion gate's latest report on a version; None if it was never judged."""
    path = version.tags.get(REPORT_TAG)
    return _named(store, version, store.read(version, path, PromotionReport)) if path else None


def write_report(store: VersionStore, version: ModelVersion, report: PromotionReport) -> None:
    """Write a report, beside those against other champions, and mark it as the latest."""
    report = _named(store, version, report)
    provisional = read_provisional(store, version)
    if provisional.gate != report.provisional:  # before the report, by which a version counts as judged
        write_provisional(store, version, provisional.model_copy(update={"gate": report.provisional}))
    path = f"gate/against-{report.champion or 'baselines'}"
    files = store.files(version)
    files.write(f"{path}.json", report.model_dump_json(indent=1))
    files.write(f"{path}.md", report.to_markdown())
    store.tag(
        version,
        {
            "gate.verdict": report.verdict,
            "gate.champion": report.champion or "",
            REPORT_TAG: f"{path}.json",
        },
    )


def _named(store: VersionStore, version: ModelVersion, report: PromotionReport) -> PromotionReport:
    """With the version's name, which reports made before it was registered lack."""
    if report.challenger is not None:
        return report
    return report.model_copy(update={"challenger": store.name_of(version)})


def read_provisional(store: VersionStore, version: ModelVersion) -> Provisional:
    """Why a version is only provisional; empty if it is not, or an earlier Icefloe registered it."""
    if not version.tags.get(PROVISIONAL_TAG):
        return Provisional()
    return store.read(version, PROVISIONAL_FILE, Provisional)


def write_provisional(store: VersionStore, version: ModelVersion, provisional: Provisional) -> None:
    """Write why a version is only provisional, in place of earlier reasons."""
    store.files(version).write(PROVISIONAL_FILE, provisional.model_dump_json(indent=1))
    store.tag(version, {PROVISIONAL_TAG: provisional.sentence()[:LONGEST_TAG]})


def read_guarantees(store: VersionStore, version: ModelVersion) -> Guarantees | None:
    """The guarantees a version was calibrated to after its registration; None if there are none."""
    path = version.tags.get(GUARANTEES_TAG)
    return store.read(version, path, Guarantees) if path else None


def write_guarantees(store: VersionStore, version: ModelVersion, guarantees: Guarantees) -> None:
    """Write guarantees of a version, in place of earlier ones."""
    store.files(version).write(GUARANTEES_FILE, guarantees.model_dump_json(indent=1))
    store.tag(version, {GUARANTEES_TAG: GUARANTEES_FILE})
