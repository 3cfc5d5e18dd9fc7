"""`icefloe pretrain`: encoder weights from simulated micrographs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from icefloe.cli.context import bold, progress, say


def pretrain(
    encoders: Annotated[list[str], typer.Argument(help="Encoders of the zoo, such as mobilenet_v2.")],
    output: Annotated[Path, typer.Option(help="Folder for the weights and their card.")],
    steps: Annotated[int | None, typer.Option(min=1, help="Training steps of each encoder.")] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Instead of --steps: minutes of training for each encoder.")
    ] = None,
    weights: Annotated[
        str, typer.Option(help="First weights: none (random), for `sim`, or imagenet, for `image-sim`.")
    ] = "none",
    stages: Annotated[
        int, typer.Option(help="Number of encoder stages, 3 to 5; as many as decoder_channels has entries.")
    ] = 3,
    size: Annotated[int, typer.Option(help="Height and width of the simulated images in px.")] = 128,
    batch_size: Annotated[int, typer.Option(help="Images per step.")] = 8,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate of AdamW.")] = 3e-3,
    seed: Annotated[int, typer.Option(help="Seed of the first weights and of the images.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads for the network.")] = 1,
    workers: Annotated[int, typer.Option(min=0, help="Processes that simulate ahead; a GPU needs many.")] = 0,
) -> None:
    """Train encoders on simulated micrographs that never repeat, for `weights: sim` or `image-sim`."""
    from icefloe.workflow.pretraining import pretrain_encoders

    with progress() as bars:
        files = pretrain_encoders(
            encoders,
            output,
            steps=steps,
            minutes=minutes,
            threads=threads,
            workers=workers,
            progress=bars,
            weights=weights,
            stages=stages,
            size=size,
            batch_size=batch_size,
            learning_rate=learning_rate,
            seed=seed,
        )
    for file in files:
        say("Weights and card: ", bold(file))
    name = files[0].suffixes[-2].removeprefix(".")
    say("Use them: ", bold(f"weights: {name}"), f" in params.yaml, ICEFLOE_WEIGHTS_DIR={output}")
