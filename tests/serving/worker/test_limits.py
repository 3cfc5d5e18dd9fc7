"""A worker's child keeps to its container's limits, not to those of the machine around it."""

import os

import psutil
import pytest

from serving.worker.limits import Limits

GIB = 1 << 30


@pytest.fixture
def container(tmp_path):
    """A control group of one core and 1 GiB."""
    (tmp_path / "cpu.max").write_text("100000 100000\n", encoding="ascii")
    (tmp_path / "memory.max").write_text(f"{GIB}\n", encoding="ascii")
    return tmp_path


def test_a_container_has_what_it_may_use(container):
    assert Limits.shared_by(1, container) == Limits(memory=GIB * 3 // 4, threads=1)


def test_workers_share_it(container):
    assert Limits.shared_by(3, container) == Limits(memory=GIB // 4, threads=1)


def test_less_than_a_core_is_one_thread(container):
    (container / "cpu.max").write_text("50000 100000\n", encoding="ascii")
    assert Limits.shared_by(1, container).threads == 1


def test_without_a_limit_the_machine_counts(container):
    (container / "cpu.max").write_text("max 100000\n", encoding="ascii")
    (container / "memory.max").write_text("max\n", encoding="ascii")
    whole = Limits(memory=psutil.virtual_memory().total * 3 // 4, threads=len(os.sched_getaffinity(0)))
    assert Limits.shared_by(1, container) == whole
    assert Limits.shared_by(1, container / "absent") == whole
