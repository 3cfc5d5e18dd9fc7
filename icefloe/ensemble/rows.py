"""One image's numbers: a row of the tables that predictions, benchmarks and the drift gate share.

Written flat, as in `scores.csv` and under `benchmark:` in `ensemble.yaml`, a row has the columns dataset,
stem, index, the scores of `prediction.SCORES`, experiment, and whatever else was measured, in this order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic_core import CoreSchema, core_schema

from icefloe.ensemble.prediction import SCORES
from icefloe.errors import IcefloeError

if TYPE_CHECKING:
    from icefloe.ensemble.prediction import Prediction
    from icefloe.ensemble.samples import ImageSample

IDENTITY = ("dataset", "stem", "index")
EXPERIMENT = "experiment"

Cell = str | int | float
"""Value of a flat row in one column."""

_TEXT = frozenset((*IDENTITY, EXPERIMENT))


@dataclass(frozen=True, slots=True)
class ImageRow:
    """Numbers measured on one image and on its prediction.

    As a field of a pydantic model it is read from, and written as, its flat form.

    Attributes
    ----------
    dataset, stem : str
        The image; `key` joins them.
    index : int
        Position in time within the dataset.
    values : mapping of str to float
        Column: number; NaN where nothing could be measured.
    experiment : str or None
        The experiment that the image was taken in; None where the table does not say.
    """

    dataset: str
    stem: str
    index: int
    values: Mapping[str, float] = field(repr=False)
    experiment: str | None = None

    @classmethod
    def of(cls, sample: ImageSample, prediction: Prediction) -> Self:
        """The scores of a prediction."""
        return cls(sample.dataset, sample.stem, sample.index, prediction.scores(), sample.experiment)

    @classmethod
    def from_flat(cls, row: Mapping[str, Any]) -> Self:
        """Read a flat row. Numbers may be text, as in a CSV file.

        Parameters
        ----------
        row : mapping of str to any
            Columns dataset, stem and index, experiment where it is known, and numbers; other text and None
            are left out.

        Raises
        ------
        IcefloeError
            If dataset, stem or index is missing.
        """
        for column in IDENTITY:
            if row.get(column) in (None, ""):
                raise IcefloeError(
                    f"Table of images: a row has no `{column}`. Give each row the dataset, stem, index "
                    "and scores of one image."
                )
        values = {}
        for column, value in row.items():
            if column not in _TEXT and (number := _number(value)) is not None:
                values[column] = number
        experiment = row.get(EXPERIMENT)
        return cls(
            str(row["dataset"]),
            str(row["stem"]),
            int(row["index"]),
            values,
            str(experiment) if experiment else None,
        )

    def flat(self) -> dict[str, Cell]:
        """Inverse of `from_flat`; numbers that are not finite stay so."""
        row: dict[str, Cell] = {"dataset": self.dataset, "stem": self.stem, "index": self.index}
        row.update((column, self.values[column]) for column in SCORES if column in self.values)
        if self.experiment is not None:
            row[EXPERIMENT] = self.experiment
        row.update((column, value) for column, value in self.values.items() if column not in row)
        return row

    @property
    def key(self) -> str:
        """The sample's key, such as `D3/stack_7`."""
        return f"{self.dataset}/{self.stem}"

    @property
    def unit(self) -> str:
        """The experimental unit: the experiment, or the dataset where the table names none."""
        return self.experiment or self.dataset

    def with_values(self, values: Mapping[str, float], experiment: str | None = None) -> Self:
        """The row with more columns, and with the name of its experiment if it is given."""
        return replace(self, values={**self.values, **values}, experiment=experiment or self.experiment)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
        def read(value: Any) -> ImageRow:
            if isinstance(value, cls):
                return value
            if not isinstance(value, Mapping):
                raise ValueError("not a table's row")
            return cls.from_flat(value)

        # Named by type, numbers that are not finite stay so in plain types, as `ensemble.yaml` has them, and
        # become null in JSON; of unknown type they would become null in both.
        cell = core_schema.union_schema(
            [core_schema.str_schema(), core_schema.int_schema(), core_schema.float_schema()]
        )
        return core_schema.no_info_plain_validator_function(
            read,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda row: row.flat(),
                return_schema=core_schema.dict_schema(core_schema.str_schema(), cell),
            ),
        )


def columns(rows: Iterable[ImageRow], names: Sequence[str]) -> NDArray[np.float64]:
    """Columns of a table, float64, shape (n, L); NaN where a row lacks one."""
    found = [[row.values.get(name, np.nan) for name in names] for row in rows]
    return np.array(found, dtype=np.float64).reshape(-1, len(names))


def in_time_order(rows: Iterable[ImageRow]) -> tuple[ImageRow, ...]:
    """Sorted by index, then by stem."""
    return tuple(sorted(rows, key=lambda row: (row.index, row.stem)))


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
