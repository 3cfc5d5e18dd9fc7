"""What happened in a run, in a few sentences."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icefloe.drift.report import GateReport
    from icefloe.evaluation.evaluate import Evaluation
    from icefloe.report.findings import Findings, LabelCost, MadeVersion


def what_happened(
    findings: Findings, promoted: Collection[str], champion: str | None, provisional: str = ""
) -> list[str]:
    """One line for each version trained from scratch and each dataset that arrived, and one for the champion.

    Parameters
    ----------
    findings
        Results of the run's steps.
    promoted
        Versions that became champion.
    champion
        The version in use now; None: there is none.
    provisional
        Why the champion is only provisional; empty if it is not.
    """
    made_for = {version.promotion.new_dataset: version for version in findings.versions}
    lines = [
        _first_version(version, findings.evaluations.get(version.name), version.name in promoted)
        for version in findings.versions
        if version.promotion.new_dataset is None
    ]
    for arrival in findings.arrivals:
        sentences = [_gate(arrival.gate) if arrival.gate else "", _labels(arrival.labels, arrival.dataset)]
        if version := made_for.get(arrival.dataset):
            pronoun = "it" if arrival.labels and arrival.labels.n_images == 1 else "them"
            sentences.append(_next_version(version, version.name in promoted, pronoun))
        lines.append(" ".join(part for part in sentences if part))
    why = f", provisionally: {provisional}" if provisional else "."
    lines.append(f"The champion is now {champion}{why}" if champion else "There is no champion yet.")
    return lines


def _first_version(version: MadeVersion, evaluation: Evaluation | None, promoted: bool) -> str:
    outcome = _promoted(version) if promoted else "not promoted"
    # Its evaluation may be a later one, which has the datasets that arrived since.
    datasets = [c.dataset for c in version.promotion.comparisons if c.metric == "dice"]
    if evaluation is None or not datasets:
        return f"{version.name} was trained and {outcome}."
    dice = ", ".join(f"{evaluation.datasets[dataset].dice:.3f} on {dataset}" for dataset in datasets)
    best = max(score.dice for dataset in datasets for score in evaluation.baselines[dataset].values())
    return (
        f"{version.name} was trained on {_listed(datasets)} and {outcome}: Dice on held-out images "
        f"{dice}; without a model at most {best:.3f}."
    )


def _gate(report: GateReport) -> str:
    if report.outcome == "accept":
        return f"{report.dataset} arrived and was accepted."
    if report.outcome == "noisy":
        return f"{report.dataset} arrived and was set aside as too noisy."
    if report.outcome == "inconclusive":
        return f"{report.dataset} arrived and could not be judged: {report.reason}."
    cause = report.attribution
    likely = f", most likely {cause.brief}" if cause is not None and cause.is_clear else ""
    return f"{report.dataset} arrived and was found shifted{likely}."


def _labels(cost: LabelCost | None, dataset: str) -> str:
    if cost is None or not cost.n_images:
        return ""
    labelled = f"image of {dataset} was" if cost.n_images == 1 else f"images of {dataset} were"
    return f"{cost.n_images} {labelled} labelled in {cost.minutes:.0f} min."


def _promoted(version: MadeVersion) -> str:
    return "promoted provisionally" if version.is_provisional else "promoted"


def _next_version(version: MadeVersion, promoted: bool, pronoun: str) -> str:
    name, report = version.name, version.promotion
    outcome = f"It was {_promoted(version)}" if promoted else "It stays a challenger"
    change = next(
        (c for c in report.comparisons if c.dataset == report.new_dataset and c.metric == "dice"), None
    )
    if change is None:
        return f"{name} was trained on {pronoun}. {outcome}."
    return (
        f"{name}, trained on {pronoun}, has a Dice of {change.challenger:.3f} there, {report.champion} "
        f"{change.reference:.3f}. {outcome}."
    )


def _listed(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
