"""`icefloe physics`: measure the ice of an experiment, in nm and s."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from icefloe.cli.context import bold, progress, say, settings, warn


def physics(
    source: Annotated[
        str, typer.Argument(help="A dataset of the workspace, or a folder of images in time order.")
    ],
    output: Annotated[
        Path | None, typer.Option(help="Folder for tables, figures and page. Default: physics/NAME.")
    ] = None,
    version: Annotated[str, typer.Option(help="A version such as EA-T2, or an alias.")] = "champion",
    pixel_size: Annotated[
        float | None, typer.Option(help="Pixel size in nm. Default: the dataset's, or that in the files.")
    ] = None,
    seconds_per_image: Annotated[
        float | None,
        typer.Option(
            help="Time between images in s. Default: 1 for composites, from the frame rate for frames."
        ),
    ] = None,
    window: Annotated[
        float | None,
        typer.Option(help="Seconds over which a local rate is fitted. Default: a third of the experiment."),
    ] = None,
    widen: Annotated[
        float, typer.Option(help="Factor on the members' spread, such as labels show to be needed.")
    ] = 1.0,
    region_done: Annotated[
        bool, typer.Option(help="The two-phase region is cut out of the folder's images already.")
    ] = False,
) -> None:
    """Measure area, fronts, curvature and melting rate with uncertainty, over a whole experiment."""
    from icefloe.workflow.physics import PhysicsOptions, measure_physics

    options = PhysicsOptions(version, pixel_size, seconds_per_image, window, widen, region_done)
    with progress() as bars:
        measured = measure_physics(settings(), source, options, output, bars)
    for sentence in measured.sentences():
        say(sentence)
    for note in measured.experiment.notes:
        warn(note)
    say("Tables are beside the page with the figures: ", bold(measured.page))
