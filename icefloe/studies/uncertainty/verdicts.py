"""What holds and what does not, in sentences that the numbers decide."""

from collections.abc import Sequence

import numpy as np

from icefloe.studies.uncertainty.coverage import METHODS, OURS, WITHIN, CoverageRow, Verification
from icefloe.studies.uncertainty.rows import AbstentionRow, RankingRow, SplitRow

FRESH = "fresh experiments"
"""What the simulated standard experiments are called."""

UQ = "std (UQ)"
CLEARLY = 0.05
"""By how much of the way from chance to the oracle a score must lie behind to be called worse."""


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
    shifted = [row for row in rows if row.level == level and FRESH not in row.where]
    short = [
        f"{row.where} ({row.coverage.mean:.2f})" for row in shifted if row.coverage.mean < level - WITHIN
    ]
    if not short:
        return f"On all {len(shifted)} other kinds coverage is {level:.0%} too; nothing promises that."
    return (
        f"On other kinds of experiments the guarantee does not hold: {len(short)} of {len(shifted)} fall "
        f"short of {level:.0%}: {', '.join(short)}."
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
    return (
        f"Aleatoric / epistemic part per boundary, in units of that on {FRESH}: {', '.join(parts)}. "
        "Where the epistemic one has not risen, the ensemble does not notice that it knows less."
    )


def ranking_verdicts(rows: Sequence[RankingRow]) -> list[str]:
    """Which score ranks errors best, and where the paper's UQ does clearly worse or none helps."""
    lines = []
    for unit in ("pixels", "images"):
        own = [row for row in rows if row.unit == unit]
        fresh = next(row for row in own if row.where == FRESH)
        lines.append(
            f"`{fresh.best}` ranks {unit} of {FRESH} best: {fresh.gain(fresh.best):.2f} of the way from "
            f"chance to the oracle; the paper's UQ {fresh.gain(UQ):.2f}."
        )
        worse = [row.where for row in own if row.gain(UQ) < row.gain(row.best) - CLEARLY]
        if worse:
            lines.append(f"UQ ranks {unit} clearly worse than the best score does on {', '.join(worse)}.")
        blind = [row.where for row in own if row.gain(row.best) <= 0]
        if blind:
            lines.append(f"No score ranks {unit} better than chance does on {', '.join(blind)}.")
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
    broken = [
        f"{row.where} ({row.kept_promise.mean:.2f})"
        for row in others
        if row.kept_promise.mean < confidence - WITHIN
    ]
    if broken:
        lines.append(
            f"On other kinds of experiments, of which nothing is promised, fewer: {', '.join(broken)}."
        )
    return lines
