"""The registry as a request finds it: from the snapshot that workers write."""

from fastapi import Request

from serving.problems import RefusedError
from serving.snapshot import Snapshot, read_snapshot


def current_snapshot(request: Request) -> Snapshot:
    """The registry as a worker last saw it.

    Raises
    ------
    RefusedError
        503 while no worker has looked.
    """
    snapshot = read_snapshot(request.app.state.settings)
    if snapshot is None:
        raise RefusedError(503, why_unseen(request), {"Retry-After": "10"})
    return snapshot


def why_unseen(request: Request) -> str:
    """That no worker has looked at the registry, and what to do."""
    how = "Wait until one has" if request.app.state.workers.living() else "Start one: `icefloe worker`"
    return f"No worker has looked at the registry yet. {how}."
