"""The page of the gate's study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from icefloe.drift.ice import ICE
from icefloe.drift.patterns import UNKNOWN
from icefloe.simulate.standard import describe_shift
from studies.gate.rates import DAYS_A_MONTH, WANTED_POWER, Detections, Rate, Smallest
from studies.gate.simulation import CAUSES

if TYPE_CHECKING:
    from studies.gate.study import GateStudy

Lines = list[str]


def page(study: GateStudy) -> str:
    """Tables and verdicts in plain words."""
    n_standard = study.detections.rate(_typical(study), None, 0.0).total
    head = (
        f"{study.ensemble} with its benchmark of {', '.join(study.experiments)}; {n_standard} simulated "
        "experiments of the standard kind, and experiments with one cause of departure at "
        f"{len(study.detections.strengths)} strengths. Below {study.config.min_images} images the gate "
        "answers `inconclusive`; the columns for fewer show what it would miss and see if it were let."
    )
    sections = (_false_alarms, _power, _attribution, _datasets, _spreads)
    return "\n\n".join([head, *("\n".join(section(study)) for section in sections)])


def _typical(study: GateStudy) -> int:
    """Number of images that tables with one number use: the largest but one."""
    return sorted(study.detections.alarms)[-2]


def _false_alarms(study: GateStudy) -> Lines:
    counts = list(study.detections.alarms)
    alpha, n = study.config.alpha, _typical(study)
    rate = study.detections.rate(n, None, 0.0)
    low, high = rate.interval or (0.0, 1.0)
    if high <= alpha:
        verdict = f"The stated {alpha:.0%} holds: the whole interval is below."
    elif low <= alpha:
        verdict = (
            f"The stated {alpha:.0%} is compatible with what was counted, whose interval reaches beyond it."
        )
    else:
        verdict = f"The stated {alpha:.0%} does not hold: the whole interval is above."
    by_quantity = study.detections.false_alarms_by_quantity(n)
    raised = ", ".join(f"{name} {share:.1%}" for name, share in by_quantity.items()) or "none"
    return [
        "## False alarms",
        "",
        "Standard experiments called anything but accepted, 95 % interval (Clopper and Pearson).",
        "",
        "| benchmark | " + " | ".join(f"{k} images" for k in counts) + " |",
        "|---|" + "---|" * len(counts),
        "| " + " and ".join(study.experiments) + " | " + _rates(study.detections) + " |",
        "| the same without camera and boundary evidence, as older benchmarks | "
        + _rates(study.fewer)
        + " |",
        "",
        f"{verdict} Raised by (at {n} images): {raised}.",
        "",
        f"| experiments in a random benchmark ({n} images) | {' | '.join(map(str, study.by_size))} |",
        "|---|" + "---|" * len(study.by_size),
        "| not accepted | " + " | ".join(map(str, study.by_size.values())) + " |",
        "",
        f"**A month** of {study.per_day:g} harmless experiments a day: {_monthly(rate, study.per_day)} "
        f"with this benchmark, {_monthly(_pooled(study), study.per_day)} with random ones (stated: at "
        f"most {alpha * study.per_day * DAYS_A_MONTH:.1f}).",
    ]


def _rates(detections: Detections) -> str:
    return " | ".join(str(detections.rate(k, None, 0.0)) for k in detections.alarms)


def _pooled(study: GateStudy) -> Rate:
    rates = study.by_size.values()
    return Rate(hits=sum(rate.hits for rate in rates), total=sum(rate.total for rate in rates))


def _monthly(rate: Rate, per_day: float) -> str:
    tests = per_day * DAYS_A_MONTH
    low, high = rate.interval or (0.0, 1.0)
    return f"{(rate.share or 0.0) * tests:.1f} false alarms ({low * tests:.1f}–{high * tests:.1f})"


def _power(study: GateStudy) -> Lines:
    counts, n = list(study.detections.alarms), _typical(study)
    strengths = study.detections.strengths
    smallest = {(found.cause, found.n_images): found for found in study.smallest}
    lines = [
        "## Power",
        "",
        "![Share not accepted against the strength of each cause](gate-power.png)",
        "",
        f"Dotted: the stated rate of false alarms; dashed: {WANTED_POWER:.0%}.",
        "",
        f"**Smallest shift detected with {WANTED_POWER:.0%} power**, in the units of the property; in "
        "brackets the strength with its 95 % interval (bootstrap over experiments).",
        "",
        "| cause | " + " | ".join(f"{k} images" for k in counts) + " |",
        "|---|" + "---|" * len(counts),
    ]
    for cause in CAUSES:
        lines.append(
            f"| {cause} | " + " | ".join(_smallest(smallest[cause, k], strengths) for k in counts) + " |"
        )
    lines += [
        "",
        f"Share not accepted at {n} images (in brackets: without camera and boundary evidence); "
        f"{study.detections.rate(n, CAUSES[0], strengths[0]).total} experiments a cell.",
        "",
        "| cause | " + " | ".join(f"{strength:g}" for strength in strengths) + " | strength 1 is |",
        "|---|" + "---|" * (len(strengths) + 1),
    ]
    for cause in CAUSES:
        cells = (
            f"{study.detections.rate(n, cause, s).share:.0%} ({study.fewer.rate(n, cause, s).share:.0%})"
            for s in strengths
        )
        lines.append(f"| {cause} | " + " | ".join(cells) + f" | {describe_shift(cause, 1.0)} |")
    unseen = [c for c in CAUSES if not np.isfinite(smallest[c, n].strength)]
    seen = [c for c in CAUSES if c not in unseen]
    lines += [
        "",
        f"Detected with {WANTED_POWER:.0%} power at some strength, {n} images: {', '.join(seen) or 'none'}.",
    ]
    if unseen:
        lines[-1] += f" **Not** up to the strongest shift measured: {', '.join(unseen)}."
    return lines


def _smallest(found: Smallest, strengths: tuple[float, ...]) -> str:
    if not np.isfinite(found.strength):
        return "none measured"
    first = "at most " if found.strength <= strengths[0] else ""
    high = f"{found.high:.2f}" if np.isfinite(found.high) else "beyond"
    return (
        f"{first}{describe_shift(found.cause, found.strength)} ({found.strength:.2f}, {found.low:.2f}–{high})"
    )


def _attribution(study: GateStudy) -> Lines:
    groups, causes, n_groups = study.groups, study.causes, len(ICE.groups)
    by_strength = [(s, rate) for s, rate in study.by_strength.items() if rate.total]
    return [
        "## What moved",
        "",
        "![Simulated causes and what the gate says](gate-groups.png)",
        "",
        "Experiments with one cause at strength 0.5 and more, and standard ones, "
        f"{_typical(study)} images each. Fitted on other experiments ({study.fitted}).",
        "",
        groups.to_markdown().replace(f"says {UNKNOWN}", "several or unknown"),
        "",
        f"Of the alarms, {groups.accuracy} name the right one of {n_groups} groups; where one is named, "
        f"{groups.clear} are right. Guessing among the groups: {1 / n_groups:.0%}; always the commonest: "
        f"{groups.chance:.0%}. Of the {len(CAUSES)} causes one by one: {causes.accuracy} "
        f"(guessing {1 / len(CAUSES):.0%}, the commonest {causes.chance:.0%}).",
        "",
        "| strength | " + " | ".join(f"{s:g}" for s, _ in by_strength) + " |",
        "|---|" + "---|" * len(by_strength),
        "| alarms | " + " | ".join(str(rate.total) for _, rate in by_strength) + " |",
        "| right group | " + " | ".join(str(rate) for _, rate in by_strength) + " |",
        "",
        "![One by one](gate-causes.png)",
    ]


def _datasets(study: GateStudy) -> Lines:
    if not study.arrived:
        return ["## Datasets of the workspace", "", "All are in the benchmark."]
    lines = [
        "## Datasets of the workspace",
        "",
        "| dataset | outcome | decided by | what moved |",
        "|---|---|---|---|",
    ]
    for report in study.arrived:
        cause = report.attribution
        if cause is None:
            words = ""
        elif cause.group == UNKNOWN:
            words = "several or unknown: " + ", ".join(_likely(cause.groups))
        else:
            words = f"{cause.cause} ({cause.groups[cause.group]:.0%})"
        lines.append(f"| {report.dataset} | {report.outcome} | {', '.join(report.decided_by)} | {words} |")
    return lines


def _likely(groups: Mapping[str, float]) -> list[str]:
    return [f"{name} {share:.0%}" for name, share in groups.items() if name != UNKNOWN and share >= 0.05]


def _spreads(study: GateStudy) -> Lines:
    return [
        "## How experiments vary",
        "",
        "Shifts of standard experiments from the benchmark, of logarithms (intensities: distances), "
        f"{_typical(study)} images each. The last column is their root mean square in the gate's own "
        "standard deviations: 1 where the gate is right, less where it is cautious.",
        "",
        "| quantity | mean | SD | spread assumed | in the gate's SD |",
        "|---|---|---|---|---|",
        *(
            f"| {s.words} | {s.centre:+.3f} | {s.deviation:.3f} | {s.assumed:g} | {s.statistic:.2f} |"
            for s in study.spreads
        ),
    ]
