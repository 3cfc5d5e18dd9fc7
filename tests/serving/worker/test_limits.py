"""Workers share what their container may use."""

from serving.worker.limits import Limits

GIB = 1 << 30


def test_one_worker_leaves_a_quarter_of_the_memory(container):
    assert Limits.shared_by(1, container) == Limits(memory=GIB * 3 // 4, threads=1)


def test_workers_share_it(container):
    assert Limits.shared_by(3, container) == Limits(memory=GIB // 4, threads=1)
