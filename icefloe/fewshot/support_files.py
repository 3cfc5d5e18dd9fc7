"""Support sets from what people have: a table of chips, or folders of chips cut out by another program."""

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from icefloe.datasets.readers import is_readable_name, read_image
from icefloe.errors import IcefloeError
from icefloe.fewshot.grid import Grid
from icefloe.fewshot.sets import SupportSets
from icefloe.files import is_litter
from icefloe.typing import FloatArray

ALIKE = 0.8
"""Least correlation of a cut-out chip with the one of the image that it is; compression takes off some."""


def sets_from_table(path: Path, grid: Grid) -> SupportSets:
    """Sets from a CSV file with a row for each support: `chip,set`, or `row,column,set`; all from 0.

    Raises
    ------
    IcefloeError
        If the file is missing, has other columns, or a row is wrong; the message names the line.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = set(reader.fieldnames or ())
            rows = list(reader)
    except FileNotFoundError as error:
        raise IcefloeError(f"{path}: no such file. Check the name.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise IcefloeError(f"{path}: no CSV file in UTF-8. Save it as CSV.") from error
    by_number = {"chip", "set"} <= columns
    if not by_number and not {"row", "column", "set"} <= columns:
        raise IcefloeError(f"{path}: its columns must be chip,set or row,column,set. Fix the first line.")
    chips: dict[str, list[int]] = defaultdict(list)
    for line, row in enumerate(rows, 2):
        try:
            chips[row["set"] or ""].append(_chip(row, grid, by_number=by_number))
        except ValueError as error:
            raise IcefloeError(f"{path}, line {line}: a number is missing. Fix that line.") from error
        except IcefloeError as error:
            raise IcefloeError(f"{path}, line {line}: {error}") from error
    return _sets(chips, path)


def chip_edge_of_folder(folder: Path) -> int:
    """The edge in px of the pictures in a folder of folders; the shorter one of the first picture.

    Raises
    ------
    IcefloeError
        If there is no picture.
    """
    return min(_grey(_pictures(folder)[0][1]).shape)


def sets_from_folder(folder: Path, image: FloatArray, grid: Grid) -> SupportSets:
    """Sets from a folder of folders, one a set, of chips as pictures; each is found again in the image.

    Names are not trusted: programs count from 0 or 1, and rows or columns first.

    Parameters
    ----------
    folder
        Holds one folder a set.
    image : float32, shape (H, W)
        The image that the chips were cut from.
    grid
        Its grid.

    Raises
    ------
    IcefloeError
        If there is no picture, or one is no chip of this grid.
    """
    known = _unit(grid.chips(image).reshape(grid.n_chips, -1))
    chips: dict[str, list[int]] = defaultdict(list)
    for name, path in _pictures(folder):
        cut = _grey(path)
        if cut.shape != (grid.edge, grid.edge):
            raise IcefloeError(
                f"{path}: {cut.shape[1]}x{cut.shape[0]} px, but the grid's chips have {grid.edge}. "
                "Use the grid that these were cut with, or name chips in a table."
            )
        likeness = known @ _unit(cut.reshape(1, -1))[0]
        chip = int(likeness.argmax())
        if likeness[chip] < ALIKE:
            raise IcefloeError(
                f"{path}: no chip of the grid looks like it (correlation {likeness[chip]:.2f}). "
                "Use the grid that these were cut with, or name chips in a table."
            )
        if chip not in chips[name]:  # a copy of a picture
            chips[name].append(chip)
    return _sets(chips, folder)


def _chip(row: dict[str, str], grid: Grid, *, by_number: bool) -> int:
    if by_number:
        chip = int(row["chip"] or "")
        grid.place(chip)
        return chip
    place = int(row["row"] or ""), int(row["column"] or "")
    if not (0 <= place[0] < grid.rows and 0 <= place[1] < grid.columns):
        raise IcefloeError(
            f"no chip in row {place[0]}, column {place[1]}: the grid has rows 0 to {grid.rows - 1} and "
            f"columns 0 to {grid.columns - 1}. Choose one of these."
        )
    return place[0] * grid.columns + place[1]


def _sets(chips: dict[str, list[int]], source: Path) -> SupportSets:
    sets = SupportSets()
    try:
        for name, of_set in chips.items():
            sets = sets.added(name, of_set)
    except IcefloeError as error:
        raise IcefloeError(f"{source}: {error}") from error
    return sets


def _pictures(folder: Path) -> list[tuple[str, Path]]:
    """(Name of the set, picture) in order."""
    found = [
        (path.parent.name, path)
        for path in sorted(folder.glob("*/*"))
        if is_readable_name(path) and not is_litter(path.name) and not is_litter(path.parent.name)
    ]
    if not found:
        raise IcefloeError(f"{folder}: no folder in it holds a picture. Make one folder of chips a set.")
    return found


def _grey(path: Path) -> FloatArray:
    try:
        return read_image(path)
    except IcefloeError:
        # Other programs cut chips out of colour-mapped copies; their brightness still says which one it is.
        try:
            with Image.open(path, formats=("PNG", "JPEG", "TIFF", "BMP")) as picture:
                return np.asarray(picture.convert("L"), np.float32)
        except (OSError, ValueError) as error:
            raise IcefloeError(f"{path}: can't be read as a picture. Save it again.") from error


def _unit(vectors: FloatArray) -> NDArray[np.float32]:
    """Rows of mean 0 and length 1; those of one value stay 0."""
    centred = vectors - vectors.mean(axis=1, keepdims=True)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
