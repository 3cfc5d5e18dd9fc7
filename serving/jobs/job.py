"""A job as people and programs see it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

JobState = Literal["waiting", "running", "done", "failed", "cancelled"]
LIVE: tuple[JobState, ...] = ("waiting", "running")
INTERACTIVE, BATCH = 0, 1
"""Priorities: what somebody waits for at a screen goes before what takes its time."""


class Job(BaseModel):
    """A piece of work; times in s since the epoch.

    Attributes
    ----------
    id, kind, arguments
        Number, what is to be done, and with what.
    priority
        0 before 1.
    actor
        Who asked for it.
    state
        `waiting`, `running`, `done`, `failed` or `cancelled`.
    created, began, ended
        When it was asked for, last begun, and over.
    attempts
        How often it was begun: a worker that dies leaves it to another.
    cancelling
        Whether it is to stop.
    what, done, total
        Progress: `done` of `total` units of the work called `what`.
    result
        What came of it; of one that failed, the `status` by which HTTP calls that.
    problem
        Why it failed, and what to do.
    revision
        Grows with every change.
    """

    model_config = ConfigDict(frozen=True)

    id: int
    kind: str
    arguments: dict[str, Any]
    priority: int
    actor: str
    state: JobState
    created: float
    began: float | None
    ended: float | None
    attempts: int
    cancelling: bool
    what: str
    done: int
    total: int | None
    result: dict[str, Any] | None
    problem: str | None
    revision: int

    def seen_by(self, person_id: int) -> "Job":
        """The job as a person sees it: what it says of a file that somebody else has sent is left out."""
        sender = self.arguments.get("person")
        if sender is None or sender == person_id:
            return self
        problem = None if self.problem is None else "It failed; whoever sent the file sees why."
        return self.model_copy(update={"arguments": {}, "result": None, "problem": problem})

    @property
    def is_live(self) -> bool:
        """Whether something is still to come of it."""
        return self.state in LIVE

    @property
    def status(self) -> int:
        """What HTTP calls the problem of a job that failed."""
        return int((self.result or {}).get("status", 422))
