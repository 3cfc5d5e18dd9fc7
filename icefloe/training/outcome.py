"""Progress and outcome of a member's training: the files of its checkpoint directory that need no torch."""

import io
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from icefloe.files import write_bytes_atomic, write_text_atomic
from icefloe.training.members import TrainedMember
from icefloe.training.records import EpochRecord, MemberReceipt
from icefloe.typing import FloatArray

BEST, PROGRESS, PROBABILITIES, RECEIPT = (
    "best.safetensors",
    "progress.json",
    "probabilities.npy",
    "receipt.json",
)


def write_progress(directory: Path, records: Sequence[EpochRecord]) -> None:
    """Write the training process's id and its epochs, for the driver."""
    content = {"pid": os.getpid(), "records": [record.to_dict() for record in records]}
    write_text_atomic(directory / PROGRESS, json.dumps(content))


def read_progress(directory: Path) -> tuple[int | None, tuple[EpochRecord, ...]]:
    """Id of the last training process and its epochs; None and empty before the first."""
    try:
        content = json.loads((directory / PROGRESS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None, ()
    return content["pid"], tuple(map(EpochRecord.from_dict, content["records"]))


def is_finished(directory: Path) -> bool:
    """Whether the training in this directory is finished."""
    return (directory / RECEIPT).is_file()


def write_outcome(directory: Path, receipt: MemberReceipt, probabilities: FloatArray) -> None:
    """Write a finished training's result; the receipt is written last and marks it as complete."""
    buffer = io.BytesIO()
    np.save(buffer, probabilities.astype(np.float16), allow_pickle=False)
    write_bytes_atomic(directory / PROBABILITIES, buffer.getvalue())
    write_text_atomic(directory / RECEIPT, json.dumps(receipt.to_dict(), indent=1))


def read_outcome(directory: Path) -> TrainedMember:
    """The result of a finished training."""
    receipt = MemberReceipt.from_dict(json.loads((directory / RECEIPT).read_text(encoding="utf-8")))
    probabilities = np.load(directory / PROBABILITIES, allow_pickle=False)
    return TrainedMember(receipt, read_progress(directory)[1], probabilities, directory / BEST)
