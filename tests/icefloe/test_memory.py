import ctypes
import gc
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest

from icefloe import memory


class Cycle:
    def __init__(self):
        self.own = self


def test_cycles_are_freed():
    gc.disable()
    try:
        gone = weakref.ref(Cycle())
        assert gone() is not None
        memory.give_back_memory()
        assert gone() is None
    finally:
        gc.enable()


def resident_mib():
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_pages_between_what_is_kept_go_back_to_the_system():
    pieces = [np.ones(15_000, np.uint8) for _ in range(8_000)]  # small enough for glibc's heap: 114 MiB
    full = resident_mib()
    kept = pieces[::100]
    del pieces
    assert resident_mib() > full - 20  # the kept ones are in between
    memory.give_back_memory()
    assert resident_mib() < full - 80
    assert all(one.all() for one in kept)


def test_without_glibc_nothing_happens(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    memory.give_back_memory()
