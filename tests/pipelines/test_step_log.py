"""What the person who waits is told of the steps' log."""

from types import SimpleNamespace

import pytest

from pipelines.step_log import StepLog, user_error

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
    stream = StepLog(tmp_path / "log.txt", SimpleNamespace(tell=said.append))
    yield stream
    stream.close()


def test_a_step_is_announced_and_its_end_told(log, said):
    log.write("01:36:17.595 - INFO - Executing task \x1b[96m'train-members-2-2'\x1b[0m\n")
    log.write("01:36:41.414 - INFO - Task \x1b[96m'train-members-2-2'\x1b[0m finished with status ")
    log.write("\x1b[92mSUCCESS\x1b[0m\n")

    assert said == ["train members", "  done in 0 s"]
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
    assert said[-1] == "  failed after 0 s"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("OSError: [Errno 28] No space left on device: '/w/x'", "No space left on device: '/w/x'"),
        ("OSError: [Errno 28] No space left on device", "No space left on device"),
        ("sqlite3.OperationalError: database or disk is full", "database or disk is full"),
    ],
)
def test_a_full_disk_is_told_as_such(log, line, reason):
    log.write(failure("get-data", [line]))
    assert log.error == (f"{reason}. Make room there, then run it again: finished training is not repeated.")
    assert user_error(f"Traceback (most recent call last):\n{line}\n") == log.error


def test_an_error_of_any_kind_of_icefloes_is_told(log):
    line = "icefloe.errors.BusyError: s3://b/a: the store can't answer now. Try again later."
    log.write(failure("train-members", [line]))
    assert log.error == user_error(line) == "s3://b/a: the store can't answer now. Try again later."


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
