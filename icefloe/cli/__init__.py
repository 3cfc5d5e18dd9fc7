"""The command line: one command per user task, each a thin call of `icefloe.workflow`."""

from icefloe.cli.main import main

__all__ = ["main"]
