"""Images and their weak labels, one after the other, into a new dataset's folder."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import numpy as np
import tifffile

from icefloe.datasets.dataset import DatasetInfo
from icefloe.datasets.label_history import LabelRecord, mask_path, write_history
from icefloe.datasets.label_origin import Making, Origin
from icefloe.datasets.labels import write_mask
from icefloe.datasets.readers import is_plain_name, read_metadata
from icefloe.fewshot.result import Classification
from icefloe.fewshot.source import Picture
from icefloe.names import composed
from icefloe.typing import IGNORE, MaskArray
from icefloe.workflow.fewshot_begin import SOURCE


@dataclass
class WrittenLabels:
    """What has been written into a new dataset's folder so far.

    Attributes
    ----------
    folder
        The dataset's, still out of sight.
    classes
        Names by mask value.
    author, time
        Who chose the supports; one time for all labels, as they come together.
    records, converted, pixel_sizes, notes
        Labels, images that became TIFF, pixel edges in nm, and warnings, so far.
    of_sets
        Warnings that are the session's, whatever the image.
    n_ignored, n_pixels
        Pixels that are ignored, and all.
    """

    folder: Path
    classes: tuple[str, ...]
    author: str
    time: str
    records: list[LabelRecord] = field(default_factory=list)
    converted: dict[str, str] = field(default_factory=dict)
    pixel_sizes: set[float | None] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    of_sets: tuple[str, ...] = ()
    n_ignored: int = 0
    n_pixels: int = 0

    @property
    def ignored(self) -> float:
        """Share of all pixels."""
        return self.n_ignored / self.n_pixels

    def note(self, notes: Sequence[str]) -> None:
        """Keep warnings."""
        self.notes += notes

    def add(self, path: Path, picture: Picture, result: Classification, maker: str) -> None:
        """Write one image, its mask, and whose it is."""
        stem = composed(path.stem)
        images = self.folder / "images"
        images.mkdir(exist_ok=True)
        if is_plain_name(path) and picture.reference.frame is None:
            shutil.copyfile(path, images / f"{stem}{path.suffix}")
        else:
            tifffile.imwrite(images / f"{stem}.tif", picture.image)
            frame = "" if picture.reference.frame is None else f", frame {picture.reference.frame},"
            self.converted[stem] = f"{path.name}{frame} to TIFF float32"
        mask = _in_order(result, self.classes)
        self._label(stem, mask, maker)
        self.pixel_sizes.add(read_metadata(path).pixel_size_nm)
        if result.is_support_image:
            self.of_sets = result.notes
            self.note(result.notes)
        else:  # what is the matter with the sets has been said
            self.note([f"{path.name}: {note}" for note in result.notes if note not in self.of_sets])
        self.n_ignored += int(np.count_nonzero(mask == IGNORE))
        self.n_pixels += mask.size

    def _label(self, stem: str, mask: MaskArray, maker: str) -> None:
        if (mask == IGNORE).all():  # nothing to train on, nor to score
            self.note([f"{stem}: every chip is unsure, so it has no label."])
            return
        place = mask_path(self.folder, stem)
        write_mask(place, mask)
        origin = Origin(sha256(place.read_bytes()).hexdigest(), maker, "fewshot", version("icefloe"))
        self.records.append(
            LabelRecord(stem, self.author, self.time, SOURCE, making=Making(self.time, origin))
        )

    def finish(self, info: DatasetInfo) -> None:
        """Say what it is, and whose the labels are."""
        info.save(self.folder)
        write_history(self.folder, tuple(self.records))


def _in_order(result: Classification, classes: tuple[str, ...]) -> MaskArray:
    """The mask, its values counted as the dataset's classes are."""
    values = np.full(IGNORE + 1, IGNORE, np.uint8)
    values[: len(result.names)] = [classes.index(name) for name in result.names]
    return np.asarray(values[result.mask()])
