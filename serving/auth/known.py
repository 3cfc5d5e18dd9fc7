"""Whose secrets were found lately, so that not every request has to ask the database."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from serving.auth.people import Person
from serving.auth.secret import digest

KNOWN_SECONDS = 5.0
"""So long another web process may let in whose token or session ended, or whose role changed."""

MOST_KNOWN = 10_000


class Known:
    """People by their tokens and cookies, for `KNOWN_SECONDS` each; to be used in the event loop's thread.

    Parameters
    ----------
    clock
        Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # Those who were found last are at the end.
        self._found: OrderedDict[tuple[str, str], tuple[float, Person]] = OrderedDict()
        self._forgotten = 0

    async def person(
        self, kind: str, secret: str, find: Callable[[str], Awaitable[Person | None]]
    ) -> Person | None:
        """Whose secret this is; None if nobody's, which is not remembered.

        Parameters
        ----------
        kind, secret
            What the secret is, such as `token`, and the secret.
        find
            Asks the database.
        """
        key, now = (kind, digest(secret)), self._clock()
        until, known = self._found.get(key, (now, None))
        if until > now:
            return known
        forgotten = self._forgotten
        person = await find(secret)
        self._found.pop(key, None)
        if person is not None and forgotten == self._forgotten:
            self._found[key] = self._clock() + KNOWN_SECONDS, person
            if len(self._found) > MOST_KNOWN:
                self._found.popitem(last=False)
        return person

    def forget(self) -> None:
        """Somebody's rights have changed: all are looked up anew. From any thread."""
        self._forgotten += 1
        self._found.clear()
