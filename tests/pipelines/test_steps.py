"""Steps as forks: processes of their own, from one parent, that fail as loudly as kfp's."""

import json
import os
from pathlib import Path

import pytest
from kfp import dsl, local

from components.base import component
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


@dsl.pipeline(name="two")
def two(log: str) -> str:
    first = look_around(log=log, line="first")
    return look_around(log=log, line="second").after(first).output


@pytest.fixture(autouse=True)
def runner(tmp_path):
    local.init(
        runner=local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path), raise_on_error=True
    )


def test_steps_are_processes_of_one_parent_that_has_made_the_imports(tmp_path, monkeypatch, capfd):
    with forked_steps():
        monkeypatch.setenv("ICEFLOE_TOLD", "after the start")
        assert two(log=str(tmp_path / "log")).output == "second"

    first, second = (json.loads(line) for line in (tmp_path / "log").read_text().splitlines())
    assert first[0] == second[0] != os.getpid()
    assert first[1] != second[1]
    assert first[2:] == second[2:] == ["after the start", [True, False], str(Path.cwd())]
    printed = capfd.readouterr().out
    assert "seen first" in printed
    assert "to standard error" in printed


def test_a_step_killed_by_a_signal_has_failed():
    with forked_steps(), pytest.raises(RuntimeError, match="FAILURE"):
        end_by_signal()


def test_a_step_sees_how_its_own_children_ended():
    with forked_steps():
        assert count_children().output == 3
