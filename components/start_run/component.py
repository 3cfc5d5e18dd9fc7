"""Open the record that all steps of a run share."""

from components.base import component


@component
def start_run(name: str, about: str = "") -> str:
    """Start the MLflow run that records this run of the pipeline `name` on `about`; return its id."""
    from icefloe.registry.runs import RunRecord
    from icefloe.settings import load_settings

    return RunRecord.start(load_settings(), name, about).run_id
