"""A Ray that does not start, or cannot be reached, is told in one line."""

import pytest
import ray

from icefloe.errors import IcefloeError
from icefloe.training import ray_session
from icefloe.training.ray_session import connected, start_ray


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


def test_in_a_container_ray_gets_the_cores_that_it_may_use_and_not_the_nodes(monkeypatch):
    class StartedError(Exception):
        """Enough is seen."""

    def started(**options):
        raise StartedError(options["num_cpus"])

    monkeypatch.setattr(ray_session, "usable_cores", lambda: 3)
    monkeypatch.setattr(ray, "init", started)
    with pytest.raises(IcefloeError, match=r"did not start on this machine \(3\)"):
        start_ray()


@pytest.mark.parametrize("variable", [True, False])
def test_nothing_is_connected_to_a_cluster_that_gets_jobs(monkeypatch, variable):
    monkeypatch.setenv("RAY_ADDRESS", "http://there:8265" if variable else "there:6379")
    with connected(None if variable else "http://there:8265"):
        assert not ray.is_initialized()
