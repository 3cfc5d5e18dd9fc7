"""From a folder of images and labels, as people have them, to a dataset."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from icefloe.datasets.conditions import NOT_KNOWN, Conditions, shared_by, write_conditions
from icefloe.datasets.dataset import Dataset, DatasetInfo
from icefloe.datasets.import_files import LeftOut, find, same_name, some
from icefloe.datasets.import_labels import FolderLabels
from icefloe.datasets.import_metadata import MetadataTable
from icefloe.datasets.label_history import LabelRecord, write_history
from icefloe.datasets.labels import write_mask
from icefloe.datasets.readers import is_plain_name, load_raw, read_image, read_metadata
from icefloe.errors import IcefloeError
from icefloe.files import atomic_directory
from icefloe.names import composed, same_to_some_systems
from icefloe.typing import FloatArray
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
    unreadable
        Files of images that can't be read: the reason and remedy, and the names.
    """

    dataset: Dataset
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    unreadable: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def sentences(self) -> tuple[str, ...]:
        """What was made, decided, and not taken."""
        return (
            self.dataset.sentence(),
            *self.notes,
            *(f"Not taken: {some(names)}: {reason}" for reason, names in self.unreadable.items()),
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
    metadata: Path | None = None,
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

    An image file that can't be read is left out, and the result says why. What the files say of dose,
    magnification, exposure, day and instrument goes into `dataset.yaml` where all agree, else into
    `conditions.csv`. An image whose pixels are not square is taken as it is, so that its labels fit, and
    has no pixel size.

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
        Pixel edge in nm of all images; by default what each file says.
    metadata
        CSV table with a row an image (`icefloe.datasets.import_metadata`); what it says goes before what the
        files say.
    preprocessing
        Steps already done to the images.
    licence
        On what terms the images may be used.
    strict
        Refuse the folder if there are files in it that are not taken, or can't be read.

    Returns
    -------
    ImportResult

    Raises
    ------
    IcefloeError
        If there is no image that can be read, a label can't be used, has no image, could mean two things, or
        is in a format that is not read, or the dataset exists.
    """
    entries: dict[str, Any] = {
        "name": name,
        "experiment": experiment or name,
        "classes": list(classes),
        "source": f"imported from the folder {source.resolve().name}",
        "licence": licence,
        "preprocessing": list(preprocessing),
    }
    # Refused before a file is read, and before a name like ../D1 is taken for a place.
    info = dataset_info(**entries, pixel_size_nm=pixel_size_nm)
    destination = new_place(workspace_data, info.name)
    found = find(source)
    if strict and found.left_out:
        left = "; ".join(left.sentence() for left in found.left_out)
        raise IcefloeError(f"{source}: {left}. Move these away, or import without --strict.")
    labels = FolderLabels.of(source, found, classes)
    table = MetadataTable.read(metadata) if metadata else None
    table_notes = table.notes(found.images) if table else ()
    refused: dict[str, IcefloeError] = {}
    with _as_new(destination) as folder:
        written = _Written(
            folder, labels, folder / ("truth" if hold_labels else "masks"), info.conditions, table
        )
        for stem, path in found.images.items():
            try:
                image = read_image(path)
            except IcefloeError as error:
                if strict:
                    raise
                refused[path.name] = error
                continue
            written.add(stem, path, image)
        if not written.shapes:
            raise next(iter(refused.values()))
        labels.check_units(written.shapes)
        shared = shared_by(written.conditions).model_dump()
        dataset_info(**entries, **shared, converted=written.converted).save(folder)
        write_conditions(folder, written.conditions)
        if author and written.labelled and not hold_labels:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            write_history(
                folder, tuple(LabelRecord(stem, author, now, "import") for stem in written.labelled)
            )
    return ImportResult(
        Dataset.load(destination), found.left_out, written.notes() + table_notes, _by_reason(refused)
    )


def _by_reason(refused: Mapping[str, IcefloeError]) -> dict[str, list[str]]:
    """Names of files by what their errors say behind the file."""
    names: dict[str, list[str]] = {}
    for name, error in refused.items():
        names.setdefault(str(error).partition(f"{name}: ")[2] or str(error), []).append(name)
    return names


@dataclass
class _Written:
    """The images and labels that an import has written into the new dataset's folder so far."""

    folder: Path
    labels: FolderLabels
    mask_folder: Path
    stated: Conditions
    table: MetadataTable | None
    shapes: dict[str, tuple[int, int]] = field(default_factory=dict)
    conditions: dict[str, Conditions] = field(default_factory=dict)
    not_square: list[str] = field(default_factory=list)
    converted: dict[str, str] = field(default_factory=dict)
    labelled: list[str] = field(default_factory=list)
    two_levels: list[str] = field(default_factory=list)

    def add(self, stem: str, path: Path, image: FloatArray) -> None:
        """Write one image of the folder, and its label if it has one."""
        kept_stem = composed(stem)
        height, width = image.shape
        self.shapes[stem] = height, width
        if ((image == image.min()) | (image == image.max())).all():
            self.two_levels.append(stem)
        mask = self.labels.mask(stem, (height, width))
        found = read_metadata(path)
        tabled = self.table.images.get(same_name(stem)) if self.table else None
        self.conditions[kept_stem] = (tabled or NOT_KNOWN).over(self.stated).over(found.conditions)
        if found.not_square and self.conditions[kept_stem].pixel_size_nm is None:
            self.not_square.append(f"{path.name} ({found.not_square})")
        images = self.folder / "images"
        images.mkdir(exist_ok=True)
        if is_plain_name(path):
            shutil.copyfile(path, images / f"{kept_stem}{path.suffix}")
        else:
            self.converted[kept_stem] = _convert(path, images / f"{kept_stem}.tif")
        if mask is not None:
            write_mask(self.mask_folder / f"{kept_stem}.png", mask)
            self.labelled.append(kept_stem)

    def notes(self) -> tuple[str, ...]:
        """What was decided about the labels, and images that may be none."""
        notes = self.labels.notes(self.shapes)
        if self.two_levels:
            notes += (f"Images of only two grey levels, perhaps masks: {some(self.two_levels)}.",)
        if self.not_square:
            notes += (f"No pixel size, since pixels are not square: {some(self.not_square)}.",)
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
