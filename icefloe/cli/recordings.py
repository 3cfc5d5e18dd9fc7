"""`icefloe stack` and `icefloe watch`: from a camera's frames to composites, and to masks as they arrive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icefloe.cli.context import progress, say, settings, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress

    from icefloe.acquisition.composite_folder import CompositeFolder
    from icefloe.acquisition.stack import StackOptions, StackReport
    from icefloe.datasets.recordings.recording import Frame, Recording

WORST_SCATTER_PX = 0.3
"""Blur by more than this is seen; drift within a second is often less."""

Frames = Annotated[
    int | None,
    typer.Option(metavar="N", help="Average every N frames; left out: the frames of each second."),
]
FrameRate = Annotated[
    float | None, typer.Option(metavar="HZ", help="Frames a second, where the file does not say or is wrong.")
]
PixelSize = Annotated[
    float | None, typer.Option(metavar="NM", help="Pixel edge, where the file does not say or is wrong.")
]
Align = Annotated[bool, typer.Option("--align", help="Follow the specimen's drift and undo it.")]
RemoveXrays = Annotated[
    bool, typer.Option("--remove-xrays", help="Replace X-ray hits: specks in one frame only.")
]
HotPixels = Annotated[
    bool, typer.Option("--hot-pixels", help="Find and repair pixels that are wrong in every frame.")
]
KeepTail = Annotated[
    bool | None,
    typer.Option(
        "--keep-tail/--drop-tail",
        help="What becomes of frames left over at the end; left out: kept if they are half a composite.",
        show_default=False,
    ),
]


def stack(
    recordings: Annotated[
        list[Path],
        typer.Argument(
            help="AVI, MP4, multi-page TIFF, MRC, DM4, SER, EMD ...; or a folder, which is one recording."
        ),
    ],
    output: Annotated[Path | None, typer.Option(help="Folder for the composites.")] = None,
    name: Annotated[
        str | None, typer.Option(help="Make the composites a dataset of the workspace, such as D6.")
    ] = None,
    frames: Frames = None,
    frame_rate: FrameRate = None,
    pixel_size: PixelSize = None,
    align: Align = False,
    remove_xrays: RemoveXrays = False,
    hot_pixels: HotPixels = False,
    keep_tail: KeepTail = None,
    licence: Annotated[str, typer.Option(help="On what terms the images may be used (with --name).")] = "",
) -> None:
    """Average a recording's frames to composites of a second, or of N frames."""
    from icefloe.acquisition.composite_folder import CompositeFolder
    from icefloe.acquisition.dataset import check_name, make_dataset
    from icefloe.acquisition.stack import StackOptions, recording_name
    from icefloe.errors import IcefloeError

    if (output is None) == (name is None):
        raise IcefloeError("Where should the composites go? Say either --output FOLDER or --name DATASET.")
    names = [recording_name(path) for path in recordings]
    if len(set(names)) < len(names):
        raise IcefloeError(
            "Two recordings have the same name, and so would their composites. Stack them one by one."
        )
    options = StackOptions(frames, frame_rate, pixel_size, align, remove_xrays, hot_pixels, keep_tail)
    if name is not None:
        check_name(name, settings().data)
        output = settings().state / "stacking" / name  # no dataset before it is whole
    assert output is not None
    opened = [options.open(path) for path in recordings]
    if name is None:
        folder = CompositeFolder(output, options.to_dict())
    else:
        folder = CompositeFolder(output, options.to_dict() | {"recordings": names}, start_anew=True)
    reports = []
    with progress() as bar:
        for recording in opened:
            reports.append(_stack_one(recording, folder, options, bar))
    for report in reports:
        say(report.sentence())
        _warn_of_drift(report)
    if name is None:
        say(f"Composites: [bold]{output / 'images'}[/bold]; see {output}/*.png first.")
        return
    dataset = make_dataset(output, reports, name, settings().data, licence)
    say(
        f"Dataset [bold]{dataset.name}[/bold]: {len(dataset.samples)} images; see {dataset.path}/*.png first."
    )
    say("Next: [bold]icefloe data commit -m ...[/bold]")


