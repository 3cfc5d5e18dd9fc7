"""A Ray that does not start, or cannot be reached, is told in one line."""

import pytest
import ray

from icefloe.errors import IcefloeError
from icefloe.training.ray_session import start_ray


def test_a_ray_that_does_not_start_in_time_is_no_traceback(monkeypatch):
    def timed_out(**_):
        raise Exception("The current node timed out during startup.")  # as Ray's node.py does

    monkeypatch.setattr(ray, "init", timed_out)
    with pytest.raises(IcefloeError) as error:
        start_ray()
    assert str(error.value) == (
        "Ray did not start on this machine (The current node timed out during startup.). "
        "Try again when it is less busy."
    )


def test_a_cluster_that_cannot_be_reached_is_named(monkeypatch):
    def refused(**_):
        raise ConnectionError("no route")

    monkeypatch.setattr(ray, "init", refused)
    with pytest.raises(IcefloeError, match=r"^ray://there:1: the connection failed \(no route\)\. Start Ray"):
        start_ray("ray://there:1")
