"""Runs of pipelines: the record that their steps share, and its report."""

import os
from pathlib import Path

from icefloe.errors import IcefloeError
from icefloe.registry.registry import Registry
from icefloe.registry.runs import RunRecord, list_runs
from icefloe.settings import RUN_VARIABLE, Settings


def start_run(settings: Settings, pipeline: str, about: str = "") -> str:
    """Open the record of a run of a pipeline, on a dataset if it is about one; return its id.

    Called again in the same run, as by a step that is tried again, it returns the same record.
    """
    return RunRecord.start(settings, pipeline, about, os.environ.get(RUN_VARIABLE, "")).run_id


def this_run(settings: Settings) -> str:
    """Id of the record of the run that this process is a step of; empty where none was opened."""
    key = os.environ.get(RUN_VARIABLE, "")
    record = RunRecord.find(settings, key) if key else None
    return record.run_id if record else ""


def record_page(settings: Settings, key: str) -> str:
    """Address of the record that a run's steps share, on the tracking server's pages; empty where none is."""
    record = RunRecord.find(settings, key) if settings.tracking_uri.startswith("http") else None
    return f"{settings.tracking_uri.rstrip('/')}/{record.page}" if record else ""


def close_failed(settings: Settings, state: str, reason: str) -> None:
    """Close the record of the run that this process is a step of, with what is known of its failure.

    Nothing is done where no step had opened the record, or the last one has closed it: Kubeflow may say that
    steps are running which have come to their end (kubeflow/pipelines#13321).

    Parameters
    ----------
    settings
        Name the tracking store.
    state, reason
        How the steps ended, such as `FAILED`, and what Kubeflow says of it.
    """
    run = this_run(settings)
    if not run or not RunRecord(settings, run).is_open:
        return
    what = "It was canceled." if state.startswith("CANCEL") else reason.strip() or "A step failed."
    RunRecord(settings, run).finish(succeeded=False, problem=what)


def write_report(settings: Settings, output: Path, run: str | None = None, *, finish: bool = False) -> str:
    """Write the report of a run, one self-contained HTML page; return the champion's name, or `none`.

    Parameters
    ----------
    settings
        Name the tracking store and the registry.
    output
        HTML file to write.
    run
        Id of the run; None: the latest.
    finish
        Close the record: nothing more will be found.

    Raises
    ------
    IcefloeError
        If there is no such run, or none at all.
    """
    from icefloe.report.page import write_page  # figures, which opening a record needs none of

    if run is None:
        known = list_runs(settings)
        if not known:
            raise IcefloeError(
                f"{settings.workspace}: no pipeline has run here. Run one with `icefloe pipeline run`."
            )
        run = known[0]["id"]
    record = RunRecord(settings, run)
    champion = write_page(record, Registry(settings), output)
    if finish:
        record.finish()
    return champion
