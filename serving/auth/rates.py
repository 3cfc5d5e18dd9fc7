"""How often a person or an address may ask, in each process."""

import math
import time
from threading import Lock

from fastapi import Request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from serving.auth.secret import digest
from serving.problems import RefusedError

REQUESTS_PER_MINUTE = 1200
"""A browser that shows an image series asks some times a second."""


class Rates:
    """Requests of the last minute, by token or address."""

    def __init__(self, per_minute: int = REQUESTS_PER_MINUTE) -> None:
        self._limit = RateLimitItemPerMinute(per_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        # The storage starts a timer thread of its own at a hit, and two hits at once start one twice.
        self._turn = Lock()

    def check(self, request: Request) -> None:
        """Count a request.

        Raises
        ------
        RefusedError
            429 if there were too many.
        """
        token = request.headers.get("authorization")
        who = digest(token) if token else (request.client.host if request.client else "")
        with self._turn:
            taken = self._limiter.hit(self._limit, who)
        if not taken:
            reset = self._limiter.get_window_stats(self._limit, who).reset_time
            wait = max(1, math.ceil(reset - time.time()))
            raise RefusedError(429, f"Too many requests. Wait {wait} s.", {"Retry-After": str(wait)})
