"""Propose a grid of chips, and draw it, so that people can choose examples. This module needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from icefloe.errors import IcefloeError
from icefloe.fewshot.chip_edge import EdgeAdvice, suggest_edge
from icefloe.fewshot.figures import grid_figure
from icefloe.fewshot.grid import Grid
from icefloe.fewshot.source import ImageReference, read_picture
from icefloe.files import write_bytes_atomic
from icefloe.report.figures import png


@dataclass(frozen=True)
class ProposedGrid:
    """A grid to choose supports on.

    Attributes
    ----------
    advice
        Where the suggested edge comes from.
    grid
        With the suggested edge, or the one asked for.
    picture, curve
        The image with numbered chips, and the curve of the advice.
    notes
        What should be known of the file.
    """

    advice: EdgeAdvice
    grid: Grid
    picture: Path
    curve: Path
    notes: tuple[str, ...]


def propose_grid(
    image: Path,
    output: Path,
    edge: int | None = None,
    offset: tuple[int, int] = (0, 0),
    frame: int | None = None,
) -> ProposedGrid:
    """Draw an image with its numbered chips, so that supports can be chosen.

    Parameters
    ----------
    image
        The image.
    output
        Folder for the pictures.
    edge
        Chip edge in px; None: as suggested.
    offset
        Top and left of the first chip, in px.
    frame
        Which frame of a stack, from 0.

    Raises
    ------
    IcefloeError
        If the image can't be used, or chips of this edge don't fit.
    """
    picture = read_picture(image, frame)
    advice = suggest_edge(picture.image)
    grid = grid_on(picture.reference, advice.edge if edge is None else edge, offset)
    made = ProposedGrid(
        advice, grid, output / f"{image.stem}_grid.png", output / f"{image.stem}_edge.png", picture.notes
    )
    write_bytes_atomic(made.picture, png(grid_figure(grid, picture.image), dpi=100))
    write_bytes_atomic(made.curve, png(advice.figure()))
    return made


def grid_on(reference: ImageReference, edge: int, offset: tuple[int, int] = (0, 0)) -> Grid:
    """The grid of an image, its name in any error.

    Raises
    ------
    IcefloeError
        If chips of this edge don't fit.
    """
    top, left = offset
    try:
        return Grid(height=reference.height, width=reference.width, edge=edge, top=top, left=left)
    except IcefloeError as error:
        raise IcefloeError(f"{reference.name}: {error}") from error
