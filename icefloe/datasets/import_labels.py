"""The labels of an imported folder as masks of class indices, one image after another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from icefloe.datasets.annotations.drawing import draw_mask, foreground_alias
from icefloe.datasets.annotations.mask_file import White, check_values, read_mask_file
from icefloe.datasets.annotations.regions import Annotation, Polygon
from icefloe.datasets.annotations.units import refuse_percent
from icefloe.datasets.annotations.values import shown
from icefloe.datasets.dataset import check_mask
from icefloe.datasets.import_files import Found, same_name, some, stem_of
from icefloe.errors import IcefloeError
from icefloe.scoring.metrics import dice
from icefloe.typing import MaskArray

AGREEMENT = 0.9
"""Dice below which a mask and the polygons of the same image can't be two records of one labelling."""


@dataclass(frozen=True)
class FolderLabels:
    """Labels of a folder, with what had to be decided for all of them together.

    Attributes
    ----------
    found
        Images and label files found in the folder.
    classes
        Class names by mask value, background first.
    white
        What 255 means in its mask files.
    alias
        Class name in its outlines that stands for the second class; None where they use the classes' names.
    """

    found: Found
    classes: tuple[str, ...]
    white: White
    alias: str | None

    @classmethod
    def of(cls, source: Path, found: Found, classes: Sequence[str]) -> "FolderLabels":
        """Look through all labels of the folder `source`.

        Raises
        ------
        IcefloeError
            If a mask can't be read, or outlines have names that can't all be the second class.
        """
        n_classes = len(classes)
        present = [read_mask_file(path, n_classes).present for path in found.masks.values()]
        labels = [
            region.label for _, annotation in found.annotations.values() for region in annotation.regions
        ]
        alias = foreground_alias(source, labels, classes)
        return cls(found, tuple(classes), White.of(present, n_classes), alias)

    def check_units(self, shapes: Mapping[str, tuple[int, int]]) -> None:
        """Refuse outlines in percent, given the (H, W) of every image by stem.

        Raises
        ------
        IcefloeError
            If all outlines of a file are, or of all files of one image each.
        """
        by_file: dict[Path, list[tuple[Annotation, tuple[int, int]]]] = {}
        for stem, (path, annotation) in self.found.annotations.items():
            by_file.setdefault(path, []).append((annotation, shapes[stem]))
        single = [annotated[0] for annotated in by_file.values() if len(annotated) == 1]
        for path, annotated in by_file.items():
            refuse_percent(path, annotated if len(annotated) > 1 else single)

    def mask(self, stem: str, shape: tuple[int, int]) -> MaskArray | None:
        """The label of an image of (H, W); uint8, shape (H, W), class index, 255 = ignore. None without one.

        Raises
        ------
        IcefloeError
            If it does not fit the image, has unknown classes, or its mask and outlines disagree.
        """
        mask = self._from_file(stem, shape)
        drawn = self._from_outlines(stem, shape)
        if mask is not None and drawn is not None and (overlap := _overlap(mask, drawn)) < AGREEMENT:
            raise IcefloeError(
                f"{self.found.masks[stem]}: the mask and the polygons in "
                f"{self.found.annotations[stem][0].name} are of two images (Dice {overlap:.2f}). "
                "Remove the wrong one."
            )
        return mask if mask is not None else drawn

    def notes(self, shapes: Mapping[str, tuple[int, int]]) -> tuple[str, ...]:
        """What was decided for the person who imports, a sentence each."""
        annotations = self.found.annotations
        notes = []
        if self.alias is not None:
            notes.append(f"Outlines named '{shown(self.alias)}' are taken as '{self.classes[1]}'.")
        if self.found.unlabelled:
            stems = some(self.found.unlabelled)
            notes.append(f"Listed in a label file without any label, so unlabelled: {stems}.")
        if both := [stem for stem in annotations if stem in self.found.masks]:
            notes.append(f"With a mask and with outlines, of which the mask counts: {some(both)}.")
        if renamed := [stem for stem in annotations if self._names_another(stem)]:
            notes.append(
                f"Taken by the name of the label file, which names another image inside: {some(renamed)}."
            )
        if beyond := [stem for stem in annotations if _reaches_beyond(annotations[stem][1], shapes[stem])]:
            notes.append(f"With outlines beyond the image, cut off at its edge: {some(beyond)}.")
        return tuple(notes)

    def _from_file(self, stem: str, shape: tuple[int, int]) -> MaskArray | None:
        path = self.found.masks.get(stem)
        if path is None:
            return None
        mask = self.white.class_indices(read_mask_file(path, len(self.classes)), path)
        check_values(mask, self.classes, path)
        check_mask(path, mask, shape, len(self.classes))
        return mask

    def _from_outlines(self, stem: str, shape: tuple[int, int]) -> MaskArray | None:
        if stem not in self.found.annotations:
            return None
        path, annotation = self.found.annotations[stem]
        if annotation.shape not in (None, shape):
            raise IcefloeError(
                f"{path}: mask is {annotation.shape[1]}x{annotation.shape[0]} but the image is "
                f"{shape[1]}x{shape[0]}. Label the image at its own size, turned as it is."
            )
        what = f"{path}: {stem}" if path.stem != stem else path
        return draw_mask(what, annotation.regions, shape, self.classes, self.alias)

    def _names_another(self, stem: str) -> bool:
        named = same_name(stem_of(self.found.annotations[stem][1].file_name))
        return named != stem and named in self.found.images


def _reaches_beyond(annotation: Annotation, shape: tuple[int, int]) -> bool:
    outlines = [region.points for region in annotation.regions if isinstance(region, Polygon)]
    # Tools let people click half a pixel outside.
    return any((points < -1).any() or (points > np.array(shape[::-1]) + 1).any() for points in outlines)


def _overlap(mask: MaskArray, drawn: MaskArray) -> float:
    """Dice of the two foregrounds, whatever their classes."""
    return dice((mask > 0).astype(np.uint8), (drawn > 0).astype(np.uint8))
