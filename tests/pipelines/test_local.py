"""Running here: what the person who waits is told, and what a failing step leaves."""

import os
import sys
from types import SimpleNamespace

import pytest
from kfp import dsl
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

from components.base import component
from components.close_run.component import close_run
from components.start_run.component import start_run
from icefloe.errors import IcefloeError
from icefloe.experiment import connect
from icefloe.registry.runs import list_runs
from icefloe.settings import load_settings
from pipelines.local import forget_old_runs, run_locally
from tests.stores import new_store


@component
def succeed() -> str:
    import os

    print(f"icefloe: working in {os.environ['ICEFLOE_WORKSPACE']}")
    return "done"


@component
def complain(before: str):
    from icefloe.errors import IcefloeError

    raise IcefloeError("D3/images/stack_7.tif: too dark. Take it again.")


@component
def crash(before: str):
    raise ZeroDivisionError


@dsl.pipeline(name="fine")
def fine():
    succeed()


@dsl.pipeline(name="complaining")
def complaining():
    complain(before=succeed().output)


@dsl.pipeline(name="crashing")
def crashing():
    crash(before=succeed().output)


@dsl.pipeline(name="closing")
def closing():
    with dsl.ExitHandler(close_run()):
        complain(before=start_run(name="drift_check").output)


@dsl.pipeline(name="recorded")
def recorded():
    start_run(name="drift_check")


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "icefloe.toml").touch()
    settings = load_settings(tmp_path)
    new_store(settings.state)
    return settings


@pytest.fixture
def said():
    return []


@pytest.fixture
def run(process, settings, said):
    """Run a pipeline, noting what is told meanwhile."""
    return lambda pipeline: run_locally(
        pipeline, {}, settings, SimpleNamespace(tell=said.append), process, trains=False
    )


def test_a_pipeline_runs_in_its_workspace_and_the_log_is_kept(run, settings, said, capsys):
    result = run(fine)

    assert said[0] == "succeed"
    assert said[1] == f"  working in {settings.workspace}"
    assert said[2].startswith("  done in ")
    assert "working in" in result.log.read_text()
    assert capsys.readouterr().out == ""  # everything went to the log or was told


def test_a_runs_record_is_found_again(run, settings):
    assert run(recorded).record(settings).name == "drift_check"


def test_a_step_that_complains_ends_the_run_with_its_one_line(run):
    with pytest.raises(IcefloeError) as error:
        run(complaining)

    assert str(error.value) == "D3/images/stack_7.tif: too dark. Take it again."


def test_the_record_of_a_run_that_failed_is_closed_with_the_steps_words(run, settings, said):
    with pytest.raises(IcefloeError, match="too dark"):
        run(closing)

    (ended,) = list_runs(settings)
    assert ended["status"] == "FAILED"
    note = connect(settings.tracking_uri).get_run(ended["id"]).data.tags[MLFLOW_RUN_NOTE]
    assert note.endswith("** D3/images/stack_7.tif: too dark. Take it again.")
    assert [line for line in said if not line.startswith("  ")] == ["start run", "complain", "close run"]


def test_a_step_that_crashes_ends_the_run_with_the_logs_name(run, settings):
    with pytest.raises(IcefloeError) as error:
        run(crashing)

    (log,) = (settings.state / "runs").glob("*-crashing/log.txt")
    assert str(error.value) == (
        f"pipeline crashing: a step failed. Read why in {log}, "
        "then run it again: finished training is not repeated."
    )
    assert "ZeroDivisionError" in log.read_text()


@pytest.mark.parametrize("pipeline", [fine, complaining], ids=["fine", "complaining"])
def test_environment_and_output_are_as_before_also_after_a_failure(run, monkeypatch, pipeline):
    monkeypatch.setenv("ICEFLOE_WORKSPACE", "elsewhere")
    before, stdout = dict(os.environ), sys.stdout
    try:
        run(pipeline)
    except IcefloeError:
        assert pipeline is complaining

    assert dict(os.environ) == before
    assert sys.stdout is stdout


def test_old_runs_lose_their_artifacts_and_keep_their_logs(settings):
    for number in range(7):
        steps = settings.state / "runs" / f"2026-{number}" / "steps"
        steps.mkdir(parents=True)
        (steps.parent / "log.txt").write_text("x")

    forget_old_runs(settings, keep=5)

    runs = sorted((settings.state / "runs").iterdir())
    assert [(run / "steps").exists() for run in runs] == [False, False, *[True] * 5]
    assert all((run / "log.txt").exists() for run in runs)
