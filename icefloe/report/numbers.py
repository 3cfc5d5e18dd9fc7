"""Results as the flat numbers that a KFP page or an MLflow run shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from icefloe.drift.report import GateReport
    from icefloe.evaluation.evaluate import Evaluation

SHOWN = ("pca", "iou", "dice", "brier", "ece", "uq")


def evaluation_numbers(evaluation: Evaluation) -> dict[str, float]:
    """`D1.dice` and the like for every dataset, and the mean Dice over datasets."""
    numbers = {
        f"{dataset}.{name}": float(getattr(scores, name))
        for dataset, scores in evaluation.datasets.items()
        for name in SHOWN
    }
    return {"mean_dice": mean_dice(evaluation), **numbers}


def mean_dice(evaluation: Evaluation) -> float:
    """Mean over datasets of their pooled Dice."""
    return float(np.mean([scores.dice for scores in evaluation.datasets.values()]))


def roc_points(evaluation: Evaluation) -> list[tuple[float, float, float]]:
    """False and true positive rate and threshold along the ROC of the first dataset that has one."""
    for scores in evaluation.datasets.values():
        if scores.roc is not None:
            roc = scores.roc
            return list(zip(roc.false_positive_rate, roc.true_positive_rate, roc.thresholds, strict=True))
    return []


def gate_numbers(report: GateReport) -> dict[str, float]:
    """Effect and p-value of each piece of evidence."""
    numbers: dict[str, float] = {"n_images": report.n_images, "alpha": report.alpha}
    for result in report.evidence:
        numbers[f"{result.name}.effect"] = result.effect
        numbers[f"{result.name}.p_value"] = result.p_value
    return numbers
