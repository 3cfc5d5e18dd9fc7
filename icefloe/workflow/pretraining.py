"""Pre-train encoders on simulated micrographs, for `weights: sim` or `image-sim`."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from icefloe.errors import IcefloeError
from icefloe.progress import SILENT, Progress
from icefloe.training.pretrain import pretrain, steps_begun, steps_within
from icefloe.training.pretrained import PretrainConfig, save_pretrained
from icefloe.validation import validated

STATE = ".pretraining"


def pretrain_encoders(
    encoders: Sequence[str],
    output: Path,
    *,
    steps: int | None = None,
    minutes: float | None = None,
    threads: int = 1,
    workers: int = 0,
    progress: Progress = SILENT,
    **settings: int | float | str,
) -> list[Path]:
    """Train encoders one after the other; an interrupted run can be resumed.

    Parameters
    ----------
    encoders
        Names in `ENCODERS`.
    output
        Folder for `<encoder>.sim.safetensors`, or `.image-sim.safetensors`, and its card.
    steps, minutes
        Length of each encoder's training: one of the two is given.
    threads, workers
        CPU threads and processes, as in `icefloe.training.pretrain.pretrain`.
    progress
        Told of each encoder's steps and scores.
    settings
        Other entries of `PretrainConfig`.

    Returns
    -------
    list of Path
        The weights' files.

    Raises
    ------
    IcefloeError
        If not exactly one of `steps` and `minutes` is given, or a setting is wrong.
    """
    if (steps is None) == (minutes is None):
        raise IcefloeError("The training needs one length. Give either --steps or --minutes.")
    files = []
    for encoder in encoders:
        state = output / STATE / encoder
        steps_so_far = steps_begun(state)
        entries = {"encoder": encoder, "steps": steps or steps_so_far or 1, **settings}
        config = validated(PretrainConfig, entries, "Pre-training", "Choose another value.")
        if minutes is not None and steps_so_far is None:
            enough = steps_within(config, minutes, threads=threads, workers=workers)
            config = config.model_copy(update={"steps": enough})
            progress.tell(f"{encoder}: {minutes:g} minutes are enough for about {enough} steps.")
        result = pretrain(config, state, threads=threads, workers=workers, progress=progress)
        files.append(save_pretrained(result, output))
    shutil.rmtree(output / STATE)  # not before: the same command, killed, finds the finished encoders there
    return files
