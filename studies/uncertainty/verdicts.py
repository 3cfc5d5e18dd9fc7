"""What holds and what does not, in sentences that the numbers decide."""

from collections.abc import Mapping, Sequence

import numpy as np

from icefloe.statistics.interval import Interval
from studies.uncertainty.coverage import METHODS, OURS, WITHIN, CoverageRow, Verification
from studies.uncertainty.rows import AbstentionRow, RankingRow, SplitRow

FRESH = "fresh experiments"
"""What the simulated standard experiments are called."""

UQ = "std (UQ)"

MORE_ERRORS, MORE_EPISTEMIC = 2.0, 1.5
"""An ensemble that errs so many times as often and yet disagrees less than so many times as much is blind."""


def coverage_verdicts(rows: Sequence[CoverageRow]) -> list[str]:
    """Which intervals cover what they state, and which of those are the narrowest."""
    by_method = {method.name: [row for row in rows if row.method == method.name] for method in METHODS}
    right = {name: own for name, own in by_method.items() if all(row.is_right for row in own)}
    said = ", ".join(f"{row.coverage:.3f} for {row.level:.0%}" for row in by_method[OURS.name])
    lines = [
        f"Coverage of the intervals in use ({OURS.name}) is {'' if OURS.name in right else 'NOT '}within "
        f"{100 * WITHIN:.0f} points of what is stated: {said}."
    ]
    for name in [name for name in by_method if name not in right and name != OURS.name]:
        worst = max(by_method[name], key=lambda row: abs(row.coverage - row.level))
        lines.append(
            f"Intervals by `{name}` are off: {worst.coverage:.3f} where {worst.level:.0%} is stated."
        )
    width = {name: float(np.mean([row.width for row in own])) for name, own in right.items()}
    if width:
        narrowest = min(width, key=width.__getitem__)
        others = ", ".join(
            f"`{name}` {w / width[narrowest] - 1:+.0%}" for name, w in width.items() if name != narrowest
        )
        lines.append(f"Of those that are right, `{narrowest}` gives the narrowest ({others or 'no other'}).")
    return lines


def shift_verdict(rows: Sequence[Verification], level: float) -> str:
    """Where coverage falls short on experiments of another kind than those calibrated on."""
    coverage = {row.where: row.coverage for row in rows if row.level == level and FRESH not in row.where}
    return (
        f"Intervals on other kinds of experiments, of which nothing is promised: {_short(coverage, level)}."
    )


def split_verdict(rows: Sequence[SplitRow]) -> str:
    """By what factor the two parts differ from those on fresh experiments."""
    fresh = next(row for row in rows if row.where == FRESH)
    parts = [
        f"{row.where} {row.aleatoric_boundary / fresh.aleatoric_boundary:.1f} / "
        f"{row.epistemic_boundary / fresh.epistemic_boundary:.1f}"
        for row in rows
        if row is not fresh
    ]
    blind = [
        row.where
        for row in rows
        if row.error >= MORE_ERRORS * fresh.error
        and row.epistemic_boundary < MORE_EPISTEMIC * fresh.epistemic_boundary
    ]
    return (
        f"Aleatoric / epistemic part per boundary, in units of that on {FRESH}: {', '.join(parts)}. With "
        f"{MORE_ERRORS:g} times as many wrong pixels or more, less than {MORE_EPISTEMIC:g} times the "
        "epistemic part, so that the ensemble does not notice how much less it knows: "
        f"{', '.join(blind) or 'nowhere'}."
    )


def ranking_verdicts(rows: Sequence[RankingRow]) -> list[str]:
    """Which score ranks errors best on fresh experiments, and how it and the paper's UQ do elsewhere."""
    lines = []
    for unit in ("pixels", "images"):
        own = [row for row in rows if row.unit == unit]
        fresh = next(row for row in own if row.where == FRESH)
        lines.append(
            f"`{fresh.best}` ranks {unit} of {FRESH} best: {fresh.gain(fresh.best):.2f} of the way from "
            f"chance to the oracle, the paper's UQ {fresh.gain(UQ):.2f}. Elsewhere, that score / UQ: "
            + ", ".join(
                f"{row.where} {row.gain(fresh.best):.2f} / {row.gain(UQ):.2f}"
                for row in own
                if row is not fresh
            )
            + "."
        )
    return lines


def abstention_verdicts(rows: Sequence[AbstentionRow], max_error: float, confidence: float) -> list[str]:
    """Whether abstaining keeps its promise, and at what price."""
    fresh, *others = rows
    kept = fresh.kept_promise.mean
    lines = [
        f"With {fresh.abstained:.1%} of the pixels abstained from, {kept:.1%} of fresh images have at most "
        f"{max_error:.1%} of wrong pixels left, {fresh.before:.1%} without; {confidence:.0%} was promised, "
        f"which is {'kept' if kept >= confidence - WITHIN else 'NOT kept'}."
    ]
    shares = {row.where: row.kept_promise for row in others}
    lines.append(
        "Abstaining on other kinds of experiments, of which nothing is promised: "
        f"{_short(shares, confidence)}."
    )
    return lines


def _short(shares: Mapping[str, Interval], level: float) -> str:
    """Where a share is below the level: shown over several experiments, or seen in a single one."""
    shown = {where: share for where, share in shares.items() if share.n > 1 and share.high < level}
    single = {where: share for where, share in shares.items() if share.n == 1 and share.mean < level - WITHIN}
    parts = [
        f"{how} {', '.join(f'{where} ({share.mean:.2f})' for where, share in found.items())}"
        for how, found in (
            (f"shown to be below {level:.0%}:", shown),
            ("below it in the one experiment:", single),
        )
        if found
    ]
    return "; ".join(parts) or f"none is below {level:.0%}"
