"""A process keeps to its container's limits, not to those of the machine around it."""

import os

import psutil

from icefloe.machine import usable_cores, usable_memory
from icefloe.training.plan import Machine

GIB = 1 << 30


def test_a_container_has_what_it_may_use(container):
    assert (usable_cores(container), usable_memory(container)) == (1, GIB)


def test_less_than_a_core_is_one(container):
    (container / "cpu.max").write_text("50000 100000\n", encoding="ascii")
    assert usable_cores(container) == 1


def test_without_a_limit_the_machine_counts(container):
    (container / "cpu.max").write_text("max 100000\n", encoding="ascii")
    (container / "memory.max").write_text("max\n", encoding="ascii")
    whole = (len(os.sched_getaffinity(0)), psutil.virtual_memory().total)
    assert (usable_cores(container), usable_memory(container)) == whole
    assert (usable_cores(container / "absent"), usable_memory(container / "absent")) == whole


def test_a_training_is_planned_for_the_cores_that_it_may_use():
    every = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(every)})
    try:
        assert Machine.here().cores == 1
    finally:
        os.sched_setaffinity(0, every)
