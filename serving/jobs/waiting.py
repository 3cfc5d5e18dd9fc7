"""Waiting for jobs without holding a thread."""

import asyncio
import re
import time
from typing import Annotated

from fastapi import Header
from fastapi.concurrency import run_in_threadpool

from serving.jobs.job import Job
from serving.jobs.table import Jobs

LOOK_SECONDS = 0.1
LONGEST = 30.0


async def until_over(jobs: Jobs, job: Job, seconds: float) -> Job:
    """The job once it is over, or as it is after `seconds`."""
    deadline = time.monotonic() + seconds
    while job.is_live and time.monotonic() < deadline:
        await asyncio.sleep(LOOK_SECONDS)
        job = await run_in_threadpool(jobs.job, job.id)
    return job


def preferred_wait(prefer: Annotated[str | None, Header()] = None) -> float:
    """How long an answer may take, in s, from `Prefer: wait=10` (RFC 7240); 10 s unless it says otherwise."""
    found = re.search(r"\bwait\s*=\s*(\d{1,4})", prefer or "")
    return min(float(found[1]), LONGEST) if found else 10.0
