"""Runs of pipelines: the record that their steps share, and its report."""

from pathlib import Path

from icefloe.errors import IcefloeError
from icefloe.registry.registry import Registry
from icefloe.registry.runs import RunRecord, list_runs
from icefloe.settings import Settings


def start_run(settings: Settings, pipeline: str, about: str = "") -> str:
    """Open the record of a run of a pipeline, on a dataset if it is about one; return its id."""
    return RunRecord.start(settings, pipeline, about).run_id


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
