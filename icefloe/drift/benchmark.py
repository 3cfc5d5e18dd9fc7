"""The benchmark a new dataset is compared with: per-image numbers of the experiments accepted so far."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from numpy.typing import ArrayLike

from icefloe.drift.domain import Domain
from icefloe.drift.ice import ICE
from icefloe.drift.predicted_dice import EXPECTED_DICE
from icefloe.ensemble.prediction import Prediction
from icefloe.ensemble.rows import ImageRow, in_time_order
from icefloe.ensemble.samples import AnySample
from icefloe.errors import IcefloeError
from icefloe.scoring.uncertainty import expected_dice
from icefloe.typing import MaskArray


def with_evidence(
    rows: Iterable[ImageRow],
    images: Iterable[ArrayLike],
    masks: Iterable[MaskArray | None] | None = None,
    experiment: str | None = None,
    domain: Domain = ICE,
) -> list[ImageRow]:
    """Add each image's input evidence to its row of scores.

    Parameters
    ----------
    rows : iterable of ImageRow
        Scores, one row per image.
    images : iterable of arrays, shape (H, W)
        The images in the same order, at native resolution.
    masks : iterable of uint8 arrays, shape (H, W), optional
        The ensemble's masks in the same order; without them the boundary is not measured.
    experiment : str, optional
        The experiment they were taken in, as `dataset.yaml` names it.
    domain : Domain
        Quantities to measure on each image.

    Returns
    -------
    list of ImageRow
        New rows; the given ones are left as they are.
    """
    pairs = zip(rows, images, strict=True)
    with_masks = ((pair, None) for pair in pairs) if masks is None else zip(pairs, masks, strict=True)
    return [row.with_values(domain.measure(image, mask), experiment) for (row, image), mask in with_masks]


def predicted_rows(
    predictions: Iterable[tuple[AnySample, Prediction]], domain: Domain = ICE
) -> list[ImageRow]:
    """One row per image: scores, the Dice that its probabilities expect, and input evidence.

    Parameters
    ----------
    predictions : iterable of (sample, prediction)
        Samples and predictions, as `Ensemble.predict` yields them.
    domain : Domain
        Quantities to measure on each image.
    """
    return [
        ImageRow.of(sample, prediction).with_values(
            {
                EXPECTED_DICE: expected_dice(prediction.mean, prediction.mask),
                **domain.measure(sample.image(), prediction.mask),
            }
        )
        for sample, prediction in predictions
    ]


@dataclass(frozen=True)
class Benchmark:
    """Rows of the reference experiments.

    Frames that a member was trained on do not belong here: on those an ensemble agrees with itself.
    """

    rows: tuple[ImageRow, ...]

    def __post_init__(self) -> None:
        if not self.rows:
            raise IcefloeError(
                "Drift benchmark: it holds no image. Predict the held-out images and give their scores."
            )

    @classmethod
    def from_rows(cls, rows: Iterable[ImageRow]) -> "Benchmark":
        """Of rows from any source, such as `Manifest.benchmark`."""
        return cls(tuple(rows))

    @property
    def experiments(self) -> tuple[str, ...]:
        """Names of the K experiments, in the order they joined."""
        return tuple(self._by_experiment)

    def of(self, experiment: str) -> tuple[ImageRow, ...]:
        """Rows of one experiment in time order."""
        return self._by_experiment[experiment]

    def accept(self, rows: Iterable[ImageRow]) -> "Benchmark":
        """The benchmark with an accepted dataset's rows added, in place of any it had of that dataset."""
        new = tuple(rows)
        names = {row.dataset for row in new}
        return Benchmark(tuple(row for row in self.rows if row.dataset not in names) + new)

    @cached_property
    def _by_experiment(self) -> dict[str, tuple[ImageRow, ...]]:
        rows: dict[str, list[ImageRow]] = {}
        for row in self.rows:
            rows.setdefault(row.unit, []).append(row)
        return {experiment: in_time_order(found) for experiment, found in rows.items()}
