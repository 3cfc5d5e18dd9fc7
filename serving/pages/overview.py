"""Page *Overview*: where the loop stands, and what needs somebody."""

import time
from collections.abc import Iterable

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict

from icefloe.active.items import QueueStatus
from serving.auth.identity import CurrentPerson
from serving.auth.roles import Role
from serving.jobs.job import BATCH, Job
from serving.jobs.kinds import RUN_KINDS
from serving.jobs.workers import WorkerState
from serving.pages.render import render
from serving.prepared import dataset_names, find_dataset
from serving.room import LOW_BYTES, free_bytes
from serving.snapshot import DriftVerdict, Snapshot, read_snapshot

router = APIRouter(include_in_schema=False)

LATEST_JOBS = 100
SHOWN_RUNS, SHOWN_FAILURES, SHOWN_VERDICTS = 10, 5, 6
FAILURES_SECONDS = 24 * 3600.0

OUTCOMES = {
    "accept": "in distribution",
    "shifted": "shifted",
    "noisy": "too noisy",
    "inconclusive": "cannot be judged",
}
WORK = {
    "planes": "preparing an image",
    "maps": "segmenting an image",
    "pictures": "drawing an image's maps",
    "tiff": "writing a map as TIFF",
    "segment": "segmenting images",
    "series": "gathering measurements",
    "figure": "drawing a figure",
    "unpack": "reading a file that was sent",
    "promote": "promotion",
    "rollback": "rollback",
    "collect": "collecting labels",
    "withdraw": "withdrawing labels",
    "audit": "audit of the data",
    "infer": "segmenting for a program",
    "picture": "looking at an image for few-shot",
    "unpack-picture": "reading an image that was sent",
    "chip-edge": "suggesting a chip edge",
    "embed": "embedding chips",
    "classify": "classifying chips",
    "fewshot-export": "writing a few-shot result",
    "fewshot-series": "classifying a series by chips",
    "fewshot-figure": "drawing a few-shot series",
    "drift": "drift check",
    "train": "training",
    "retrain": "retraining",
}
"""Kind of a job -> its name for people."""


class Box(BaseModel):
    """A box of the loop's picture: title, and its present state in a line or two."""

    model_config = ConfigDict(frozen=True)

    title: str
    lines: tuple[str, ...]
    link: str


@router.get("/overview")
def overview(request: Request, person: CurrentPerson) -> HTMLResponse:
    state = request.app.state
    snapshot, living = read_snapshot(state.settings), state.workers.living()
    jobs = [job.seen_by(person.id) for job in state.jobs.latest(limit=LATEST_JOBS)]
    live = [job for job in jobs if job.is_live and job.priority == BATCH]
    queue: QueueStatus = state.queue.status()
    names = dataset_names(state.settings)
    drift = snapshot.drift if snapshot else ()
    datasets = [find_dataset(state.settings, name, None) for name in names]
    n_images = sum(len(dataset.samples) for dataset in datasets)
    return render(
        request,
        "overview.html",
        boxes=_boxes(n_images, len(names), snapshot, drift, queue, live),
        warnings=_warnings(snapshot, living, free_bytes(state.settings)),
        failed=_failed(jobs),
        datasets=names,
        drift=_by_dataset(drift),
        queue=queue,
        jobs=live,
        runs=snapshot.runs[:SHOWN_RUNS] if snapshot else (),
        is_seen=snapshot is not None,
        outcomes=OUTCOMES,
        work=WORK,
        may_run=person.role.includes(Role.OPERATOR),
        has_champion=bool(snapshot and snapshot.models.champion),
    )


def _boxes(
    n_images: int,
    n_datasets: int,
    snapshot: Snapshot | None,
    drift: tuple[DriftVerdict, ...],
    queue: QueueStatus,
    live: Iterable[Job],
) -> dict[str, Box]:
    champion = snapshot.models.champion if snapshot else None
    version = snapshot.models.version(champion) if snapshot and champion else None
    latest = {verdict.dataset: verdict for verdict in reversed(drift)}.values()
    shifted = sum(verdict.outcome == "shifted" for verdict in latest)
    runs = [WORK[job.kind] for job in live if job.kind in RUN_KINDS and job.state == "running"]
    checked = f"{len(latest)} of {n_datasets} checked"
    return {
        "frames": Box(
            title="Frames",
            lines=(_count(n_images, "image"), f"in {_count(n_datasets, 'dataset')}"),
            link="/data",
        ),
        "predict": Box(
            title="Predict",
            lines=(
                f"with {champion}" if champion else "no champion yet",
                "provisional" if version and version.provisional else "",
            ),
            link="/models",
        ),
        "gate": Box(
            title="Drift gate",
            lines=(checked, f"{shifted} shifted" if shifted else "none shifted" if latest else ""),
            link="#drift",
        ),
        "queue": Box(
            title="Queue",
            lines=(f"{queue.waiting + queue.leased} to label", f"{queue.submitted} labelled"),
            link="/queue",
        ),
        "retrain": Box(
            title="Retrain",
            lines=(runs[0] if runs else "not running", "is running" if runs else ""),
            link="#runs",
        ),
    }


def _warnings(snapshot: Snapshot | None, living: list[WorkerState], free: int) -> list[str]:
    warnings = [f"A new champion could not be loaded: {one.problem}" for one in living if one.problem]
    if not living:
        warnings.append("No worker runs, so nothing is segmented and no job is done. Start `icefloe worker`.")
    if free < LOW_BYTES:
        warnings.append(
            f"Only {free / 2**30:.1f} GiB are free on the workspace's disk. Make room: labels, drafts and "
            "training need it."
        )
    if snapshot is not None and snapshot.models.champion is not None:
        champion = snapshot.models.version(snapshot.models.champion)
        if champion.provisional:
            warnings.append(f"The champion {champion.name} is provisional: {champion.provisional}")
    return warnings


def _failed(jobs: Iterable[Job]) -> list[Job]:
    """What failed of late and nobody waited for, so that nobody may have seen why."""
    since = time.time() - FAILURES_SECONDS
    failed = (job for job in jobs if job.state == "failed" and job.priority == BATCH)
    return [job for job in failed if (job.ended or 0) > since][:SHOWN_FAILURES]


def _by_dataset(drift: Iterable[DriftVerdict]) -> dict[str, list[DriftVerdict]]:
    """Dataset -> its latest verdicts, newest first."""
    found: dict[str, list[DriftVerdict]] = {}
    for verdict in drift:
        found.setdefault(verdict.dataset, []).append(verdict)
    return {dataset: verdicts[:SHOWN_VERDICTS] for dataset, verdicts in found.items()}


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
