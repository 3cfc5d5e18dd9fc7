"""Looks at the registry for web processes, which do not import MLflow, and writes what it sees."""

import re
import threading
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from icefloe.datasets.withdrawal import WithdrawnLabel, all_withdrawn
from icefloe.drift.report import GateReport
from icefloe.evaluation.promotion import PromotionReport
from icefloe.evaluation.rule import METRICS
from icefloe.files import write_text_atomic
from icefloe.registry.history import HistoryEntry
from icefloe.registry.lineage import LabelledImage
from icefloe.registry.registry import Registry
from icefloe.registry.runs import RunRecord, list_runs
from icefloe.registry.store import CHAMPION, PREVIOUS
from icefloe.registry.version import Version, VersionDetails
from icefloe.settings import Settings
from icefloe.workflow.withdrawal import WithdrawnLabels
from serving.snapshot import (
    ChampionChange,
    DriftVerdict,
    Finding,
    GateJudgement,
    ModelsState,
    RunEntry,
    RunState,
    Snapshot,
    TrainedOn,
    VersionState,
    WithdrawnEntry,
    WithdrawnState,
    snapshot_file,
)

LATEST_RUNS = 50
RUN_STATES: dict[str, RunState] = {"RUNNING": "running", "FINISHED": "done"}
"""MLflow's states; any other is a failure."""

WITH_THE_DATA = "came with the data"
_HASH = re.compile(r" [0-9a-f]{12}$")  # of one image's pre-segmentation; versions are counted


