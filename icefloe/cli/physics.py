"""`icefloe physics`: what an experiment shows of the ice, in nm and s."""

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
        Path | None, typer.Option(help="Folder for tables, figures and page; physics/NAME.")
    ] = None,
    version: Annotated[str, typer.Option(help="EA-T2, or an alias.")] = "champion",
    pixel_size: Annotated[
        float | None, typer.Option(help="Pixel edge in nm; the dataset's, or the files'.")
    ] = None,
    seconds_per_image: Annotated[
        float | None, typer.Option(help="Between images; 1 for composites, the frame rate's for frames.")
    ] = None,
    window: Annotated[
        float | None, typer.Option(help="Seconds a local rate is fitted over; a third of the experiment.")
    ] = None,
    widen: Annotated[float, typer.Option(help="Factor on the members' spread, as labels ask for.")] = 1.0,
    region_done: Annotated[
        bool, typer.Option(help="The two-phase region has been cut out of the folder's images already.")
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
