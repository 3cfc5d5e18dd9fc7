"""A quantity the gate compares: its columns, its transformation and its direction of alarm."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from icefloe.drift.config import Spread
from icefloe.drift.size import SizedValues
from icefloe.ensemble.rows import ImageRow, columns
from icefloe.errors import IcefloeError
from icefloe.scoring.uncertainty import MINIMUM_FOREGROUND
from icefloe.statistics.predictive import Alternative

Transformation = Literal["logarithm", "distribution"]

SIZE_COLUMN = "foreground_fraction"
"""Size of what was segmented: the predicted foreground's share of the image, a score of every ensemble."""


@dataclass(frozen=True)
class Quantity:
    """One row of a domain's table of quantities.

    Attributes
    ----------
    name, words : str
        Key in reports, and how a sentence calls it ("noise level").
    columns : tuple of str
        Columns it is read from: one for a logarithm, several for a distribution.
    spread : Spread
        Variation between experiments of one kind, assumed until the benchmark shows its own.
    transformation : "logarithm" or "distribution"
        Logarithm: one positive number, so effects are ratios new / benchmark. Distribution: numbers compared
        as they are, such as quantiles; the effect is the root mean square of their differences.
    alternative : "greater" or "two-sided"
        Direction of the difference that raises an alarm; "two-sided" for a distribution.
    with_size : bool
        Whether it changes with the size of the foreground, so that images are compared at equal sizes.
    required : bool
        Whether a benchmark without its columns is refused; otherwise the quantity is left out.
    of_boundary : bool
        Whether it is measured along the predicted boundary, so that an image without one has no value.
    formerly : str
        Name of its spread in settings of earlier versions, if it was another.
    """

    name: str
    words: str
    columns: tuple[str, ...]
    spread: Spread
    transformation: Transformation = "logarithm"
    alternative: Alternative = "two-sided"
    with_size: bool = False
    required: bool = True
    of_boundary: bool = False
    formerly: str = ""

    def __post_init__(self) -> None:
        if self.is_ratio != (len(self.columns) == 1):
            expected = "one column" if self.is_ratio else "several columns"
            raise IcefloeError(
                f"Quantity `{self.name}`: a {self.transformation} is read from {expected}, not from "
                f"{len(self.columns)}. Correct the domain's table."
            )
        if not self.is_ratio and self.alternative != "two-sided":
            raise IcefloeError(
                f"Quantity `{self.name}`: a distribution is not larger or smaller, only different. Make its "
                "alternative two-sided."
            )

    @property
    def is_ratio(self) -> bool:
        """Whether effects are ratios; otherwise they are distances between distributions."""
        return self.transformation == "logarithm"

    def of(self, rows: Iterable[ImageRow]) -> SizedValues:
        """Transformed values, and the logarithm of the size; images without a usable number are left out."""
        raw = columns(rows, (*self.columns, SIZE_COLUMN))
        with np.errstate(divide="ignore", invalid="ignore"):
            # Over sqrt(L), the length of a difference is the root mean square over columns: for quantiles, a
            # Wasserstein-2 distance.
            values = np.log(raw[:, :-1]) if self.is_ratio else raw[:, :-1] / np.sqrt(len(self.columns))
        usable = np.isfinite(values).all(axis=1)
        return SizedValues(values[usable], np.log(np.maximum(raw[usable, -1], MINIMUM_FOREGROUND)))

    def values(self, rows: Iterable[ImageRow]) -> NDArray[np.float64]:
        """Transformed values, shape (n, L); images without a usable number are left out."""
        return self.of(rows).values

    def is_measured(self, rows: Iterable[ImageRow]) -> bool:
        """Whether any of the images has all its columns."""
        return any(all(column in row.values for column in self.columns) for row in rows)


def require_columns(rows: Iterable[ImageRow], quantities: Iterable[Quantity], table: str) -> None:
    """Refuse a table in which a deciding quantity was never measured.

    Parameters
    ----------
    rows : iterable of ImageRow
        The table.
    quantities : iterable of Quantity
        Quantities that must have a column in every row.
    table : str
        Name of the table in the error, such as the dataset's name.
    """
    present = {name for row in rows for name in row.values}
    for quantity in quantities:
        missing = [column for column in quantity.columns if column not in present]
        if missing:
            raise IcefloeError(
                f"{table}: the column `{missing[0]}` that the {quantity.words} is read from is missing. "
                "Predict the images again and add their input evidence."
            )
