"""Whether the service is alive, and whether it can work."""

from fastapi import APIRouter, Request
from sqlalchemy import select

from icefloe.database.schema import people
from icefloe.errors import IcefloeError
from serving.problems import RefusedError

router = APIRouter(tags=["health"])


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "alive"}


@router.get("/readyz")
def readyz(request: Request) -> dict[str, str]:
    """The database answers, too; 503 says why it does not."""
    try:
        with request.app.state.database.reading() as connection:
            connection.execute(select(people.c.id).limit(1)).first()
    except IcefloeError as error:
        raise RefusedError(503, str(error), {"Retry-After": "10"}) from error
    return {"status": "ready"}
