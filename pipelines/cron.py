"""Times of a schedule, as `cron` has them: minute, hour, day of the month, month, day of the week."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from icefloe.errors import IcefloeError

FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 6))
_PART = re.compile(r"(?P<first>\*|\d+)(?:-(?P<last>\d+))?(?:/(?P<step>\d+))?")


@dataclass(frozen=True)
class Cron:
    """When a schedule is due.

    Attributes
    ----------
    expression
        As it was typed, with single spaces.
    due
        Numbers of each field at which it is due, in the order of `FIELDS`.
    """

    expression: str
    due: tuple[frozenset[int], ...]

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Read `0 5 * * *`: numbers, `*`, ranges `1-5`, lists `1,3` and steps `*/15`.

        Raises
        ------
        IcefloeError
            If it is not that.
        """
        fields = text.split()
        if len(fields) != len(FIELDS):
            raise IcefloeError(
                f"--cron: {text!r} has {len(fields)} fields, not five. "
                'Write minute, hour, day, month and weekday, such as "0 5 * * *".'
            )
        due = [_numbers(field, *limits) for field, limits in zip(fields, FIELDS, strict=True)]
        return cls(" ".join(fields), tuple(due))

    @property
    def for_kubeflow(self) -> str:
        """With seconds first, as Kubeflow wants it; it reads it in its own time zone, mostly UTC."""
        return f"0 {self.expression}"

    def is_due(self, start: datetime, end: datetime) -> bool:
        """Whether it is due at a full minute from `start` to `end`."""
        minute = start.replace(second=0, microsecond=0)
        if minute < start:
            minute += timedelta(minutes=1)
        while minute <= end:
            if self._matches(minute):
                return True
            minute += timedelta(minutes=1)
        return False

    def _matches(self, minute: datetime) -> bool:
        minutes, hours, days, months, weekdays = self.due
        by_day, by_weekday = minute.day in days, minute.isoweekday() % 7 in weekdays
        # As in every cron: where both days are restricted, either will do.
        restricted = [field != "*" and not field.startswith("*/") for field in self.expression.split()]
        day = by_day or by_weekday if restricted[2] and restricted[4] else by_day and by_weekday
        return minute.minute in minutes and minute.hour in hours and minute.month in months and day


def _numbers(field: str, name: str, lowest: int, highest: int) -> frozenset[int]:
    numbers: set[int] = set()
    for part in field.split(","):
        found = _PART.fullmatch(part)
        if found is None or (found["first"] == "*" and found["last"]):
            raise _wrong(field, name, lowest, highest)
        first = lowest if found["first"] == "*" else int(found["first"])
        is_one = found["first"] != "*" and not found["last"] and not found["step"]
        last = first if is_one else int(found["last"] or highest)
        step = int(found["step"] or 1)
        if not lowest <= first <= last <= highest or step < 1:
            raise _wrong(field, name, lowest, highest)
        numbers |= set(range(first, last + 1, step))
    return frozenset(numbers)


def _wrong(field: str, name: str, lowest: int, highest: int) -> IcefloeError:
    return IcefloeError(
        f"--cron: {field!r} is no {name}. Write *, or numbers from {lowest} to {highest}, such as "
        f"{lowest}, {lowest}-{highest}, {lowest},{highest} or */2."
    )
