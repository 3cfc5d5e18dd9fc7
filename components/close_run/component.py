"""Close the record of a run that failed."""

from kfp.dsl import PipelineTaskFinalStatus

from components.base import component


@component
def close_run(status: PipelineTaskFinalStatus) -> str:
    """Write what is known of a failure to the run's record, and close it, unless the last step has done so.

    Args:
        status: How the steps before ended.

    Returns:
        Output: How the steps before ended.
    """
    from icefloe.settings import load_settings
    from icefloe.workflow import runs

    runs.close_failed(load_settings(), status.state, status.error_message or "")
    return status.state
