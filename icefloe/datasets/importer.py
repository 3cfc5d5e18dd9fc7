"""From a folder of images and labels, as people have them, to a dataset."""

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from icefloe.datasets.dataset import Dataset, DatasetInfo, check_mask, natural_key
from icefloe.datasets.label_history import LabelRecord, write_history
from icefloe.datasets.labels import Annotation, draw_mask, read_annotations, write_mask
from icefloe.datasets.readers import (
    is_plain_name,
    is_readable_name,
    load_raw,
    read_image,
    read_mask,
    read_metadata,
)
from icefloe.errors import IcefloeError
from icefloe.files import atomic_directory
from icefloe.scoring.metrics import dice
from icefloe.typing import IGNORE, MaskArray
from icefloe.validation import validated

IMAGE_FOLDER = "images"
LABEL_FOLDERS = ("masks", "labels", "annotations")
MASK_SUFFIXES = (".png", ".tif", ".tiff", ".bmp", ".gif")
LABEL_WORD = re.compile(r"(?:^|[ _.-])(?:labels?|masks?)$", re.IGNORECASE)
KIND_WORD = re.compile(r"(?:^|[ _.-])(?:images?|img|labels?|masks?)(?=$|[ _.-])", re.IGNORECASE)
AGREEMENT = 0.9
"""Dice below which a mask and the polygons of the same image can't be two records of one labelling."""


@dataclass(frozen=True)
class _Source:
    """Files found in a folder, by image stem."""

    images: dict[str, Path]
    masks: dict[str, Path]
    polygons: dict[str, tuple[Path, Annotation]]


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
) -> Dataset:
    """Make the dataset `workspace_data/name` from a folder, or leave everything as it was.

    Images stand in `source` or `source/images`. Labels, for all, some or no images, are masks
    (`<stem>_label.png` or `<stem>_mask.png` beside the image, or the same name, or `label_7` for `image_7`,
    in `masks/`, `labels/` or `annotations/`) or polygons in COCO or labelme JSON. A JSON file named like an
    image belongs to that image, whatever its `file_name` entry says. Where there are both, the mask counts.

    Pictures are copied byte for byte; images in microscope containers become TIFF of the same values, which
    `dataset.yaml` states. The source is never written to.

    Parameters
    ----------
    source
        Folder to import.
    name
        Name of the new dataset.
    workspace_data
        The workspace's `data/` folder.
    experiment
        The experiment that the frames are of; the dataset's name if not given.
    classes
        Names by mask value. If all masks hold only 0 and 255, 255 is the second class, else it is ignore.
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

    Returns
    -------
    Dataset

    Raises
    ------
    IcefloeError
        If there is no image, an image or label can't be used, a label has no image, or the dataset exists.
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
    dataset_info(**entries)  # refused before a file is read, and a name like ../D1 is taken for a place
    destination = new_place(workspace_data, name)
    found = _find(source)
    binary = _masks_are_binary(found)
    sizes: set[float | None] = set()
    converted: dict[str, str] = {}
    labelled: list[str] = []
    with _as_new(destination) as folder:
        (folder / "images").mkdir()
        for stem, path in found.images.items():
            shape = read_image(path).shape
            mask = _label(found, stem, (shape[0], shape[1]), classes, binary)
            sizes.add(read_metadata(path).pixel_size_nm)
            if is_plain_name(path):
                shutil.copyfile(path, folder / "images" / f"{stem}{path.suffix}")
            else:
                converted[stem] = _convert(path, folder / "images" / f"{stem}.tif")
            if mask is not None:
                write_mask(folder / ("truth" if hold_labels else "masks") / f"{stem}.png", mask)
                labelled.append(stem)
        entries["pixel_size_nm"] = pixel_size_nm or (sizes.pop() if len(sizes) == 1 else None)
        dataset_info(**entries, converted=converted).save(folder)
        if author and labelled and not hold_labels:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            write_history(folder, tuple(LabelRecord(stem, author, now, "import") for stem in labelled))
    return Dataset.load(destination)


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
        If there is one of that name.
    """
    destination = workspace_data / name
    if destination.exists() or destination.is_symlink():
        raise taken(destination)
    return destination


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


