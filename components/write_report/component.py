"""The run's report: one self-contained page."""

from kfp.dsl import HTML, Output

from components.base import component


@component
def write_report(report: Output[HTML]) -> str:
    """Write the report from the run's record and the registry, and close the record.

    Returns:
        Output: Name of the champion, or none.
        report: The page.
    """
    from pathlib import Path

    from icefloe.settings import load_settings
    from icefloe.workflow import runs

    settings = load_settings()
    return runs.write_report(settings, Path(report.path), runs.this_run(settings), finish=True)
