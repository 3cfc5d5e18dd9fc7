"""`icefloe weights`: the encoders' pre-trained weights, and what they saw."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from icefloe.cli.context import bold, console, say, settings, table

app = typer.Typer(help="Pre-trained weights: list them with what they saw, convert.", no_args_is_help=True)


@app.command("list")
def list_() -> None:
    """List every encoder's weights: what they were trained on, by whom, and where they are here."""
    from icefloe.workflow.weights import available_weights

    content = available_weights(settings().weights_dir)
    listing = table("Weights", *content.columns)
    for row in content.rows:
        listing.add_row(*row)
    console.print(listing)


@app.command("convert")
def convert_(
    file: Annotated[Path, typer.Argument(help="File that PyTorch saved, such as NASA's .pth.tar.")],
    encoder: Annotated[str, typer.Option(help="Encoder of the zoo, such as resnet18.")],
    output: Annotated[Path, typer.Option(help="Folder for the weights and their card.")],
    weights: Annotated[str, typer.Option(help="Name of the weights, as members give it.")] = "micronet",
) -> None:
    """Make safetensors of published weights that are a pickle; only plain tensors are read from it."""
    from icefloe.models.conversion import convert

    path = convert(file, encoder, weights, output)
    say("Weights and card: ", bold(path))
    say("Use them: ", bold(f"weights: {weights}"), f" in params.yaml, ICEFLOE_WEIGHTS_DIR={output}")
