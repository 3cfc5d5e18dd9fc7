"""What differences say, in the words of a study."""

from collections.abc import Iterable

from icefloe.statistics.interval import Interval


def in_words(
    difference: Interval,
    better: str = "better",
    worse: str = "worse",
    undecided: str = "no difference shown",
) -> str:
    """The finding of a difference's interval; without an interval none."""
    if not difference.is_bounded:
        return "one seed cannot tell"
    return {"better": better, "worse": worse}.get(difference.finding(), undecided)


def listed(names: Iterable[str]) -> str:
    """`D2`, `D2 and D3`, `D2, D3 and D4`."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
