"""A clock that stands still until a test sets it."""


class Clock:
    """Seconds since the epoch, or since any moment: `now`."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
