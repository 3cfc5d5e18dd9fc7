"""Workers share what their container may use."""

import pytest

from serving.worker.limits import Limits

GIB = 1 << 30


@pytest.fixture
def container(tmp_path):
    """A control group of one core and 1 GiB."""
    (tmp_path / "cpu.max").write_text("100000 100000\n", encoding="ascii")
    (tmp_path / "memory.max").write_text(f"{GIB}\n", encoding="ascii")
    return tmp_path


def test_one_worker_leaves_a_quarter_of_the_memory(container):
    assert Limits.shared_by(1, container) == Limits(memory=GIB * 3 // 4, threads=1)


def test_workers_share_it(container):
    assert Limits.shared_by(3, container) == Limits(memory=GIB // 4, threads=1)
