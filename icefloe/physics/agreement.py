"""Coverage of the intervals, measured against labels."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from icefloe.physics.crystal import Crystal
from icefloe.physics.experiment import MEASURES, ExperimentPhysics
from icefloe.physics.quantity import CONFIDENCE, prediction_factor, significant

Array = NDArray[np.float64]

COMPARED = (
    "area",
    "equivalent_radius",
    "perimeter",
    "centre_row",
    "centre_column",
    "mean_front",
    "max_curvature",
)


@dataclass(frozen=True)
class Agreement:
    """One quantity's intervals against labels.

    Images of one experiment resemble each other, so n of them say less than n should; and labels that the
    ensemble was trained on flatter it.

    Attributes
    ----------
    quantity, unit
        Name of the quantity compared, and its unit.
    n_images
        Labelled images on which both have a value.
    n_inside
        Number of images whose interval holds the label's value.
    mean_error, typical_error
        Mean and median absolute difference to the label, in `unit`.
    widening
        Smallest factor on the members' spread with which the intervals would have held `confidence` of these
        images, by the rule of split conformal prediction (the ceil((n + 1) confidence)-th smallest). Below
        1, the labels ask for narrower intervals. Of fewer than 19 images (at 95 %) it is the greatest, which
        has a confidence of n / (n + 1) only.
    """

    quantity: str
    unit: str
    n_images: int
    n_inside: int
    mean_error: float
    typical_error: float
    widening: float

    def sentence(self) -> str:
        """The comparison in one sentence."""
        return (
            f"Against {self.n_images} labels: {self.quantity.replace('_', ' ')} within its interval on "
            f"{self.n_inside}, mean error {significant(self.mean_error)} {self.unit}."
        )

    def to_dict(self) -> dict[str, str | int | float]:
        """The attributes by name."""
        return asdict(self)


def compare(
    experiment: ExperimentPhysics, labels: Mapping[str, Crystal], confidence: float = CONFIDENCE
) -> tuple[Agreement, ...]:
    """Compare an experiment with labels.

    Parameters
    ----------
    experiment
        Measured with an ensemble.
    labels
        Image name: what `measure` says of its label, with radial lines from the same origin.
    confidence
        Level of the intervals, in (0, 1).

    Returns
    -------
    tuple of Agreement
        One entry for each quantity in `COMPARED` that at least one labelled image has.
    """
    rows = [index for index, image in enumerate(experiment.images) if image.name in labels]
    crystals = [labels[experiment.images[index].name] for index in rows]
    found = []
    for name in COMPARED:
        quantity = experiment.quantities[name]
        truth = np.array([MEASURES[name][1](crystal) for crystal in crystals], np.float64)
        error = quantity.values[rows] - truth
        half = quantity.widening * (prediction_factor(quantity.members, confidence) * quantity.std)[rows]
        known = np.isfinite(error) & np.isfinite(half)
        if known.any():
            error, half = error[known], half[known]
            found.append(
                Agreement(
                    quantity=name,
                    unit=quantity.unit,
                    n_images=len(error),
                    n_inside=int((np.abs(error) <= half).sum()),
                    mean_error=float(error.mean()),
                    typical_error=float(np.median(np.abs(error))),
                    widening=_needed(error, half, confidence) * quantity.widening,
                )
            )
    return tuple(found)


def _needed(error: Array, half: Array, confidence: float) -> float:
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.sort(np.where(error == 0, 0.0, np.abs(error) / half))
    rank = min(int(np.ceil((len(shares) + 1) * confidence)), len(shares))
    return float(shares[rank - 1])
