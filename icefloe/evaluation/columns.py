"""The per-image columns of an evaluation that the promotion gate compares."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from icefloe.datasets.dataset import natural_key
from icefloe.errors import IcefloeError
from icefloe.evaluation.rule import METRICS

if TYPE_CHECKING:
    from icefloe.evaluation.evaluate import Evaluation

Columns = dict[str, dict[str, dict[str, float]]]
"""Dataset -> column of `METRICS` -> image stem -> value, of the images that have it.

Datasets are in natural order, images in time order."""


def scores_by_dataset(evaluation: "Evaluation") -> Columns:
    """The columns of an evaluation's per-image table that the gate compares."""
    columns: Columns = {}
    for row in sorted(evaluation.images, key=lambda row: (natural_key(row.dataset), row.index)):
        by_metric = columns.setdefault(row.dataset, {metric: {} for metric in METRICS})
        for metric in METRICS:
            if (value := getattr(row, metric)) is not None:
                by_metric[metric][row.stem] = float(value)
    return columns


def mean_scores(evaluation: "Evaluation") -> dict[str, dict[str, float]]:
    """Dataset -> metric -> mean over the images that have it; metrics that none has are left out."""
    return {
        dataset: {
            metric: float(np.mean(list(values.values()))) for metric, values in columns.items() if values
        }
        for dataset, columns in scores_by_dataset(evaluation).items()
    }


def partly_judged(evaluation: "Evaluation") -> dict[str, float]:
    """Dataset -> share of its images that only a part of the members judged."""
    parts: dict[str, list[bool]] = {}
    for row in evaluation.images:
        parts.setdefault(row.dataset, []).append(row.n_left_out > 0)
    return {dataset: float(np.mean(part)) for dataset, part in parts.items()}


def common(
    challenger: Mapping[str, float], champion: Mapping[str, float]
) -> tuple[dict[str, float], dict[str, float]]:
    """A column's values of two evaluations, of the images for which both have one."""
    stems = [stem for stem in challenger if stem in champion]
    return {stem: challenger[stem] for stem in stems}, {stem: champion[stem] for stem in stems}


def check_same_images(challenger: Columns, champion: Columns) -> None:
    """Refuse columns of a challenger and of a champion that are not of the same images.

    Raises
    ------
    IcefloeError
        If one of them was not evaluated on an image of the other.
    """
    for these, others, name in ((challenger, champion, "champion"), (champion, challenger, "challenger")):
        for dataset, columns in these.items():
            missing = columns["dice"].keys() - others.get(dataset, {"dice": {}})["dice"].keys()
            if missing:
                first = sorted(missing, key=natural_key)[0]
                raise IcefloeError(
                    f"{dataset}/{first}: the {name} was not evaluated on this image "
                    f"({len(missing)} such images). "
                    "Evaluate both versions on the same held-out images."
                )
