"""Where the time of a task goes: seconds by the names of its parts, for whoever asks."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass
class _Watch:
    parts: dict[str, float] = field(default_factory=dict)
    inside: float = 0.0  # s of parts within the present one


_watch: ContextVar[_Watch | None] = ContextVar("watch", default=None)


@contextmanager
def timed() -> Iterator[dict[str, float]]:
    """Time the parts of what is done in the block: name -> seconds, which grow as it goes on."""
    watch = _Watch()
    token = _watch.set(watch)
    try:
        yield watch.parts
    finally:
        _watch.reset(token)


@contextmanager
def part(name: str) -> Iterator[None]:
    """The block is a part of this name, without the parts within it; nothing is done where nobody times."""
    watch = _watch.get()
    if watch is None:
        yield
        return
    around, watch.inside = watch.inside, 0.0
    began = time.perf_counter()
    try:
        yield
    finally:
        took = time.perf_counter() - began
        watch.parts[name] = watch.parts.get(name, 0.0) + took - watch.inside
        watch.inside = around + took
