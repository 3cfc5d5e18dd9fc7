"""Classes of chips that were looked at one by one, and how well two passes agree."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score

from icefloe.errors import IcefloeError

Classes = NDArray[np.intp]

FOLDER = Path(__file__).parent / "truth"
COLUMNS = ("chip", "pass 1", "pass 2", "settled")


@dataclass(frozen=True, eq=False)
class Reference:
    """Chips of one image, each with its class.

    Attributes
    ----------
    names
        Of the classes, in alphabetical order.
    passes : int, shape (2, N)
        Class of each chip in either pass.
    settled : int, shape (N,)
        What it was settled to be.
    """

    names: tuple[str, ...]
    passes: Classes
    settled: Classes

    @property
    def agreement(self) -> float:
        """Share of the chips that both passes gave one class."""
        return float(np.mean(self.passes[0] == self.passes[1]))

    @property
    def kappa(self) -> float:
        """Cohen's kappa of the passes: agreement beyond what chance gives, 1 at most."""
        return float(cohen_kappa_score(*self.passes))


def read_reference(image: str) -> Reference:
    """The chips of an image, from `truth/IMAGE.csv`.

    Raises
    ------
    IcefloeError
        If the table lacks a column, a class or a chip.
    """
    path = FOLDER / f"{image}.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows or any(not row.get(column) for row in rows for column in COLUMNS):
        raise IcefloeError(f"{path}: a cell is empty. Fill in {', '.join(COLUMNS)} of every chip.")
    if [int(row["chip"]) for row in rows] != list(range(len(rows))):
        raise IcefloeError(f"{path}: chips are not 0, 1, 2 and so on. Sort the rows.")
    names = tuple(sorted({row[column] for row in rows for column in COLUMNS[1:]}))
    columns = [[names.index(row[column]) for row in rows] for column in COLUMNS[1:]]
    return Reference(names, np.array(columns[:2], np.intp), np.array(columns[2], np.intp))
