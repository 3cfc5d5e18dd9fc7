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
        how = "Wait until it has" if request.app.state.workers.living() else "Start one: `icefloe worker`"
        raise RefusedError(503, f"No worker has looked at the registry yet. {how}.", {"Retry-After": "10"})
    return snapshot
