"""`icefloe pretrain`: first weights from simulated micrographs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icefloe.cli.context import progress, say
from icefloe.errors import IcefloeError

if TYPE_CHECKING:
    from icefloe.training.pretrained import PretrainConfig
    from icefloe.training.records import EpochRecord

STATE = ".pretraining"


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
    import shutil

    from pydantic import ValidationError

    from icefloe.training import pretrain as pretraining
    from icefloe.training.pretrained import PretrainConfig, save_pretrained
    from icefloe.validation import first_problem

    if (steps is None) == (minutes is None):
        raise IcefloeError("How long is not said. Give either --steps or --minutes.")
    for encoder in encoders:
        state = output / STATE / encoder
        try:
            config = PretrainConfig(
                encoder=encoder,
                stages=stages,
                steps=steps or pretraining.steps_begun(state) or 1,
                size=size,
                batch_size=batch_size,
                learning_rate=learning_rate,
                seed=seed,
            )
        except ValidationError as error:
            option = first_problem(error).replace("_", "-", 1)
            raise IcefloeError(f"--{option}. Choose another value.") from error
        if minutes is not None and not pretraining.steps_begun(state):
            enough = pretraining.steps_within(config, minutes, threads=threads, workers=workers)
            config = config.model_copy(update={"steps": enough})
            say(f"{encoder}: {minutes:g} minutes are enough for about {enough} steps.")
        with progress() as bar:
            task = bar.add_task(f"Pre-training {encoder}", total=config.steps)
            advance = partial(_advance, config, partial(bar.update, task))
            result = pretraining.pretrain(config, state, threads=threads, workers=workers, report=advance)
        say(f"Weights and card: [bold]{save_pretrained(result, output)}[/bold]")
    shutil.rmtree(output / STATE)  # not before: the same command, killed, finds the finished encoders there
    say(f"Use them: [bold]weights: sim[/bold] in params.yaml, ICEFLOE_WEIGHTS_DIR={output}")


def _advance(config: PretrainConfig, update: Callable[..., None], record: EpochRecord) -> None:
    from icefloe.training.pretrain import ROUND

    done = min(record.epoch * ROUND, config.steps)
    n_images = config.batch_size * (done - (record.epoch - 1) * ROUND)
    update(completed=done)
    say(
        f"{config.encoder} step {done}: loss {record.train_loss:.3f}, held out {record.val_loss:.3f}, "
        f"IoU {record.val_iou:.3f}, {n_images / record.seconds:.0f} images/s"
    )
