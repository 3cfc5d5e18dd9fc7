"""Steps as forks: processes of their own, from one parent, that fail as loudly as kfp's."""

import json
import os
import time
from pathlib import Path

import pytest
from kfp import dsl, local

from components.base import component
from pipelines.step_process import step_process
from pipelines.steps import forked_steps

pytestmark = pytest.mark.filterwarnings("ignore:.*custom or non-Python base image")


@component
def look_around(log: str, line: str) -> str:
    import json
    import os
    import sys
    from pathlib import Path

    imported = ["torch" in sys.modules, "ray" in sys.modules]
    found = [os.getppid(), os.getpid(), os.environ["ICEFLOE_TOLD"], imported, str(Path.cwd())]
    with Path(log).open("a") as file:
        file.write(json.dumps(found) + "\n")
    print(f"seen {line}")
    print("to standard error", file=sys.stderr)
    return line


@component
def end_by_signal() -> str:
    import os
    import signal

    os.kill(os.getpid(), signal.SIGKILL)
    return "never"


@component
def count_children() -> int:
    import subprocess
    import sys

    return subprocess.run([sys.executable, "-c", "raise SystemExit(3)"], check=False).returncode


@component
def leave_work_behind(folder: str) -> str:
    import atexit
    import threading
    import time
    from pathlib import Path

    def finish() -> None:
        time.sleep(0.5)
        (Path(folder) / "thread").touch()

    atexit.register((Path(folder) / "atexit").touch)
    threading.Thread(target=finish).start()
    print("last words, without a line break", end="")
    return folder


@component
def give_up() -> str:
    raise SystemExit("nothing to do here")


@dsl.pipeline(name="two")
def two(log: str) -> str:
    first = look_around(log=log, line="first")
    return look_around(log=log, line="second").after(first).output


@pytest.fixture(autouse=True)
def runner(tmp_path):
    local.init(
        runner=local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path), raise_on_error=True
    )


def seen(log):
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_steps_are_processes_of_one_parent_that_has_made_the_imports(tmp_path, monkeypatch, capfd):
    with step_process() as process, forked_steps(process):
        monkeypatch.setenv("ICEFLOE_TOLD", "after the start")
        assert two(log=str(tmp_path / "log")).output == "second"
        assert seen(tmp_path / "log")[0][3] == [False, False]  # the first step does not wait for the imports
        while seen(tmp_path / "log")[-1][3] != [True, False]:
            time.sleep(1)  # the imports need the core, too
            look_around(log=str(tmp_path / "log"), line="again")

    steps = seen(tmp_path / "log")
    assert {step[0] for step in steps} == {steps[0][0]} != {os.getpid()}
    assert len({step[1] for step in steps}) == len(steps)
    assert {(step[2], step[4]) for step in steps} == {("after the start", str(Path.cwd()))}
    printed = capfd.readouterr().out
    assert "seen first" in printed
    assert "to standard error" in printed


def test_a_step_killed_by_a_signal_has_failed(process):
    with forked_steps(process), pytest.raises(RuntimeError, match="FAILURE"):
        end_by_signal()


def test_a_step_sees_how_its_own_children_ended(process):
    with forked_steps(process):
        assert count_children().output == 3


def test_a_step_ends_as_an_interpreter_does(process, tmp_path, capfd):
    with forked_steps(process):
        leave_work_behind(folder=str(tmp_path))

    assert (tmp_path / "atexit").exists()
    assert (tmp_path / "thread").exists()
    assert "last words, without a line break" in capfd.readouterr().out


def test_a_step_that_exits_has_failed_and_says_why(process, capfd):
    with forked_steps(process), pytest.raises(RuntimeError, match="FAILURE"):
        give_up()

    assert "nothing to do here" in capfd.readouterr().out
