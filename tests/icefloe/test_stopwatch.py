"""Parts of a task's time."""

import time

import pytest

from icefloe.stopwatch import part, timed


def test_a_part_within_another_is_not_counted_twice():
    began = time.perf_counter()
    with timed() as parts:
        with part("outer"):
            time.sleep(0.02)
            with part("inner"):
                time.sleep(0.05)
        with part("inner"):
            time.sleep(0.01)
    took = time.perf_counter() - began
    assert list(parts) == ["inner", "outer"]
    assert parts["inner"] >= 0.06
    assert parts["outer"] >= 0.02
    assert sum(parts.values()) <= took


def test_a_part_that_fails_is_counted_and_what_follows_is_right():
    with timed() as parts:
        with pytest.raises(ValueError, match="no"), part("outer"), part("inner"):
            raise ValueError("no")
        with part("next"):
            time.sleep(0.01)
    assert set(parts) == {"inner", "outer", "next"}
    assert parts["next"] >= 0.01


def test_where_nobody_times_nothing_is_kept():
    with part("alone"):
        pass
    with timed() as parts:
        pass
    assert parts == {}
