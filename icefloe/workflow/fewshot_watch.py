"""Classify images as they arrive in a folder, each once, by one support set."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from icefloe.acquisition.arriving_files import Arrived, ArrivingFiles
from icefloe.errors import IcefloeError
from icefloe.fewshot.model import FewShotModel
from icefloe.fewshot.series import Series, SeriesImage
from icefloe.fewshot.series_table import SeriesTable
from icefloe.fewshot.source import Picture, read_picture
from icefloe.files import write_bytes_atomic, write_text_atomic
from icefloe.names import same_to_some_systems
from icefloe.progress import SILENT, Progress
from icefloe.report.figures import png
from icefloe.scratch import locked
from icefloe.settings import Settings
from icefloe.workflow.fewshot import FRACTIONS_TABLE, write_classified
from icefloe.workflow.fewshot_begin import begin_session, fitted

IDENTITY = "supports.json"
"""In the results' folder: the session, without result, that made them."""


@dataclass(frozen=True)
class WatchedImages:
    """A folder that was followed.

    Attributes
    ----------
    series
        All images classified so far, by earlier runs too; None: there was none.
    broken
        Names of files that can't be classified, and why.
    interrupted
        Whether the user ended it.
    """

    series: Series | None
    broken: dict[str, str]
    interrupted: bool


def watch_images(
    settings: Settings,
    folder: Path,
    supports: Path,
    output: Path,
    image: Path | None = None,
    *,
    idle_s: float | None = None,
    seconds_per_image: float | None = None,
    progress: Progress = SILENT,
) -> WatchedImages:
    """Follow a growing folder: map, chart and table of each image, and fractions of all, updated after each.

    An image's row in `fractions.csv` is on the disk after its files, so that a run that was ended anywhere
    goes on where it was.

    Parameters
    ----------
    settings
        Of the workspace, for weights and cache.
    folder
        Folder that images arrive in; it may be missing at first.
    supports
        File of a session.
    output
        Folder for what is written.
    image
        The session's image; None: it lies beside the session or in the folder.
    idle_s
        End after so many seconds without a new image; None: when the user interrupts.
    seconds_per_image
        Time between two images; None: fractions are shown from image to image.
    progress
        Told of every image, with a warning where its chips resemble no prototype.

    Raises
    ------
    IcefloeError
        If the session can't be used, the results' folder is the watched one, holds those of other supports,
        or is written to by another command.
    """
    if output.resolve() == folder.resolve():
        raise IcefloeError(f"{output}: images arrive in this folder. Name another one for the results.")
    present = sorted(folder.iterdir()) if folder.is_dir() else []
    begun = begin_session(supports, [image] if image else present)
    with _alone(output):
        model = fitted(settings, begun, progress)
        _require_same(output, model)
        of_sets = model.classify(begun.picture).notes
        for note in dict.fromkeys((*model.encoder.notes, *of_sets)):
            progress.warn(note)
        following = _Following(output, model, progress, of_sets, seconds_per_image)
        following.draw()  # the last run may have ended after a row, before its figure
        progress.tell(f"Waiting for images in {folder}; Ctrl-C ends.")
        interrupted = False
        try:
            for arrived in ArrivingFiles(folder, read_picture, following.table.images, idle_s):
                following.take(arrived)
        except KeyboardInterrupt:  # the usual end
            interrupted = True
        series = following.table.series() if following.table.images else None
    return WatchedImages(series, following.broken, interrupted)


@dataclass
class _Following:
    """The results so far."""

    output: Path
    model: FewShotModel
    progress: Progress
    known_notes: tuple[str, ...]
    seconds_per_image: float | None
    broken: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.table = SeriesTable(
            self.output / FRACTIONS_TABLE, self.model.classifier.sets, self.seconds_per_image
        )

    def take(self, arrived: Arrived[Picture]) -> None:
        """Classify one, or say why not."""
        began, name = time.monotonic(), arrived.path.name
        try:
            if arrived.content is None:
                raise IcefloeError(arrived.problem)
            self._require_apart(arrived.path)
            result = self.model.classify(arrived.content)
        except IcefloeError as error:
            self.broken[name] = str(error)
            self.progress.warn(f"{name} is left out: {error}")
            return
        write_classified(self.output / arrived.path.stem, arrived.content, result)
        counted = SeriesImage.of(name, result)
        self.table.append(counted)
        self.broken.pop(name, None)
        self.draw()
        shares = ", ".join(f"{one.name} {one.fraction.mean:.0%}" for one in counted.classes)
        self.progress.tell(f"{name}: {shares}; in {time.monotonic() - began:.1f} s")
        for note in (*arrived.content.notes, *result.notes):
            if note not in self.known_notes:  # what is the matter with the sets is so for every image
                self.progress.warn(f"{name}: {note}")

    def draw(self) -> None:
        """The figure of all images so far."""
        if self.table.images:
            write_bytes_atomic(self.output / "fractions.png", png(self.table.series().figure()))

    def _require_apart(self, path: Path) -> None:
        for other in self.table.images:
            if same_to_some_systems(Path(other).stem) == same_to_some_systems(path.stem):
                raise IcefloeError(f"its results would overwrite those of {other}. Rename it.")


def _require_same(output: Path, model: FewShotModel) -> None:
    """Note the supports in a new folder; refuse one that holds results of others."""
    used = {"result": None, "encoder_sha256": model.encoder.sha256}
    identity = model.session.model_copy(update=used).model_dump_json() + "\n"
    file = output / IDENTITY
    if not file.is_file():
        if (output / FRACTIONS_TABLE).is_file():
            raise IcefloeError(f"{output}: it holds results of another command. Name another folder.")
        write_text_atomic(file, identity)
    elif file.read_text(encoding="utf-8") != identity:
        raise IcefloeError(
            f"{output}: its results are of other supports. Name another folder, or their session."
        )


@contextmanager
def _alone(output: Path) -> Iterator[None]:
    try:
        with locked(output / ".lock", wait=False):
            yield
    except BlockingIOError as error:
        raise IcefloeError(
            f"{output}: another command is writing results there. Let it end, or name another folder."
        ) from error
