"""Classified chips as weak labels: a dataset of the workspace that an ensemble is trained on."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import numpy as np
import tifffile

from icefloe.datasets.dataset import Dataset, DatasetInfo
from icefloe.datasets.importer import dataset_info, new_place, taken
from icefloe.datasets.label_history import LabelRecord, mask_path, write_history
from icefloe.datasets.label_origin import Making, Origin
from icefloe.datasets.labels import write_mask
from icefloe.datasets.readers import is_plain_name, read_metadata
from icefloe.errors import IcefloeError
from icefloe.fewshot.result import Classification
from icefloe.fewshot.session import Session
from icefloe.fewshot.source import Picture, read_picture
from icefloe.files import atomic_directory, sha256_file
from icefloe.names import composed, same_to_some_systems
from icefloe.progress import SILENT, Progress, tracked
from icefloe.registry.history import current_user
from icefloe.settings import Settings
from icefloe.typing import IGNORE, MaskArray
from icefloe.workflow.fewshot_begin import SOURCE, begin_session, fitted, require_apart


@dataclass(frozen=True)
class WeakLabels:
    """A dataset whose labels are classes of chips.

    Attributes
    ----------
    dataset
        The new dataset.
    ignored
        Share of its pixels that are unsure or in a margin, and ignored.
    notes
        Warnings of the classification.
    """

    dataset: Dataset
    ignored: float
    notes: tuple[str, ...]

    def sentence(self) -> str:
        """How many images, their classes, and how much of them is ignored."""
        classes = ", ".join(self.dataset.info.classes)
        return (
            f"{self.dataset.name}: {len(self.dataset.samples)} images with weak labels ({classes}); "
            f"{self.ignored:.0%} of the pixels are unsure or in a margin, and ignored."
        )


def label_weakly(
    settings: Settings,
    sessions: Sequence[Path],
    name: str,
    images: Sequence[Path] = (),
    *,
    background: str | None = None,
    author: str | None = None,
    licence: str = "",
    progress: Progress = SILENT,
) -> WeakLabels:
    """Make a dataset of sessions: their images, and the classes of chips as masks.

    Pixels of unsure chips, and of margins that belong to no chip, are 255 = ignore. Pictures are copied byte
    for byte; frames of stacks, and images in microscope containers, become TIFF of the values read.

    Parameters
    ----------
    settings
        Of the workspace.
    sessions
        Files of sessions with sets of the same names; the image of each is one of `images` or lies beside it.
    name
        Of the new dataset.
    images
        Further images of a series, classified by the one session.
    background
        Set that becomes class 0; None: the one called background, else the first.
    author
        Who chose the supports; None: the user of this process.
    licence
        On what terms the images may be used.
    progress
        Told of images that are done.

    Raises
    ------
    IcefloeError
        If a session or image can't be used, sessions have other sets, several have further images, two images
        have one name, or the dataset exists; then nothing is written.
    """
    dataset_info(name=name, experiment=name)
    destination = new_place(settings.data, name)
    # All are looked at before anything is written; of the images one is in memory at a time.
    own = [(begun.path, begun.session) for begun in (begin_session(file, images) for file in sessions)]
    further = _further([path for path, _ in own], images)
    classes = _classes([session for _, session in own], background)
    require_apart([*(path for path, _ in own), *further])
    time = datetime.now(UTC).isoformat(timespec="seconds")  # one for all: a split goes by it
    with _as_new(destination) as folder:
        written = _Written(folder, classes, author or current_user(), time)
        for file in sessions:
            one = begin_session(file, images)
            model = fitted(settings, one, progress)
            written.note((*one.picture.notes, *model.encoder.notes))
            maker = f"{SOURCE} {file.name} {sha256_file(file)[:12]}"
            written.add(one.path, one.picture, model.classify(one.picture), maker)
            for path in tracked(further, progress, "classifying images"):
                picture = read_picture(path)
                written.add(path, picture, model.classify(picture), maker)
        written.finish(
            _info(name, licence, classes, dict(zip(sessions, (one for _, one in own), strict=True)), written)
        )
    return WeakLabels(Dataset.load(destination), written.ignored, tuple(dict.fromkeys(written.notes)))


@dataclass
class _Written:
    """What has been written into the new dataset's folder so far."""

    folder: Path
    classes: tuple[str, ...]
    author: str
    time: str
    records: list[LabelRecord] = field(default_factory=list)
    converted: dict[str, str] = field(default_factory=dict)
    pixel_sizes: set[float | None] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
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
        self.note([note if result.is_support_image else f"{path.name}: {note}" for note in result.notes])
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


def _classes(sessions: Sequence[Session], background: str | None) -> tuple[str, ...]:
    """Names by mask value, background first."""
    first, *others = sessions
    names = tuple(one.name for one in first.sets.require_classes())
    for other in others:
        found = [one.name for one in other.sets.require_classes()]
        if set(found) != set(names):
            raise IcefloeError(
                f"{other.image.name}: its sets are {', '.join(found)}, those of {first.image.name} "
                f"{', '.join(names)}. Name the sets of all sessions alike."
            )
    if background is None:
        background = next((one for one in names if same_to_some_systems(one) == "background"), names[0])
    if background not in names:
        raise IcefloeError(f"{background}: no such set. There are {', '.join(names)}.")
    return background, *(one for one in names if one != background)


def _further(own: Sequence[Path], images: Sequence[Path]) -> list[Path]:
    """Images that no session is of."""
    known = {path.resolve() for path in own}
    further = [path for path in images if path.resolve() not in known]
    if further and len(own) > 1:
        raise IcefloeError(
            f"{further[0]}: an image of no session, and {len(own)} sessions could classify it. "
            "Make a dataset of one session, and name its images."
        )
    return further


def _info(
    name: str, licence: str, classes: tuple[str, ...], sessions: Mapping[Path, Session], written: _Written
) -> DatasetInfo:
    made_by = "; ".join(
        f"{file.name} (SHA-256 {sha256_file(file)}), supports of {session.image.name}, chips of "
        f"{session.grid.edge} px"
        for file, session in sessions.items()
    )
    sizes = written.pixel_sizes
    return dataset_info(
        name=name,
        experiment=name,
        classes=list(classes),
        pixel_size_nm=next(iter(sizes)) if len(sizes) == 1 else None,
        source=f"weak labels by few-shot classification of chips: {made_by}",
        licence=licence,
        converted=written.converted,
        notes="Labels are weak: nobody drew them. Each pixel has the class of its chip, so boundaries are as "
        "coarse as chips; unsure chips and margins are 255 = ignore.",
    )


@contextmanager
def _as_new(destination: Path) -> Iterator[Path]:
    try:
        with atomic_directory(destination) as folder:
            yield folder
    except FileExistsError as error:
        if error.filename != str(destination):
            raise
        raise taken(destination) from error
