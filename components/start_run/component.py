"""Open the record that all steps of a run share."""

from components.base import component


@component
def start_run(name: str) -> str:
    """Start the MLflow run that records this run of the pipeline `name`; return its id."""
    from icefloe.registry.runs import RunRecord
    from icefloe.settings import load_settings

    return RunRecord.start(load_settings(), name).run_id
