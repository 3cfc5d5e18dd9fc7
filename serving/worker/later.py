"""Work that nobody waits for: it is done when a job's answer is on its way."""

import logging
from collections.abc import Callable

logger = logging.getLogger(__name__)


class Later:
    """Work that was put off. It can be lost: whoever misses what it makes must be able to ask for it."""

    def __init__(self) -> None:
        self._work: Callable[[], object] | None = None

    def put_off(self, work: Callable[[], object]) -> None:
        """Leave work for later, and do what was left before."""
        self.catch_up()
        self._work = work

    def catch_up(self) -> None:
        """Do what was left."""
        work, self._work = self._work, None
        if work is None:
            return
        try:
            work()
        except Exception:
            logger.warning("What was put off could not be done.", exc_info=True)
