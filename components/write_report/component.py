"""The run's report: one self-contained page."""

from kfp.dsl import HTML, Output

from components.base import component


@component
def write_report(run: str, report: Output[HTML]) -> str:
    """Write the report from the run's record and the registry; return the champion's name."""
    from pathlib import Path

    from icefloe.registry.registry import Registry
    from icefloe.registry.runs import RunRecord
    from icefloe.report.page import write_page
    from icefloe.settings import load_settings

    settings = load_settings()
    record = RunRecord(settings, run)
    champion = write_page(record, Registry(settings), Path(report.path))
    record.finish()
    return champion
