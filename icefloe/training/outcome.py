"""Progress and outcome of a member's training: the files of its checkpoints that need no torch."""

import io
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from icefloe.errors import IcefloeError
from icefloe.training.members import TrainedMember
from icefloe.training.records import EpochRecord, MemberReceipt
from icefloe.training.store import Store
from icefloe.typing import FloatArray

BEST, PROGRESS, PROBABILITIES, RECEIPT = (
    "best.safetensors",
    "progress.json",
    "probabilities.npy",
    "receipt.json",
)


def write_progress(store: Store, records: Sequence[EpochRecord]) -> None:
    """Write the training process's id and its epochs, for the driver."""
    content = {"pid": os.getpid(), "records": [record.to_dict() for record in records]}
    store.write(PROGRESS, json.dumps(content).encode())


def read_progress(store: Store) -> tuple[int | None, tuple[EpochRecord, ...]]:
    """Id of the last training process and its epochs; None and empty before the first."""
    path = store.local(PROGRESS)
    if path is None:
        return None, ()
    content = json.loads(path.read_text(encoding="utf-8"))
    return content["pid"], tuple(map(EpochRecord.from_dict, content["records"]))


def is_finished(store: Store) -> bool:
    """Whether the training whose files these are is finished."""
    return store.exists(RECEIPT)


def write_outcome(store: Store, receipt: MemberReceipt, probabilities: FloatArray, weights: bytes) -> None:
    """Write a finished training's result; the receipt is written last and marks it as complete."""
    buffer = io.BytesIO()
    np.save(buffer, probabilities.astype(np.float16), allow_pickle=False)
    store.write(BEST, weights)
    store.write(PROBABILITIES, buffer.getvalue())
    store.write(RECEIPT, json.dumps(receipt.to_dict(), indent=1).encode())


def read_outcome(store: Store) -> TrainedMember:
    """The result of a finished training.

    Raises
    ------
    IcefloeError
        If one of its files is gone.
    """
    receipt = MemberReceipt.from_dict(json.loads(_present(store, RECEIPT).read_text(encoding="utf-8")))
    probabilities = np.load(_present(store, PROBABILITIES), allow_pickle=False)
    return TrainedMember(receipt, read_progress(store)[1], probabilities, _present(store, BEST))


def _present(store: Store, name: str) -> Path:
    path = store.local(name)
    if path is None:
        raise IcefloeError(f"{store.address(name)}: the file is missing. Remove its folder to train again.")
    return path
