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

ALIKE = 0.5
"""Least correlation of a cut-out chip with the one of the image that it is; compression takes off much of
what is noise."""

CLEARLY = 0.7
"""How much less unlike it must be than the second one; chips of a lattice are all alike."""


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


def sets_from_folder(folder: Path, image: FloatArray, grid: Grid) -> tuple[SupportSets, tuple[str, ...]]:
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

    Returns
    -------
    SupportSets, tuple of str
        The sets, and a note on pictures that were left out: those of one value look like no chip.

    Raises
    ------
    IcefloeError
        If there is no picture, one has another size than the grid's chips, or most are no chip of it.
    """
    known = _unit(grid.chips(image).reshape(grid.n_chips, -1))
    pictures = _pictures(folder)
    chips: dict[str, list[int]] = defaultdict(list)
    lost = []
    for name, path in pictures:
        cut = _grey(path)
        if cut.shape != (grid.edge, grid.edge):
            raise IcefloeError(
                f"{path}: {cut.shape[1]}x{cut.shape[0]} px, but the grid's chips have {grid.edge}. "
                "Use the grid that these were cut with, or name chips in a table."
            )
        chip = _found(known, _unit(cut.reshape(1, -1))[0])
        if chip is None:
            lost.append(f"{name}/{path.name}")
        elif chip not in chips[name]:  # a copy of a picture
            chips[name].append(chip)
    told = f"{len(lost)} of {len(pictures)} pictures look like no chip of the grid: {', '.join(lost[:5])}"
    told += " ..." if len(lost) > 5 else ""
    if 2 * len(lost) > len(pictures):
        raise IcefloeError(
            f"{folder}: {told}. Use the grid that these were cut with, or name chips in a table."
        )
    notes = (f"{told}. They are left out; name these chips in a table instead.",) if lost else ()
    return _sets(chips, folder), notes


def _found(known: NDArray[np.float32], cut: NDArray[np.float32]) -> int | None:
    """Number of the chip that a picture is; None if none is like it, or several are."""
    likeness = known @ cut
    chip = int(likeness.argmax())
    second = float(np.delete(likeness, chip).max(initial=0.0))
    is_clear = likeness[chip] >= ALIKE and 1 - likeness[chip] <= CLEARLY * (1 - second)
    return chip if is_clear else None


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