class SnapshotWriter:
    """Keeps the snapshot of a workspace's registry up to date.

    What cannot change any more, such as a finished run, is read once.

    Parameters
    ----------
    settings
        Settings of the workspace; they name the registry.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._seen: tuple[list[Version], tuple[HistoryEntry, ...]] | None = None
        self._models: ModelsState | None = None
        self._withdrawn: tuple[tuple[WithdrawnLabel, ...], WithdrawnState] = ((), WithdrawnState())
        self._finished: dict[str, tuple[RunEntry, tuple[DriftVerdict, ...]]] = {}

    def update(self) -> Snapshot:
        """Look at the registry, and write what is there if the file says anything else."""
        with self._lock:
            found = [self._run(run) for run in list_runs(self._settings)[:LATEST_RUNS]]
            snapshot = Snapshot(
                models=self._look_at_models(),
                withdrawn=self._look_at_withdrawn(),
                runs=tuple(run for run, _ in found),
                drift=tuple(
                    sorted((one for _, verdicts in found for one in verdicts), key=lambda v: -v.time)
                ),
            )
            path, text = snapshot_file(self._settings), snapshot.model_dump_json()
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_text_atomic(path, text)
            return snapshot

    def _look_at_models(self) -> ModelsState:
        registry = Registry(self._settings)
        seen = registry.list(), registry.history()
        if self._models is None or seen != self._seen:
            self._withdrawn = ((), WithdrawnState())  # there may be a version that they have trained
            versions, history = seen
            of_alias = {alias: version.name for version in versions for alias in version.aliases}
            self._models = ModelsState(
                champion=of_alias.get(CHAMPION),
                previous=of_alias.get(PREVIOUS),
                sentence=registry.champion_sentence(),
                versions=tuple(_version(registry, version) for version in versions),
                history=tuple(map(_change, reversed(history))),
            )
            self._seen = seen
        return self._models

    def _look_at_withdrawn(self) -> WithdrawnState:
        labels = all_withdrawn(self._settings.data)
        if labels != self._withdrawn[0]:
            found = WithdrawnLabels.of(Registry(self._settings), labels)
            entries = sorted((_withdrawn(label, found) for label in labels), key=lambda entry: -entry.time)
            state = WithdrawnState(labels=tuple(entries), consequence=found.consequence())
            self._withdrawn = labels, state
        return self._withdrawn[1]

    def _run(self, run: dict[str, Any]) -> tuple[RunEntry, tuple[DriftVerdict, ...]]:
        if run["id"] in self._finished:
            return self._finished[run["id"]]
        record = RunRecord(self._settings, run["id"])
        happened = record.happened()
        entry = RunEntry(
            id=run["id"],
            pipeline=run["pipeline"],
            state=RUN_STATES.get(run["status"], "failed"),
            started=run["started"] / 1000,
            ended=None if run["ended"] is None else run["ended"] / 1000,
            headline=happened[-1] if happened else "",
        )
        found = entry, tuple(_verdicts(record, entry))
        if entry.state != "running":
            self._finished[entry.id] = found
        return found


def _version(registry: Registry, version: Version) -> VersionState:
    details = registry.show(version.name)
    lineage = details.lineage
    return VersionState(
        name=version.name,
        aliases=version.aliases,
        created=_seconds(version.created),
        parent=version.parent,
        members=tuple(lineage.weights_sha256),
        data_rev=version.data_rev,
        data_md5=version.data_md5,
        git_sha=version.git_sha,
        images=tuple(_trained_on(lineage.images)),
        simulated_share=lineage.simulated_share,
        provisional=version.provisional,
        gate=_judgement(details.report) if details.report else None,
        objection="" if CHAMPION in version.aliases else registry.objection(version.name),
        promises=_promises(details),
        scores=version.metrics,
    )


def _withdrawn(label: WithdrawnLabel, among: WithdrawnLabels) -> WithdrawnEntry:
    return WithdrawnEntry(
        key=label.key,
        author=label.author,
        by=label.by,
        time=_seconds(label.at),
        reason=label.reason,
        versions=among.trained(label.key),
    )


def _verdicts(record: RunRecord, run: RunEntry) -> Iterable[DriftVerdict]:
    times = record.times()
    for dataset, document in record.read_folder("gate").items():
        report = GateReport.model_validate(document)
        yield DriftVerdict(
            dataset=report.dataset,
            outcome=report.outcome,
            sentence=report.sentence(),
            time=times.get(f"gate.{dataset}", run.started),
            version=report.version,
            run=run.id,
            n_images=report.n_images,
            **_predicted(report),
        )


def _predicted(report: GateReport) -> dict[str, Any]:
    if report.predicted is None:
        return {}
    images = {stem: str(found) for stem, found in report.predicted.images.items() if found is not None}
    return {"predicted": report.predicted.sentence(), "predicted_images": images}


def _judgement(report: PromotionReport) -> GateJudgement:
    return GateJudgement(
        verdict=report.verdict,
        against=report.against,
        sentence=report.sentence(),
        reasons=report.reasons,
        warnings=report.warnings,
        findings=tuple(
            Finding(
                dataset=found.dataset,
                metric=METRICS[found.metric],
                n_images=found.n_images,
                challenger=found.challenger,
                reference=found.reference,
                difference=found.difference,
                interval=found.interval.text(4, signed=True),
                finding=found.finding,
                better=found.better,
                worse=found.worse,
            )
            for found in report.comparisons
        ),
    )


def _trained_on(images: Iterable[LabelledImage]) -> Iterable[TrainedOn]:
    by_dataset: dict[str, list[LabelledImage]] = {}
    for image in images:
        by_dataset.setdefault(image.key.partition("/")[0], []).append(image)
    for dataset, own in by_dataset.items():
        yield TrainedOn(
            dataset=dataset,
            n_images=len(own),
            labelers=_counts(image.author or WITH_THE_DATA for image in own),
            made_from=_counts(_HASH.sub("", image.made_from) for image in own if image.made_from),
            made_with=_counts(image.made_with for image in own if image.made_with),
        )


def _counts(values: Iterable[str]) -> dict[str, int]:
    """How often each value occurs, the most frequent first."""
    return dict(Counter(values).most_common())


def _promises(details: VersionDetails) -> tuple[str, ...]:
    return tuple(details.guarantees.sentences()) if details.guarantees else ()


def _change(entry: HistoryEntry) -> ChampionChange:
    content = entry.model_dump(exclude={"at", "verdict"})
    return ChampionChange.model_validate({**content, "time": _seconds(entry.at)})


def _seconds(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()
