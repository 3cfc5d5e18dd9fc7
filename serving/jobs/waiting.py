"""Waiting for jobs without holding a thread."""

import asyncio
import re
import time
from contextlib import suppress
from typing import Annotated

from fastapi import Header
from fastapi.concurrency import run_in_threadpool

from serving.jobs.job import Job
from serving.jobs.table import Jobs

LOOK_SECONDS, SELDOM_SECONDS = 0.1, 1.0
"""How soon to look where no bell is heard, as the worker may be on another machine, and how often at last.

Each look takes a core from a network that runs meanwhile on all of them.
"""

LONGEST = 30.0


async def until_over(jobs: Jobs, job: Job, seconds: float) -> Job:
    """The job once it is over, or as it is after `seconds`."""
    deadline = time.monotonic() + seconds
    if not job.is_live or seconds <= 0:
        return job
    loop, rung, pause = asyncio.get_running_loop(), asyncio.Event(), LOOK_SECONDS
    with jobs.bells.heard("over") as bell:
        loop.add_reader(bell.fileno(), rung.set)
        try:
            # It may have ended before anybody listened.
            while (job := await run_in_threadpool(jobs.job, job.id)).is_live:
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                with suppress(TimeoutError):
                    await asyncio.wait_for(rung.wait(), min(pause, left))
                pause = min(2 * pause, SELDOM_SECONDS)
                bell.hush()
                rung.clear()
        finally:
            loop.remove_reader(bell.fileno())
    return job


def preferred_wait(prefer: Annotated[str | None, Header()] = None) -> float:
    """How long an answer may take, in s, from `Prefer: wait=10` (RFC 7240); 10 s unless it says otherwise."""
    found = re.search(r"\bwait\s*=\s*(\d{1,4})", prefer or "")
    return min(float(found[1]), LONGEST) if found else 10.0
