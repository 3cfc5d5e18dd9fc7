"""The study's tables as Markdown: every number with half its 95 % interval over seeds."""

from collections.abc import Mapping, Sequence

from icefloe.scoring.diversity import ErrorCounts
from icefloe.statistics.interval import Interval
from icefloe.statistics.repetitions import over_seeds
from studies.ea_vs_er.design import Design
from studies.ea_vs_er.pairs import diversity
from studies.ea_vs_er.published import RESULTS, Published, published
from studies.ea_vs_er.results import FamilyScores

COLUMNS = {
    "iou": ("IoU", 3),
    "dice": ("Dice", 3),
    "pca": ("pCA", 3),
    "brier": ("Brier", 4),
    "mae": ("MAD", 4),
    "ece": ("ECE", 4),
    "uq": ("UQ", 4),
}
PAIRS = {
    "disagreement": ("disagreement", 4),
    "double_fault": ("both wrong", 4),
    "error_correlation": ("correlation of errors", 3),
    "q_statistic": ("Q", 3),
}


def plus_minus(estimate: Interval, digits: int) -> str:
    """Mean and half the interval."""
    if estimate.n < 2:
        return f"{estimate.mean:.{digits}f}"
    return f"{estimate.mean:.{digits}f} ± {estimate.high - estimate.mean:.{digits}f}"


def scores_table(
    families: Mapping[str, FamilyScores],
    baselines: Mapping[str, Mapping[str, float]],
    test: str,
    place: int,
) -> str:
    """One test set: every ensemble, every baseline, and what the paper has beside.

    Parameters
    ----------
    families
        By name, versions after T1 too.
    baselines
        Name -> pCA, IoU, Dice.
    test
        Name of the test set.
    place
        Of the test set: 0 the standard one, then in the order in which they arrived.
    """
    heads = [head for head, _ in COLUMNS.values()]
    lines = [
        f"| | {' | '.join(heads)} | paper: pCA | paper: UQ |",
        f"|---{'|---:' * (len(heads) + 2)}|",
    ]
    for name, family in families.items():
        alone = all(len(scored.networks) == 1 for scored in family.all)
        cells = [
            "" if alone and metric == "uq" else plus_minus(family.estimate(test, metric), digits)
            for metric, (_, digits) in COLUMNS.items()
        ]
        lines.append(_row(name, cells, published(name, place)))
    for name, values in baselines.items():
        cells = [f"{values[metric]:.3f}" if metric in values else "" for metric in COLUMNS]
        lines.append(_row(f"*{name}*", cells, None))
    for name in RESULTS:
        theirs = published(name, place)
        if theirs is not None and name not in families:
            lines.append(_row(f"{name}, not run here", [""] * len(COLUMNS), theirs))
    return "\n".join(lines)


def _row(name: str, cells: Sequence[str], theirs: Published | None) -> str:
    paper = ("", "") if theirs is None else (f"{theirs.pca:.3f}", f"{theirs.uq:.3f}")
    return f"| {name} | {' | '.join([*cells, *paper])} |"


def diversity_table(errors: Mapping[str, ErrorCounts], design: Design) -> str:
    """Pairs of different architectures (one seed) against pairs of seeds of each architecture."""
    lines = [
        f"| test set | pairs | {' | '.join(head for head, _ in PAIRS.values())} |",
        f"|---|---{'|---:' * len(PAIRS)}|",
    ]
    for test, counts in errors.items():
        for kind, measures in diversity(counts, design).items():
            cells = [
                plus_minus(over_seeds(measures[measure]), digits) for measure, (_, digits) in PAIRS.items()
            ]
            lines.append(f"| {test} | {kind} | {' | '.join(cells)} |")
    return "\n".join(lines)


def ambiguity_table(families: Mapping[str, FamilyScores], tests: Sequence[str]) -> str:
    """What averaging takes off the members' mean Brier score, which is their ambiguity."""
    lines = [
        "| test set | | members' mean Brier | ambiguity | ensemble's Brier | taken off |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for test in tests:
        for name, family in families.items():
            brier, ambiguity = (family.estimate(test, metric) for metric in ("brier", "ambiguity"))
            members = over_seeds(family.per_seed(test, "brier") + family.per_seed(test, "ambiguity"))
            cells = [plus_minus(value, 4) for value in (members, ambiguity, brier)]
            share = ambiguity.mean / members.mean
            lines.append(f"| {test} | {name} | {' | '.join(cells)} | {share:.0%} |")
    return "\n".join(lines)
