"""How often a person or an address may ask, in each process."""

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from fastapi import Request

from serving.auth.secret import digest
from serving.problems import RefusedError

REQUESTS_PER_MINUTE = 1200
"""A browser that shows an image series asks some times a second."""

MINUTE_SECONDS = 60.0


class Rates:
    """Requests of the last minute, by token or address.

    Of its own, since the library `limits` starts a thread at nearly every request to forget old ones, which
    takes as long as a statement of the database.

    Parameters
    ----------
    per_minute
        Requests that each may make.
    clock
        Seconds that never go back.
    """

    def __init__(
        self, per_minute: int = REQUESTS_PER_MINUTE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_minute, self._clock = per_minute, clock
        # Those who asked last are at the end.
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, request: Request) -> None:
        """Count a request; to be called in the event loop's thread only.

        Raises
        ------
        RefusedError
            429 if there were too many.
        """
        now = self._clock()
        self._forget(now - MINUTE_SECONDS)
        token = request.headers.get("authorization")
        who = digest(token) if token else (request.client.host if request.client else "")
        times = self._times.setdefault(who, deque())
        self._times.move_to_end(who)
        while times and times[0] <= now - MINUTE_SECONDS:
            times.popleft()
        if len(times) >= self._per_minute:
            wait = max(1, math.ceil(times[0] + MINUTE_SECONDS - now))
            raise RefusedError(429, f"Too many requests. Wait {wait} s.", {"Retry-After": str(wait)})
        times.append(now)

    def _forget(self, before: float) -> None:
        """Forget those who have asked for nothing since."""
        while self._times and next(iter(self._times.values()))[-1] <= before:
            self._times.popitem(last=False)
