"""One process that steps are forked from, for all tests that do not watch it start."""

import socket
from collections.abc import Iterator

import pytest

from pipelines.step_process import step_process


@pytest.fixture(scope="session")
def process() -> Iterator[socket.socket]:
    """Shared: its imports take longer than most tests. Each step still is a process of its own."""
    with step_process() as started:
        yield started
