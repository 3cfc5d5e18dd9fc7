"""The record of a run that failed is closed with what is known; no other is touched."""

import pytest
from kfp.dsl import PipelineTaskFinalStatus
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

from components.close_run.component import close_run
from components.start_run.component import start_run
from icefloe.experiment import connect
from icefloe.registry.runs import RunRecord
from icefloe.settings import RUN_VARIABLE, load_settings
from tests.stores import new_store


@pytest.fixture
def settings(tmp_path, monkeypatch):
    (tmp_path / "icefloe.toml").touch()
    settings = load_settings(tmp_path)
    new_store(settings.state)
    monkeypatch.setenv("ICEFLOE_WORKSPACE", str(tmp_path))
    monkeypatch.setenv(RUN_VARIABLE, "8f14e45f")
    return settings


def close(state, message=None):
    return close_run.python_func(
        PipelineTaskFinalStatus(
            state=state,
            pipeline_job_resource_name="drift-check-x7k2",
            pipeline_task_name="exit-handler-1",
            error_code=None,
            error_message=message,
        )
    )


def record_of(settings, run_id):
    run = connect(settings.tracking_uri).get_run(run_id)
    return run.info.status, run.data.tags.get(MLFLOW_RUN_NOTE, "")


def test_a_failed_runs_record_is_closed_with_the_reason_and_what_had_happened(settings):
    run_id = start_run.python_func(name="drift_check", about="D7")
    RunRecord(settings, run_id).tell("gate/D7", "D7 has shifted.")

    assert close("FAILED", "pod check-drift: OOMKilled") == "FAILED"

    status, note = record_of(settings, run_id)
    assert status == "FAILED"
    assert note.startswith("**Failed after ")
    assert "pod check-drift: OOMKilled" in note
    assert note.endswith("- D7 has shifted.")


@pytest.mark.parametrize(("state", "words"), [("FAILED", "A step failed."), ("CANCELED", "It was canceled.")])
def test_where_kubeflow_says_nothing_the_state_is_told(settings, state, words):
    run_id = start_run.python_func(name="train")
    close(state)

    status, note = record_of(settings, run_id)
    assert (status, words in note) == ("FAILED", True)


@pytest.mark.parametrize("state", ["SUCCEEDED", "RUNNING"])
def test_a_record_that_the_last_step_closed_is_left_as_it_is(settings, state):
    run_id = start_run.python_func(name="train")
    RunRecord(settings, run_id).finish()
    before = record_of(settings, run_id)

    assert close(state) == state
    assert record_of(settings, run_id) == before
    assert before[0] == "FINISHED"


def test_a_run_that_failed_before_it_had_a_record_needs_none_closed(settings):
    assert close("FAILED") == "FAILED"


def test_a_start_that_is_tried_again_opens_no_second_record(settings, monkeypatch):
    first = start_run.python_func(name="train")
    assert start_run.python_func(name="train") == first
    monkeypatch.setenv(RUN_VARIABLE, "another")
    assert start_run.python_func(name="train") != first
