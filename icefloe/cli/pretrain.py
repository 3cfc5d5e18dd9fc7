"""`icefloe pretrain`: first weights from simulated micrographs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from icefloe.cli.context import bold, progress, say


def pretrain(
    encoders: Annotated[list[str], typer.Argument(help="Encoders of the zoo, such as mobilenet_v2.")],
    output: Annotated[Path, typer.Option(help="Folder for <encoder>.sim.safetensors and its card.")],
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of each encoder.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Instead of steps: about so long for each.")] = None,
    stages: Annotated[int, typer.Option(help="Encoder stages, 3 to 5, as decoder_channels has.")] = 3,
    size: Annotated[int, typer.Option(help="Side of the simulated images in px.")] = 128,
    batch_size: Annotated[int, typer.Option(help="Images a step.")] = 8,
    learning_rate: Annotated[float, typer.Option(help="Highest, of AdamW.")] = 3e-3,
    seed: Annotated[int, typer.Option(help="Of first weights and images.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of the network.")] = 1,
    workers: Annotated[int, typer.Option(min=0, help="Processes that simulate ahead; a GPU wants many.")] = 0,
) -> None:
    """Train encoders on an endless stream of simulated micrographs, for `weights: sim`."""
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
            stages=stages,
            size=size,
            batch_size=batch_size,
            learning_rate=learning_rate,
            seed=seed,
        )
    for file in files:
        say("Weights and card: ", bold(file))
    say("Use them: ", bold("weights: sim"), f" in params.yaml, ICEFLOE_WEIGHTS_DIR={output}")
