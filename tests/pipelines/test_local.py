"""Running here: what the person who waits is told, and what a failing step leaves."""

import os
import sys

import pytest
from kfp import dsl

from components.base import component
from components.start_run.component import start_run
from icefloe.errors import IcefloeError
from icefloe.settings import load_settings
from pipelines.local import _StepLog, forget_old_runs, run_locally

FAILURE = """\
01:36:41.434 - INFO - Executing task \x1b[96m'{task}'\x1b[0m
01:36:41.441 - INFO - Streamed logs:

    Traceback (most recent call last):
      File "x.py", line 15, in get_data
{error}
{blank}
01:36:48.237 - ERROR - Task \x1b[96m'{task}'\x1b[0m finished with status \x1b[91mFAILURE\x1b[0m
"""


def failure(task, error):
    return FAILURE.format(task=task, error="".join(f"    {line}\n" for line in error), blank="    ")


@pytest.fixture
def said():
    return []


@pytest.fixture
def log(tmp_path, said):
    stream = _StepLog(tmp_path / "log.txt", said.append)
    yield stream
    stream.close()


def test_a_step_is_announced_and_its_end_told(log, said):
    log.write("01:36:17.595 - INFO - Executing task \x1b[96m'train-members-2-2'\x1b[0m\n")
    log.write("01:36:41.414 - INFO - Task \x1b[96m'train-members-2-2'\x1b[0m finished with status ")
    log.write("\x1b[92mSUCCESS\x1b[0m\n")

    assert said == ["[bold]train members[/bold]", "  [dim]done in 0 s[/dim]"]
    assert log.error is None


def test_only_lines_meant_for_the_person_are_passed_on_and_the_file_keeps_all(log, said, tmp_path):
    log.write("    WARNING: something of a library\n    icefloe: D3 is shif")
    log.write("ted.\n    as icefloe: said\n")

    assert said == ["  D3 is shifted."]
    assert (tmp_path / "log.txt").read_text() == (
        "    WARNING: something of a library\n    icefloe: D3 is shifted.\n    as icefloe: said\n"
    )


def test_a_failing_steps_own_words_are_kept(log, said):
    log.write(failure("get-data", ["icefloe.errors.IcefloeError: D3: no such dataset. Import it."]))

    assert log.error == "D3: no such dataset. Import it."
    assert said[-1] == "  [red]failed after 0 s[/red]"


def test_of_chained_errors_the_outermost_counts(log):
    log.write(
        failure(
            "get-data",
            [
                "icefloe.errors.IcefloeError: mask is 3x3.",
                "",
                "The above exception was the direct cause of the following exception:",
                "",
                "icefloe.errors.IcefloeError: D1/stack_7: mask is 3x3.",
            ],
        )
    )

    assert log.error == "D1/stack_7: mask is 3x3."


def test_a_table_under_the_error_is_kept_with_it(log):
    log.write(
        failure(
            "prune-members",
            [
                "icefloe.errors.IcefloeError: none of 2 passes pruning.",
                "| member | IoU |",
                "| a | 0.1 |",
            ],
        )
    )

    assert log.error == "none of 2 passes pruning.\n| member | IoU |\n| a | 0.1 |"


def test_the_first_step_that_fails_is_the_reason_not_those_that_fail_after_it(log):
    log.write(failure("get-data", ["icefloe.errors.IcefloeError: first."]))
    log.write(failure("get-ensemble", ["icefloe.errors.IcefloeError: second."]))

    assert log.error == "first."


def test_words_of_a_later_step_do_not_explain_a_crash(log):
    log.write(failure("get-data", ["ZeroDivisionError: division by zero"]))
    log.write(failure("get-ensemble", ["icefloe.errors.IcefloeError: second."]))

    assert log.error is None


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


@dsl.pipeline(name="recorded")
def recorded():
    start_run(name="drift_check")


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "icefloe.toml").touch()
    return load_settings(tmp_path)


def run(pipeline, settings, say):
    return run_locally(pipeline, {}, settings, say, trains=False)


def test_a_pipeline_runs_in_its_workspace_and_the_log_is_kept(settings, said, capsys):
    result = run(fine, settings, said.append)

    assert said[0] == "[bold]succeed[/bold]"
    assert said[1] == f"  working in {settings.workspace}"
    assert said[2].startswith("  [dim]done in ")
    assert "working in" in result.log.read_text()
    assert capsys.readouterr().out == ""  # everything went to the log or to `say`


def test_a_runs_record_is_found_again(settings, said):
    assert run(recorded, settings, said.append).record(settings).name == "drift_check"


def test_a_step_that_complains_ends_the_run_with_its_one_line(settings, said):
    with pytest.raises(IcefloeError) as error:
        run(complaining, settings, said.append)

    assert str(error.value) == "D3/images/stack_7.tif: too dark. Take it again."


def test_a_step_that_crashes_ends_the_run_with_the_logs_name(settings, said):
    with pytest.raises(IcefloeError) as error:
        run(crashing, settings, said.append)

    (log,) = (settings.state / "runs").glob("*-crashing/log.txt")
    assert str(error.value) == (
        f"pipeline crashing: a step failed. Read why in {log}, "
        "then run it again: finished training is not repeated."
    )
    assert "ZeroDivisionError" in log.read_text()


@pytest.mark.parametrize("pipeline", [fine, complaining], ids=["fine", "complaining"])
def test_environment_and_output_are_as_before_also_after_a_failure(settings, said, monkeypatch, pipeline):
    monkeypatch.setenv("ICEFLOE_WORKSPACE", "elsewhere")
    before, stdout = dict(os.environ), sys.stdout
    try:
        run(pipeline, settings, said.append)
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
