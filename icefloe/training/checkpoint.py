"""Checkpoints of a member's training: safetensors with a JSON header; no pickles.

A member's checkpoints are, in a folder or on S3,

- `state.safetensors`: weights, their moving average if there is one, the weights to keep if training ended
  now and optimiser state after an epoch, with the records so far in its header, so that all change at once;
- `progress.json`: process id and records, rewritten each epoch for the driver;
- `best.safetensors`, the member's own file, `probabilities.npy` and `receipt.json`: the result; the receipt
  is written last and says that training is done.
"""

import hashlib
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from icefloe.errors import IcefloeError
from icefloe.training.outcome import BEST
from icefloe.training.records import EpochRecord
from icefloe.training.store import Store

STATE = "state.safetensors"
_MODEL, _OPTIMIZER, _AVERAGE, _BEST = "model.", "optimizer.", "average.", "best."

Weights = dict[str, Tensor]


@dataclass
class TrainingState:
    """State of a member's training.

    Attributes
    ----------
    records
        One record for each epoch, in order.
    best_epoch
        Epoch of the weights to keep: of the lowest stopping loss, or with a moving average the last; 0 before
        the first.
    init_sha256
        SHA-256 of the weights before the first epoch.
    best
        Weights of `best_epoch`; empty before the first.
    """

    init_sha256: str
    best_epoch: int = 0
    records: list[EpochRecord] = field(default_factory=list)
    best: Weights = field(default_factory=dict)

    @property
    def epoch(self) -> int:
        """Number of epochs done."""
        return len(self.records)

    @property
    def best_loss(self) -> float:
        """Lowest stopping loss so far."""
        return self.records[self.best_epoch - 1].stopping_loss if self.best_epoch else float("inf")


def copy_weights(network: nn.Module) -> Weights:
    """A copy of a network's weights and buffers on the CPU."""
    return {
        name: value.detach().to("cpu", copy=True).contiguous() for name, value in network.state_dict().items()
    }


def weights_bytes(weights: Weights) -> bytes:
    """A member's file: its weights as safetensors, the same bytes for the same values."""
    return safetensors.torch.save(weights)


def weights_sha256(weights: Weights) -> str:
    """SHA-256 in hex of `weights_bytes`."""
    return hashlib.sha256(weights_bytes(weights)).hexdigest()


def state_bytes(
    progress: TrainingState,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: nn.Module | None = None,
) -> bytes:
    """The file that training resumes from."""
    tensors = {_MODEL + name: value for name, value in copy_weights(network).items()}
    if average is not None:
        tensors |= {_AVERAGE + name: value for name, value in copy_weights(average).items()}
    if progress.best_epoch < progress.epoch:  # else they are among the others
        tensors |= {_BEST + name: value for name, value in progress.best.items()}
    for index, state in optimizer.state_dict()["state"].items():
        for name, value in state.items():
            tensors[f"{_OPTIMIZER}{index}.{name}"] = value.detach().cpu().contiguous()
    header = {
        "init_sha256": progress.init_sha256,
        "best_epoch": progress.best_epoch,
        "records": [record.to_dict() for record in progress.records],
    }
    return safetensors.torch.save(tensors, {"progress": json.dumps(header)})


def load_state(
    store: Store,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: AveragedModel | None = None,
) -> TrainingState | None:
    """Restore network, optimiser and moving average; None if no epoch was saved.

    Raises
    ------
    IcefloeError
        If the file is damaged or of another network.
    """
    path = store.local(STATE)
    if path is None:
        return None
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads(file.metadata()["progress"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  not a dict
        network.load_state_dict(_part(tensors, _MODEL))
        if average is not None:
            average.load_state_dict(_part(tensors, _AVERAGE))
        _restore_optimizer(optimizer, tensors)
        records = [EpochRecord.from_dict(record) for record in header["records"]]
        progress = TrainingState(header["init_sha256"], header["best_epoch"], records)
        progress.best = _best(progress, tensors, network if average is None else average.module)
    except (SafetensorError, RuntimeError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise IcefloeError(
            f"{store.address(STATE)}: training cannot be resumed from it ({reason}). "
            "Remove its folder to start again."
        ) from error
    return progress


def _best(progress: TrainingState, tensors: Weights, judged: nn.Module) -> Weights:
    if not progress.best_epoch:
        return {}
    if progress.best_epoch == progress.epoch:
        return copy_weights(judged)
    best = _part(tensors, _BEST)
    if best.keys() != judged.state_dict().keys():
        raise KeyError(f"weights of epoch {progress.best_epoch}")
    return best


def _part(tensors: Weights, prefix: str) -> Weights:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Weights) -> None:
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, Weights] = {}
    for name, value in tensors.items():
        if name.startswith(_OPTIMIZER):
            index, entry = name.removeprefix(_OPTIMIZER).split(".")
            if value.dim():  # moments lie in memory as their parameter does, or sums could round otherwise
                value = torch.empty_like(parameters[int(index)]).copy_(value)
            state.setdefault(int(index), {})[entry] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def remove_checkpoints(root: Path) -> int:
    """Remove all members' checkpoints under `root`, finished or not; return the bytes freed.

    Nothing else removes them: finished members are found there instead of being trained again.
    """
    freed = 0
    for directory in root.glob("*/") if root.is_dir() else ():
        if (directory / STATE).is_file() or (directory / BEST).is_file():
            freed += sum(file.stat().st_size for file in directory.iterdir())
            shutil.rmtree(directory)
    return freed
