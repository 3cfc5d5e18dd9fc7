"""Open the record that all steps of a run share."""

from components.base import component


@component
def start_run(name: str, about: str = "") -> str:
    """Start the MLflow run that records this run of a pipeline, which its other steps find by themselves.

    Args:
        name: Name of the pipeline.
        about: What the run is about, such as the dataset that came in.

    Returns:
        Output: Id of the run.
    """
    from icefloe.settings import load_settings
    from icefloe.workflow import runs

    return runs.start_run(load_settings(), name, about)
