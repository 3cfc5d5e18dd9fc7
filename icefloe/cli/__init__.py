"""The command line: one command per user task, each a thin call of a room."""

from icefloe.cli.main import main

__all__ = ["main"]
