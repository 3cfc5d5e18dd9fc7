"""What the process that does the jobs tells its worker."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Loaded:
    """The champion's name, and why a newer one could not be loaded."""

    champion: str | None
    problem: str | None


@dataclass(frozen=True)
class Advanced:
    """Progress of the job at hand: `done` of `total` units of the work called `what`."""

    what: str
    done: int
    total: int | None


@dataclass(frozen=True)
class Ended:
    """The job at hand is over: its result, or the problem; neither where it was told to stop.

    `status` is what HTTP calls the problem.
    """

    result: Mapping[str, Any] | None
    problem: str | None
    status: int = 422


Message = Loaded | Advanced | Ended
