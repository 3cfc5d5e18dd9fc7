"""Whether the service is alive, and whether it can work."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from icefloe.errors import IcefloeError
from serving.problems import RefusedError

router = APIRouter(tags=["health"])


class Ready(BaseModel):
    """The database answers; workers that live, and the version that they have loaded as champion."""

    model_config = ConfigDict(frozen=True)

    status: str
    workers: int
    champion: str | None


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "alive"}


@router.get("/readyz")
def readyz(request: Request) -> Ready:
    """The database answers, too; 503 says why it does not."""
    try:
        living = request.app.state.workers.living()
    except IcefloeError as error:
        raise RefusedError(503, str(error), {"Retry-After": "10"}) from error
    loaded = [worker.champion for worker in living if worker.champion is not None]
    return Ready(status="ready", workers=len(living), champion=loaded[-1] if loaded else None)
