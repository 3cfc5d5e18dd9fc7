"""Classified chips as weak labels: a dataset of the workspace that an ensemble is trained on."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from icefloe.datasets.dataset import Dataset, DatasetInfo
from icefloe.datasets.importer import dataset_info, new_place, taken
from icefloe.errors import IcefloeError
from icefloe.fewshot.session import Session
from icefloe.fewshot.source import read_picture
from icefloe.files import atomic_directory, sha256_file
from icefloe.names import same_to_some_systems
from icefloe.progress import SILENT, Progress, tracked
from icefloe.registry.history import current_user
from icefloe.settings import Settings
from icefloe.workflow.fewshot_begin import SOURCE, begin_session, fitted, require_apart
from icefloe.workflow.fewshot_labels import WrittenLabels


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
    if not sessions:
        raise IcefloeError("No session (.json) is named, so nothing says what the chips are. Name one.")
    dataset_info(name=name, experiment=name)
    destination = new_place(settings.data, name)
    # All are looked at before anything is written; of the images one is in memory at a time.
    own = [(begun.path, begun.session) for begun in (begin_session(file, images) for file in sessions)]
    further = _further([path for path, _ in own], images)
    classes = _classes([session for _, session in own], background)
    require_apart([*(path for path, _ in own), *further])
    time = datetime.now(UTC).isoformat(timespec="seconds")  # one for all: a split goes by it
    with _as_new(destination) as folder:
        written = WrittenLabels(folder, classes, author or current_user(), time)
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
    name: str,
    licence: str,
    classes: tuple[str, ...],
    sessions: Mapping[Path, Session],
    written: WrittenLabels,
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
