"""Few-shot sessions as web processes and workers share them: what is where, and what a file holds."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from icefloe.datasets.dataset import Dataset, Sample
from icefloe.datasets.times import known_times
from icefloe.fewshot.grid import Grid
from icefloe.fewshot.result import ClassCount, Classification, LeaveOneOut
from icefloe.fewshot.rule import Rule
from icefloe.fewshot.series import Series, SeriesImage
from icefloe.fewshot.session import Session
from icefloe.fewshot.source import ImageReference
from icefloe.files import atomic_directory
from icefloe.settings import Settings
from serving.prepared import ABOUT, UPLOAD, Prepared
from serving.written import read_written

ExportName = Literal["map.png", "map.svg", "map.tiff", "chart.png", "chart.svg", "chips.csv", "session.json"]

_REMEDY = "Remove it; a worker makes it anew."
CLASSIFIED = "classified.json"
"""The answer to whoever asked."""

PICTURE = "picture.json"
"""What was known of an image before it was stored, beside an upload's images."""

SESSION: ExportName = "session.json"
"""The session with what came of it, as it is exported."""


class PictureAbout(BaseModel):
    """An image that a session can be of, and what should be known of its file."""

    model_config = ConfigDict(frozen=True)

    reference: ImageReference
    notes: tuple[str, ...]


class Advice(BaseModel):
    """A chip edge in px that suits the image, what is permitted, and the curve that it came from.

    Attributes
    ----------
    edge, low, high
        Suggested, least and greatest edge of chips that begin in the image's corner.
    period_px, spectrum_px, correlation_px
        Periods by autocorrelation and by spectrum, where there are any; where it falls to 1/e.
    lags_px, autocorrelation
        The curve.
    sentence
        The suggestion, and why.
    """

    model_config = ConfigDict(frozen=True)

    edge: int
    low: int
    high: int
    period_px: float | None
    spectrum_px: float | None
    correlation_px: float
    lags_px: tuple[float, ...]
    autocorrelation: tuple[float, ...]
    sentence: str


class Classified(BaseModel):
    """Every chip of an image with its class (`icefloe.fewshot.result.Classification`), and a sentence.

    Attributes
    ----------
    classes
        Counts of the classes, then of unsure chips.
    nearest, unsure, probabilities
        Position of each chip's most probable class, chips whose risk is too high, probabilities by class.
    check
        How supports fall when they are left out.
    far, far_chips
        Share and numbers of chips that lie far from every set.
    label_next
        Chips worth a label, the most first.
    notes
        Warnings, the weightiest first.
    sentence
        The counts, how the supports speak for them, and what to do next.
    """

    model_config = ConfigDict(frozen=True)

    grid: Grid
    classes: tuple[ClassCount, ...]
    nearest: tuple[int, ...]
    unsure: tuple[int, ...]
    probabilities: tuple[tuple[float, ...], ...]
    temperature: float
    check: LeaveOneOut
    rule: Rule
    is_support_image: bool
    far: float
    far_chips: tuple[int, ...] = ()
    label_next: tuple[int, ...]
    notes: tuple[str, ...]
    sentence: str

    @classmethod
    def of(cls, result: Classification, notes: tuple[str, ...] = ()) -> "Classified":
        """A result, with further notes."""
        told = {"notes": (*result.notes, *notes), "sentence": result.sentence()}
        return cls.model_construct(**{**dict(result), **told})


class WantedSeries(BaseModel):
    """Images that are to be classified (`stems` None: all of the dataset), by a session's supports."""

    model_config = ConfigDict(frozen=True)

    session: Session
    stems: tuple[str, ...] | None

    def samples(self, dataset: Dataset) -> list[Sample]:
        """The images, in their order."""
        return [one for one in dataset.samples if self.stems is None or one.stem in self.stems]


class SeriesNotes(BaseModel):
    """A classified image of a series, and warnings on it."""

    model_config = ConfigDict(frozen=True)

    image: SeriesImage
    notes: tuple[str, ...]