def _find(source: Path) -> _Source:
    if source.is_file():
        raise IcefloeError(f"{source}: this is a file. Name the folder that holds the images.")
    if not source.is_dir():
        raise IcefloeError(f"{source}: no such folder. Name the folder that holds the images.")
    image_folder = source / IMAGE_FOLDER if (source / IMAGE_FOLDER).is_dir() else source
    label_folders = [source / name for name in LABEL_FOLDERS if (source / name).is_dir()]
    beside = _files(image_folder)
    images: dict[str, Path] = {}
    for path in beside:
        if not is_readable_name(path) or LABEL_WORD.search(path.stem) or _is_index_of_series(path):
            continue
        if path.stem in images:
            raise IcefloeError(
                f"{path}: {images[path.stem].name} has the same stem. Rename or remove one of them."
            )
        images[path.stem] = path
    if not images:
        raise IcefloeError(
            f"{image_folder}: no image that Icefloe reads, the dataset would be empty. Name another."
        )
    images = dict(sorted(images.items(), key=lambda item: natural_key(item[0])))
    mask_files = [path for path in beside if LABEL_WORD.search(path.stem)]
    mask_files += [path for folder in label_folders for path in _files(folder)]
    masks: dict[str, Path] = {}
    for path in mask_files:
        if path.suffix.lower() in MASK_SUFFIXES:
            stem = _image_of_label(path, images)
            if stem in masks:
                raise IcefloeError(f"{path}: {masks[stem].name} labels the same image. Remove one of them.")
            masks[stem] = path
    folders = dict.fromkeys([source, image_folder, *label_folders])
    jsons = [path for folder in folders for path in _files(folder) if path.suffix.lower() == ".json"]
    polygons: dict[str, tuple[Path, Annotation]] = {}
    for path in jsons:
        for stem, annotation in _annotations_by_image(path, images).items():
            if stem in polygons:
                raise IcefloeError(
                    f"{path}: {polygons[stem][0].name} has polygons of {stem!r} too. Remove one of them."
                )
            polygons[stem] = (path, annotation)
    return _Source(images, masks, polygons)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


def _is_index_of_series(path: Path) -> bool:
    # TIA writes run.emi beside run_1.ser, run_2.ser; both would read as the same images.
    return path.suffix.lower() == ".emi" and any(path.parent.glob(f"{path.stem}_*.ser"))


def _image_of_label(label: Path, images: dict[str, Path]) -> str:
    if label.stem in images:
        return label.stem
    wanted = _bare(label.stem)
    matching = [stem for stem in images if stem == LABEL_WORD.sub("", label.stem)]
    matching = matching or [stem for stem in images if _bare(stem) == wanted]
    if len(matching) != 1:
        reason = "no image" if not matching else f"{len(matching)} images"
        raise IcefloeError(f"{label}: {reason} to go with this label. Name it as its image is named.")
    return matching[0]


def _bare(stem: str) -> str:
    """`image_7` and `label_7` without the word that tells them apart."""
    return KIND_WORD.sub("", stem).strip(" _.-").lower()


def _annotations_by_image(path: Path, images: dict[str, Path]) -> dict[str, Annotation]:
    annotations = read_annotations(path)
    if annotations is None:
        return {}
    own = [stem for stem in images if stem == path.stem or _bare(stem) == _bare(path.stem)]
    if len(annotations) == 1 and len(own) == 1:
        return {own[0]: annotations[0]}
    by_image: dict[str, Annotation] = {}
    for annotation in annotations:
        # Some tools write a path, with either slash.
        stem = Path(annotation.file_name.replace("\\", "/")).stem
        if stem not in images:
            raise IcefloeError(
                f"{path}: polygons for {annotation.file_name!r}, which is not here. Add it or remove them."
            )
        by_image[stem] = annotation
    return {stem: annotation for stem, annotation in by_image.items() if annotation.polygons}


def _masks_are_binary(found: _Source) -> bool:
    values = {int(value) for path in found.masks.values() for value in np.unique(read_mask(path))}
    return values <= {0, IGNORE}


def _label(
    found: _Source, stem: str, shape: tuple[int, int], classes: Sequence[str], binary: bool
) -> MaskArray | None:
    mask = drawn = None
    if stem in found.masks:
        mask = read_mask(found.masks[stem])
        mask = (mask == IGNORE).astype(np.uint8) if binary else mask
        check_mask(found.masks[stem], mask, shape, len(classes))
    if stem in found.polygons:
        path, annotation = found.polygons[stem]
        if annotation.shape not in (None, shape):
            check_mask(path, np.zeros(annotation.shape or shape, dtype=np.uint8), shape, len(classes))
        drawn = draw_mask(path, annotation.polygons, shape, classes)
    if mask is not None and drawn is not None and (overlap := _overlap(mask, drawn)) < AGREEMENT:
        raise IcefloeError(
            f"{found.masks[stem]}: the mask and the polygons in {found.polygons[stem][0].name} are of "
            f"two images (Dice {overlap:.2f}). Remove the wrong one."
        )
    return mask if mask is not None else drawn


def _overlap(mask: MaskArray, drawn: MaskArray) -> float:
    """Dice of the two foregrounds, whatever their classes."""
    return dice((mask > 0).astype(np.uint8), (drawn > 0).astype(np.uint8))


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
