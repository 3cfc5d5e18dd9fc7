"""From a folder of images and labels, as people have them, to a dataset."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from icefloe.datasets.dataset import Dataset, DatasetInfo
from icefloe.datasets.import_files import LeftOut, find, some
from icefloe.datasets.import_labels import FolderLabels
from icefloe.datasets.label_history import LabelRecord, write_history
from icefloe.datasets.labels import write_mask
from icefloe.datasets.readers import is_plain_name, load_raw, read_image, read_metadata
from icefloe.errors import IcefloeError
from icefloe.files import atomic_directory
from icefloe.names import composed, same_to_some_systems
from icefloe.validation import validated


@dataclass(frozen=True)
class ImportResult:
    """What an import made, and what a person should know of it.

    Attributes
    ----------
    dataset
        The new dataset.
    left_out
        Files of the folder that were not taken.
    notes
        What was decided about labels that could be read in more than one way, a sentence each.
    """

    dataset: Dataset
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()

    def sentences(self) -> tuple[str, ...]:
        """What was made, decided, and not taken."""
        return (
            self.dataset.sentence(),
            *self.notes,
            *(left.sentence() for left in self.left_out),
        )


def import_folder(
    source: Path,
    name: str,
    workspace_data: Path,
    *,
    experiment: str | None = None,
    classes: Sequence[str] = ("background", "ice"),
    hold_labels: bool = False,
    author: str | None = None,
    pixel_size_nm: float | None = None,
    preprocessing: Sequence[str] = (),
    licence: str = "",
    strict: bool = False,
) -> ImportResult:
    """Make the dataset `workspace_data/name` from a folder, or leave everything as it was.

    Images stand in `source` or `source/images`. Labels, for all, some or no images, are masks
    (`<stem>_label.png` or `<stem>_mask.png` beside the image, or the same name, or `label_7` for `image_7`,
    in `masks/`, `labels/` or `annotations/`) or polygons in COCO or labelme JSON. A JSON file named like an
    image belongs to that image, whatever its `file_name` entry says. Where there are both, the mask counts.
    An image that stands in a label file without any label is unlabelled.

    Pictures are copied byte for byte; images in microscope containers become TIFF of the same values, which
    `dataset.yaml` states. The source is never written to.

    Parameters
    ----------
    source
        Folder to import; it is only read.
    name
        Name of the new dataset.
    workspace_data
        The workspace's `data/` folder.
    experiment
        The experiment that the frames are of; the dataset's name if not given.
    classes
        Names by mask value. With two classes, 255 is the second in masks of 0 and 255 only; beside other
        values it is ignore. Outlines named `background` are background, those named `ignore` 255.
    hold_labels
        Put the labels into `truth/`, where training can't see them.
    author
        Who labelled, for `labels.csv`; no line is written without it.
    pixel_size_nm
        Pixel edge in nm; by default what all the files agree on, if anything.
    preprocessing
        Steps already done to the images.
    licence
        On what terms the images may be used.
    strict
        Refuse the folder if there are files in it that are not taken.

    Returns
    -------
    ImportResult

    Raises
    ------
    IcefloeError
        If there is no image, an image or label can't be used, a label has no image, could mean two things,
        or is in a format that is not read, or the dataset exists.
    """
    entries: dict[str, Any] = {
        "name": name,
        "experiment": experiment or name,
        "classes": list(classes),
        "pixel_size_nm": pixel_size_nm,
        "source": f"imported from the folder {source.resolve().name}",
        "licence": licence,
        "preprocessing": list(preprocessing),
    }
    # Refused before a file is read, and before a name like ../D1 is taken for a place.
    destination = new_place(workspace_data, dataset_info(**entries).name)
    found = find(source)
    if strict and found.left_out:
        left = "; ".join(left.sentence() for left in found.left_out)
        raise IcefloeError(f"{source}: {left}. Move these away, or import without --strict.")
    labels = FolderLabels.of(source, found, classes)
    with _as_new(destination) as folder:
        written = _Written(folder, labels, folder / ("truth" if hold_labels else "masks"))
        for stem, path in found.images.items():
            written.add(stem, path)
        labels.check_units(written.shapes)
        entries["pixel_size_nm"] = pixel_size_nm or written.pixel_size_nm
        dataset_info(**entries, converted=written.converted).save(folder)
        if author and written.labelled and not hold_labels:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            write_history(
                folder, tuple(LabelRecord(stem, author, now, "import") for stem in written.labelled)
            )
    return ImportResult(Dataset.load(destination), found.left_out, written.notes())


@dataclass
class _Written:
    """The images and labels that an import has written into the new dataset's folder so far."""

    folder: Path
    labels: FolderLabels
    mask_folder: Path
    shapes: dict[str, tuple[int, int]] = field(default_factory=dict)
    pixel_sizes: set[float | None] = field(default_factory=set)
    converted: dict[str, str] = field(default_factory=dict)
    labelled: list[str] = field(default_factory=list)
    two_levels: list[str] = field(default_factory=list)

    def add(self, stem: str, path: Path) -> None:
        """Write one image of the folder, and its label if it has one."""
        image, kept_stem = read_image(path), composed(stem)
        height, width = image.shape
        self.shapes[stem] = height, width
        if ((image == image.min()) | (image == image.max())).all():
            self.two_levels.append(stem)
        mask = self.labels.mask(stem, (height, width))
        self.pixel_sizes.add(read_metadata(path).pixel_size_nm)
        images = self.folder / "images"
        images.mkdir(exist_ok=True)
        if is_plain_name(path):
            shutil.copyfile(path, images / f"{kept_stem}{path.suffix}")
        else:
            self.converted[kept_stem] = _convert(path, images / f"{kept_stem}.tif")
        if mask is not None:
            write_mask(self.mask_folder / f"{kept_stem}.png", mask)
            self.labelled.append(kept_stem)

    @property
    def pixel_size_nm(self) -> float | None:
        """What all files agree on, if anything."""
        return next(iter(self.pixel_sizes)) if len(self.pixel_sizes) == 1 else None

    def notes(self) -> tuple[str, ...]:
        """What was decided about the labels, and images that may be none."""
        notes = self.labels.notes(self.shapes)
        if self.two_levels:
            notes += (f"Images of only two grey levels, perhaps masks: {some(self.two_levels)}.",)
        return notes