def watch(
    recording: Annotated[
        Path, typer.Argument(help="Folder that frames arrive in, or a TIFF or MRC file that grows.")
    ],
    output: Annotated[Path, typer.Option(help="Folder for composites, and masks in its results/.")],
    version: Annotated[str, typer.Option(help="EA-T2, or an alias.")] = "champion",
    frames: Frames = None,
    frame_rate: FrameRate = None,
    pixel_size: PixelSize = None,
    align: Align = False,
    remove_xrays: RemoveXrays = False,
    hot_pixels: HotPixels = False,
    keep_tail: KeepTail = None,
    idle: Annotated[
        float, typer.Option(metavar="S", min=0.1, help="End after this many seconds without a new frame.")
    ] = 30.0,
    region_done: Annotated[
        bool, typer.Option(help="The two-phase region has been cut out of these frames already.")
    ] = False,
) -> None:
    """Stack and segment a recording while it is being made, each second as it is over."""
    from icefloe.acquisition.composite_folder import CompositeFolder
    from icefloe.acquisition.overview import write_overview
    from icefloe.acquisition.stack import Stacking, StackOptions
    from icefloe.acquisition.watch import watch as watch_recording
    from icefloe.datasets.recordings.arriving import ArrivingFrames
    from icefloe.registry.loading import load_ensemble

    options = StackOptions(frames, frame_rate, pixel_size, align, remove_xrays, hot_pixels, keep_tail)
    ensemble = load_ensemble(settings(), version)
    arriving = ArrivingFrames(recording, idle)
    say(f"Waiting for frames in {recording}; Ctrl-C ends.")
    begun = options.known(arriving.recording())
    folder = CompositeFolder(output, options.to_dict())
    stacking = Stacking(begun, arriving.frames, folder, options)
    try:
        for seen in watch_recording(stacking, folder, ensemble, ["region"] if region_done else []):
            if seen.prediction is None:
                warn(f"not segmented: {seen.problem}")
                continue
            scores = seen.prediction.scores()
            say(
                f"{seen.row['image']}: {seen.row['n_frames']} frames, "
                f"{scores['foreground_fraction']:.1%} foreground, UQ {scores['uq_mean']:.4f}, "
                f"segmented in {seen.seconds:.1f} s"
            )
    finally:  # Ctrl-C is the usual end
        report = stacking.report()
        write_overview(folder, report)
        say(report.sentence())
        _warn_of_drift(report)
        if arriving.late:
            warn(
                f"{len(arriving.late)} files arrived after files that follow them and were left out, "
                f"such as {min(arriving.late).name}."
            )
    say(f"Masks, pictures and scores: [bold]{output / 'results'}[/bold]")


def _stack_one(
    recording: Recording, folder: CompositeFolder, options: StackOptions, bar: Progress
) -> StackReport:
    from icefloe.acquisition.overview import write_overview
    from icefloe.acquisition.stack import Stacking

    task = bar.add_task(f"Stacking {recording.path.name}", total=recording.n_frames)

    def frames(start: int) -> Iterator[Frame]:
        bar.update(task, completed=start)
        for frame in recording.frames(start):
            yield frame
            bar.advance(task)

    stacking = Stacking(recording, frames, folder, options)
    for _ in stacking.run():
        pass
    report = stacking.report()
    write_overview(folder, report)
    return report


def _warn_of_drift(report: StackReport) -> None:
    if 2 * report.n_not_aligned > report.n_blocks > 0:
        warn(
            f"{report.recording}: most blocks of frames are too noisy or too plain to align. "
            "Leave --align out, or take more frames a composite."
        )
    elif (report.drift_scatter_px or 0) > WORST_SCATTER_PX:
        warn(
            f"{report.recording}: drift is known to {report.drift_scatter_px:.1f} px only. Look at it in the "
            "picture, and leave --align out if it jumps about."
        )