class SessionFiles:
    """Where the files of a workspace's few-shot sessions are.

    They are kept as long as the session: what was recalled from elsewhere cannot be made anew in every digit.

    Parameters
    ----------
    settings
        Settings of the workspace.
    session_id
        Number of the session.
    """

    def __init__(self, settings: Settings, session_id: int) -> None:
        self.root = settings.state / "fewshot-sessions" / str(session_id)

    def state(self, key: str) -> Path:
        """Folder of what came of one state of the session; it is there once that is classified."""
        return self.root / "states" / key

    def series(self, key: str) -> Path:
        """Folder of what came of a series' images, made or not."""
        return self.root / "series" / key


def wanted_file(folder: Path) -> Path:
    """File of what is wanted, beside the folder of what came of it."""
    return folder.with_name(f"{folder.name}.json")


def key_of(session: Session, *more: Any) -> str:
    """By what a state of a session is known, and what was asked of it."""
    return hashlib.sha256(repr((session.model_dump_json(), more)).encode()).hexdigest()[:24]


def picture_file(settings: Settings, sample: Sample) -> Path:
    """File that says what an image is, made or not."""
    sent = sample.image_path.parent.parent / PICTURE
    if sample.dataset.startswith(UPLOAD) and sent.is_file():
        return sent
    return Prepared(settings).chips(sample) / ABOUT


def advice_file(settings: Settings, sample: Sample) -> Path:
    """File of the chip edge that suits an image, made or not."""
    return Prepared(settings).chips(sample) / "edge.json"


def read_picture_about(path: Path) -> PictureAbout | None:
    """What an image is; None while no worker has looked."""
    return read_written(PictureAbout, path, _REMEDY)


def read_advice(path: Path) -> Advice | None:
    """The chip edge that suits an image; None while no worker has looked."""
    return read_written(Advice, path, _REMEDY)


def write_state(folder: Path, session: Session, result: Classification, notes: tuple[str, ...] = ()) -> None:
    """Write what came of a session: the session as it is exported, and the answer with further notes."""
    with atomic_directory(folder, durable=False) as beside:
        (beside / SESSION).write_text(session.model_dump_json() + "\n", encoding="utf-8")
        (beside / CLASSIFIED).write_text(Classified.of(result, notes).model_dump_json(), encoding="utf-8")


def read_session(path: Path) -> Session | None:
    """A session, classified or wanted; None while nobody has written it."""
    return read_written(Session, path, _REMEDY)


def read_wanted_series(path: Path) -> WantedSeries | None:
    """A series that somebody has asked for."""
    return read_written(WantedSeries, path, _REMEDY)


def image_file(settings: Settings, folder: Path, sample: Sample) -> Path:
    """File of what came of an image of a series; one that is replaced gets another."""
    return folder / "images" / f"{Prepared(settings).chips(sample).name}.json"


def read_series(
    settings: Settings, folder: Path, dataset: Dataset, samples: Iterable[Sample]
) -> Series | None:
    """Images of a series that are classified, in order, and warnings on them, each once; None: none is."""
    found = ((one, read_written(SeriesNotes, image_file(settings, folder, one), _REMEDY)) for one in samples)
    done = [(sample, notes) for sample, notes in found if notes is not None]
    if not done:
        return None
    times = dict(zip((one.stem for one in dataset.samples), known_times(dataset), strict=False))
    return Series(
        images=tuple(one.image for _, one in done),
        notes=tuple(dict.fromkeys(note for _, one in done for note in one.notes)),
        times_s=tuple(times[sample.stem] for sample, _ in done) if times else (),
    )


def series_figure_file(series: Series, kind: str) -> str:
    """Name of the file of a figure of the images that are done, at their times."""
    when = hashlib.sha256(repr(series.times_s).encode()).hexdigest()[:12]
    return f"figure-{len(series.images)}-{when}.{kind}"
