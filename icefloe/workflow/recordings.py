"""Recordings: stack frames to composites, also while the camera runs, and segment them as they come."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from icefloe.acquisition.composite_folder import CompositeFolder
from icefloe.acquisition.dataset import check_name, make_dataset
from icefloe.acquisition.overview import write_overview
from icefloe.acquisition.stack import Stacking, StackOptions, StackReport, recording_name
from icefloe.acquisition.watch import RESULTS, watch
from icefloe.datasets.dataset import Dataset
from icefloe.datasets.recordings.arriving import ArrivingFrames
from icefloe.datasets.recordings.recording import Frame, Recording
from icefloe.errors import IcefloeError
from icefloe.progress import SILENT, Progress
from icefloe.registry.loading import load_version
from icefloe.scratch import locked
from icefloe.settings import Settings
from icefloe.workflow.data import steps_done
from icefloe.workflow.versions import warn_if_provisional


@dataclass(frozen=True)
class Stacked:
    """Recordings as composites.

    Attributes
    ----------
    reports
        One report for each recording.
    folder
        Holds the composites in `images/`, and a picture of each recording.
    dataset
        The dataset that they became; None: they stay a plain folder.
    """

    reports: tuple[StackReport, ...]
    folder: Path
    dataset: Dataset | None

    def sentence(self) -> str:
        """The path of the composites, in a sentence."""
        if self.dataset is None:
            return f"Composites: {self.folder / 'images'}; see {self.folder}/*.png first."
        count = len(self.dataset.samples)
        return f"Dataset {self.dataset.name}: {count} images; see {self.folder}/*.png first."


@dataclass(frozen=True)
class WatchedRecording:
    """A recording that was stacked and segmented while it was made.

    Attributes
    ----------
    report
        Summary of the recording's frames and composites.
    late
        Files that arrived after files that follow them, and were left out.
    results
        Folder of masks, pictures and scores.
    interrupted
        Whether the user interrupted the watching before the recording ended.
    """

    report: StackReport
    late: tuple[Path, ...]
    results: Path
    interrupted: bool

    def warnings(self) -> tuple[str, ...]:
        """Warnings about the recording, one sentence each."""
        if not self.late:
            return self.report.warnings()
        return (
            *self.report.warnings(),
            f"{len(self.late)} files arrived after files that follow them and were left out, "
            f"such as {self.late[0].name}.",
        )


def stack_to_folder(
    recordings: Sequence[Path], output: Path, options: StackOptions, progress: Progress = SILENT
) -> Stacked:
    """Average the frames of recordings to composites in a folder, going on where an earlier run ended.

    Parameters
    ----------
    recordings
        Files, or folders of frames, each one recording; their names must differ.
    output
        Folder to write to; made if it does not exist.
    options
        Length, alignment and cleaning of the composites.
    progress
        Receives the number of frames done.

    Raises
    ------
    IcefloeError
        If two recordings have one name, one cannot be read, or its frame rate is needed and not known.
    """
    _check_names(recordings)
    opened = [options.open(path) for path in recordings]
    folder = CompositeFolder(output, options.to_dict())
    return Stacked(tuple(_stack(r, folder, options, progress) for r in opened), output, None)


def stack_to_dataset(
    settings: Settings,
    recordings: Sequence[Path],
    name: str,
    options: StackOptions,
    licence: str = "",
    progress: Progress = SILENT,
) -> Stacked:
    """Average the frames of recordings to composites that become a dataset of the workspace.

    Parameters
    ----------
    settings
        Settings of the workspace.
    recordings, options, progress
        Arguments of `stack_to_folder`.
    name
        Name of the new dataset.
    licence
        Licence of the recordings, such as `CC-BY-4.0`.

    Raises
    ------
    IcefloeError
        As `stack_to_folder`, and if the name is taken or not a name; the dataset comes whole or not at all.
    """
    _check_names(recordings)
    check_name(name, settings.data)
    opened = [options.open(path) for path in recordings]
    beside = settings.state / "stacking" / name  # not a dataset before it is whole
    identity = options.to_dict() | {"recordings": [recording_name(path) for path in recordings]}
    with _alone(beside):
        folder = CompositeFolder(beside, identity, start_anew=True)
        reports = tuple(_stack(recording, folder, options, progress) for recording in opened)
        dataset = make_dataset(beside, reports, name, settings.data, licence)
    return Stacked(reports, dataset.path, dataset)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Refuse to write composites to a folder that another process writes to."""
    try:
        with locked(folder.with_name(f"{folder.name}.lock"), wait=False):
            yield
    except BlockingIOError as error:
        raise IcefloeError(
            f"{folder.name}: another command is stacking a dataset of this name. "
            "Let it finish, or choose another name with --name."
        ) from error


def watch_recording(
    settings: Settings,
    recording: Path,
    output: Path,
    options: StackOptions,
    version: str = "champion",
    *,
    idle_s: float = 30.0,
    region_done: bool = False,
    progress: Progress = SILENT,
) -> WatchedRecording:
    """Stack and segment a recording while it is being made, composite by composite.

    Parameters
    ----------
    settings
        Settings of the workspace; they name the registry.
    recording
        Folder that frames arrive in, or a TIFF or MRC file that grows.
    output
        Folder for the composites, and masks, pictures and scores in its `results/`.
    options
        Length, alignment and cleaning of the composites.
    version
        Name of the version that segments them, or an alias.
    idle_s
        End after so many seconds without a new frame.
    region_done
        The two-phase region has been cut out of the frames already.
    progress
        Receives a line for each composite.
    """
    segmenter = load_version(settings, version)
    warn_if_provisional(settings, version, progress)
    arriving = ArrivingFrames(recording, idle_s)
    progress.tell(f"Waiting for frames in {recording}; Ctrl-C ends.")
    opened = options.known(arriving.recording())
    folder = CompositeFolder(output, options.to_dict())
    stacking = Stacking(opened, arriving.frames, folder, options)
    interrupted = False
    try:
        for composite in watch(stacking, folder, segmenter, steps_done(region_done)):
            progress.tell(composite.sentence())
    except KeyboardInterrupt:  # the usual end
        interrupted = True
    report = stacking.report()
    write_overview(folder, report)
    return WatchedRecording(report, tuple(sorted(arriving.late)), output / RESULTS, interrupted)


def _check_names(recordings: Sequence[Path]) -> None:
    names = [recording_name(path) for path in recordings]
    if len(set(names)) < len(names):
        raise IcefloeError(
            "Two recordings have the same name, so their composites would too. Stack them one at a time."
        )


def _stack(
    recording: Recording, folder: CompositeFolder, options: StackOptions, progress: Progress
) -> StackReport:
    what = f"Stacking {recording.path.name}"

    def frames(start: int) -> Iterator[Frame]:
        for done, frame in enumerate(recording.frames(start), start):
            progress.advance(what, done, recording.n_frames)
            yield frame
        progress.advance(what, recording.n_frames or done + 1, recording.n_frames)

    stacking = Stacking(recording, frames, folder, options)
    for _ in stacking.run():
        pass
    report = stacking.report()
    write_overview(folder, report)
    return report
