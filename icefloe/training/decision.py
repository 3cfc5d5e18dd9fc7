"""One choice of a plan."""

from pydantic import BaseModel, ConfigDict


class Decision(BaseModel):
    """One choice of a plan, and why."""

    model_config = ConfigDict(frozen=True)

    what: str
    choice: str
    why: str
