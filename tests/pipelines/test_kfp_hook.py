"""kfp's private function that local runs replace: where it is, and how it is called."""

import inspect

import pytest
from kfp.local import subprocess_task_handler

from icefloe.errors import IcefloeError
from pipelines.kfp_hook import FUNCTION, steps_run_by


def test_kfp_still_runs_a_local_step_with_run_local_subprocess():
    parameters = list(inspect.signature(getattr(subprocess_task_handler, FUNCTION)).parameters)
    assert parameters[0] == "full_command"
    called = inspect.getsource(subprocess_task_handler.SubprocessTaskHandler.run)
    assert f"{FUNCTION}(" in called


def test_the_function_is_put_back():
    before = subprocess_task_handler.run_local_subprocess
    with steps_run_by(lambda *_, **__: 0):
        assert subprocess_task_handler.run_local_subprocess is not before
    assert subprocess_task_handler.run_local_subprocess is before


def test_a_kfp_without_it_is_named(monkeypatch):
    monkeypatch.delattr(subprocess_task_handler, FUNCTION)
    with (
        pytest.raises(IcefloeError, match=r"kfp\.local has no run_local_subprocess any more"),
        steps_run_by(int),
    ):
        pass
