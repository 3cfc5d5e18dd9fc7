"""`icefloe stack` and `icefloe watch`: from a camera's frames to composites, and to masks as they arrive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icefloe.cli.context import bold, progress, say, settings, warn

if TYPE_CHECKING:
    from icefloe.acquisition.stack import StackOptions

INTERRUPTED = 130

Frames = Annotated[
    int | None,
    typer.Option(metavar="N", help="Average every N frames. Default: the frames of each second."),
]
FrameRate = Annotated[
    float | None, typer.Option(metavar="HZ", help="Frames per second, if the file does not say or is wrong.")
]
PixelSize = Annotated[
    float | None, typer.Option(metavar="NM", help="Pixel size in nm, if the file does not say or is wrong.")
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
        help="Keep or drop the frames left over at the end. Default: keep them if they are half a composite.",
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
    licence: Annotated[str, typer.Option(help="Licence of the images (with --name).")] = "",
) -> None:
    """Average a recording's frames to composites of a second, or of N frames."""
    from icefloe.errors import IcefloeError
    from icefloe.workflow.recordings import stack_to_dataset, stack_to_folder

    if (output is None) == (name is None):
        raise IcefloeError(
            "The composites need one destination. Give either --output FOLDER or --name DATASET."
        )
    options = _options(frames, frame_rate, pixel_size, align, remove_xrays, hot_pixels, keep_tail)
    with progress() as bars:
        if name is not None:
            stacked = stack_to_dataset(settings(), recordings, name, options, licence, bars)
        else:
            assert output is not None
            stacked = stack_to_folder(recordings, output, options, bars)
    for report in stacked.reports:
        say(report.sentence())
        for warning in report.warnings():
            warn(warning)
    say(stacked.sentence())
    if stacked.dataset is not None:
        say("Next: ", bold("icefloe data commit -m ..."))


def watch(
    recording: Annotated[
        Path, typer.Argument(help="Folder that frames arrive in, or a TIFF or MRC file that grows.")
    ],
    output: Annotated[Path, typer.Option(help="Folder for composites, and masks in its results/.")],
    version: Annotated[str, typer.Option(help="A version such as EA-T2, or an alias.")] = "champion",
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
        bool, typer.Option(help="The two-phase region is cut out of these frames already.")
    ] = False,
) -> None:
    """Stack and segment a recording while it is being made, second by second."""
    from icefloe.workflow.recordings import watch_recording

    options = _options(frames, frame_rate, pixel_size, align, remove_xrays, hot_pixels, keep_tail)
    with progress() as bars:
        watched = watch_recording(
            settings(),
            recording,
            output,
            options,
            version,
            idle_s=idle,
            region_done=region_done,
            progress=bars,
        )
    say(watched.report.sentence())
    for warning in watched.warnings():
        warn(warning)
    say("Masks, pictures and scores: ", bold(watched.results))
    if watched.interrupted:
        raise typer.Exit(INTERRUPTED)


def _options(
    frames: int | None,
    frame_rate: float | None,
    pixel_size: float | None,
    align: bool,
    remove_xrays: bool,
    hot_pixels: bool,
    keep_tail: bool | None,
) -> StackOptions:
    from icefloe.acquisition.stack import StackOptions

    return StackOptions(frames, frame_rate, pixel_size, align, remove_xrays, hot_pixels, keep_tail)
