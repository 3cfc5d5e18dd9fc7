"""Images whose chips' classes are known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.fewshot.reference import Classes, read_reference
from icefloe.errors import IcefloeError
from icefloe.fewshot.chip_edge import suggest_edge
from icefloe.fewshot.grid import Grid
from icefloe.fewshot.source import read_picture
from icefloe.typing import FloatArray, MaskArray

ALLOY = ("matrix", "secondary", "tertiary")


@dataclass(frozen=True, eq=False)
class Scene:
    """An image, a grid and the class of each chip.

    Attributes
    ----------
    image : float32, shape (H, W)
    grid
        Of N chips.
    names
        Of the classes.
    classes : int, shape (N,)
        Each chip's.
    """

    image: FloatArray
    grid: Grid
    names: tuple[str, ...]
    classes: Classes

    @property
    def fractions(self) -> NDArray[np.float64]:
        """Each class's share of the chips."""
        return np.bincount(self.classes, minlength=len(self.names)) / len(self.classes)


def flakes(data: Path) -> Scene:
    """MoO3 flakes on a dark ground (fig2_c of Doty et al. 2022), 256 chips of 32 px, labelled by eye."""
    picture = read_picture(_existing(data / "fewshot-chips" / "fig2_c" / "test.tiff"))
    height, width = picture.image.shape
    reference = read_reference("fig2_c")
    return Scene(picture.image, Grid(height=height, width=width, edge=32), reference.names, reference.settled)


def joined(scene: Scene, names: Sequence[str], new: str) -> Scene:
    """The scene with some classes joined to one, the last."""
    kept = tuple(name for name in scene.names if name not in names)
    positions = [kept.index(name) if name in kept else len(kept) for name in scene.names]
    return replace(scene, names=(*kept, new), classes=np.array(positions, np.intp)[scene.classes])


@dataclass(frozen=True, eq=False)
class Segmented:
    """An image with the class of each pixel; uint8 mask, shape (H, W)."""

    name: str
    image: FloatArray
    mask: MaskArray

    @cached_property
    def suggested_edge(self) -> int:
        """In px, as Icefloe suggests it."""
        return suggest_edge(self.image).edge

    def cut(self, edge: int, names: tuple[str, ...] = ALLOY) -> Scene:
        """Chips of an edge in px, each of the class that most of its pixels have."""
        height, width = self.image.shape
        grid = Grid(height=height, width=width, edge=edge)
        return Scene(self.image, grid, names, self.pixels(grid, len(names)).argmax(axis=1))

    def pixels(self, grid: Grid, n_classes: int = len(ALLOY)) -> NDArray[np.int64]:
        """Pixels of each class in each chip, shape (N, C)."""
        chips = grid.chips(self.mask).reshape(grid.n_chips, -1)
        return np.stack([np.count_nonzero(chips == one, axis=1) for one in range(n_classes)], axis=1)


def alloys(data: Path) -> Iterator[Segmented]:
    """Nickel superalloys of the MicroNet benchmark, with masks of matrix, secondary and tertiary phase."""
    folder = _existing(data / "superalloy" / "images").parent
    for path in sorted((folder / "images").iterdir()):
        with Image.open(folder / "masks" / f"{path.stem}_mask.png") as mask:
            yield Segmented(path.stem, read_picture(path).image, np.asarray(mask, np.uint8))


def _existing(path: Path) -> Path:
    if not path.exists():
        raise IcefloeError(f"{path}: not there. Name the folder of the real data with --data.")
    return path