@contextmanager
def _as_new(destination: Path) -> Iterator[Path]:
    try:
        with atomic_directory(destination) as folder:
            yield folder
    except FileExistsError as error:  # another import of this name was faster
        if error.filename != str(destination):
            raise
        raise taken(destination) from error


def new_place(workspace_data: Path, name: str) -> Path:
    """Where a new dataset of that name goes.

    Raises
    ------
    IcefloeError
        If there is one of that name, or one that macOS or Windows would take for it.
    """
    for present in workspace_data.iterdir() if workspace_data.is_dir() else ():
        if same_to_some_systems(present.name) == same_to_some_systems(name):
            raise taken(present)
    return workspace_data / name


def taken(destination: Path) -> IcefloeError:
    """The error of a new dataset whose name another has."""
    return IcefloeError(f"{destination}: there is a dataset of this name. Choose another name with --name.")


def dataset_info(**entries: Any) -> DatasetInfo:
    """`DatasetInfo` of entries that a person named.

    Raises
    ------
    IcefloeError
        If one can't be; the error names it.
    """
    return validated(DatasetInfo, entries, "dataset.", "Choose another.")


def _convert(path: Path, destination: Path) -> str:
    """Write a container's image as TIFF, in its own type where TIFF readers know it; say what was done."""
    raw = load_raw(path)
    stored = raw.data
    if stored.dtype == np.bool_:
        stored = stored.astype(np.uint8)
    elif stored.dtype.itemsize > 4:
        stored = stored.astype(np.float32)
    tifffile.imwrite(destination, np.ascontiguousarray(stored.astype(stored.dtype.newbyteorder("="))))
    chosen = f" ({raw.chosen})" if raw.chosen else ""
    return f"{path.name} {raw.data.dtype.name}{chosen} to TIFF {stored.dtype.name}"
