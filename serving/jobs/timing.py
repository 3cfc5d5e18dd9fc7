"""Where the time of a request went, as browsers and programs show it."""

from serving.jobs.job import Job


def server_timing(job: Job) -> dict[str, str]:
    """The header `Server-Timing` (ms) of a job that is done; none for one that is not.

    `wait` is the time until a worker took it, the others are parts of its work.
    """
    if job.state != "done" or job.began is None or job.result is None:
        return {}
    parts = {"wait": max(0.0, job.began - job.created), **job.result.get("seconds", {})}
    return {"Server-Timing": ", ".join(f"{name};dur={1000 * seconds:.1f}" for name, seconds in parts.items())}
