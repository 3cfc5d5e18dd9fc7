"""The candidates on disk: `members.yaml`, weights, and predictions of the validation images."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from icefloe.errors import IcefloeError
from icefloe.files import atomic_directory, read_yaml
from icefloe.scoring.uncertainty import class_mask
from icefloe.training.records import EpochRecord, MemberReceipt
from icefloe.typing import FloatArray, MaskArray, Views

INDEX, HISTORY, VALIDATION = "members.yaml", "history.json", "validation.npz"
MASK_THRESHOLD = 0.5
"""For judging a candidate alone; the ensemble's threshold comes from its ROC curve."""


def class_masks(probability: FloatArray) -> MaskArray:
    """Masks of several images.

    Parameters
    ----------
    probability : float, shape (N, S, S) when binary, else (N, C, S, S)
        Predicted probability of the foreground, or of each class, in [0, 1].

    Returns
    -------
    uint8, shape (N, S, S)
        Class index of each pixel.
    """
    return np.stack([class_mask(image, MASK_THRESHOLD) for image in probability])


@dataclass(frozen=True)
class MembersDir:
    """A directory of trained candidates, before pruning.

    Attributes
    ----------
    path
        `members.yaml`, `history.json`, `validation.npz` and `<name>.safetensors` for each candidate.
    classes
        Class names by mask value.
    preprocessing
        `Preprocessing` in plain types.
    views
        Number of flips and transpositions of each image over which logits are averaged (`Manifest.views`).
    data_sha256
        SHA-256 of the preprocessed images, their masks and their keys; with folds, of all folds' hashes.
    train, validation
        Keys of the training and validation samples, such as `D1/stack_7`; with folds both are all images.
    receipts
        One a candidate, in the configuration's order.
    folds
        Keys of each fold's samples; empty: all candidates have the same validation images.
    """

    path: Path
    classes: tuple[str, ...]
    preprocessing: dict[str, Any]
    views: Views
    data_sha256: str
    train: tuple[str, ...]
    validation: tuple[str, ...]
    receipts: tuple[MemberReceipt, ...]
    folds: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def load(cls, path: Path) -> "MembersDir":
        """Read `members.yaml`; weights and probabilities are read when asked for.

        Raises
        ------
        IcefloeError
            If it is missing, or the weights of a member are.
        """
        if not (path / INDEX).is_file():
            raise IcefloeError(f"{path}: no {INDEX} here. Train members first.")
        content = read_yaml(path / INDEX)
        members = cls(
            path=path,
            classes=tuple(content["classes"]),
            preprocessing=content["preprocessing"],
            views=content.get("views", 1),
            data_sha256=content["data_sha256"],
            train=tuple(content["train"]),
            validation=tuple(content["validation"]),
            receipts=tuple(MemberReceipt.from_dict(member) for member in content["members"]),
            folds=tuple(map(tuple, content.get("folds", ()))),
        )
        for name in members.names:
            if not members.weights_path(name).is_file():
                raise IcefloeError(
                    f"{members.weights_path(name)}: the file is missing. Train the members again."
                )
        return members

    @property
    def names(self) -> tuple[str, ...]:
        """The candidates' names."""
        return tuple(receipt.name for receipt in self.receipts)

    def weights_path(self, name: str) -> Path:
        """A candidate's weights, safetensors."""
        return self.path / f"{name}.safetensors"

    def validation_keys(self, name: str) -> tuple[str, ...]:
        """Keys of a candidate's validation images: those of its fold."""
        fold = next(receipt.fold for receipt in self.receipts if receipt.name == name)
        return self.validation if fold is None else self.folds[fold]

    def validation_masks(self, name: str) -> MaskArray:
        """Reference masks of a candidate's validation images; see `PreparedImages.judged_masks`."""
        fold = next(receipt.fold for receipt in self.receipts if receipt.name == name)
        masks: MaskArray = self._validation(_masks_of(fold or 0))
        return masks

    def validation_probabilities(self, name: str) -> FloatArray:
        """A candidate's probabilities at the pixels of its `validation_masks`.

        Returns
        -------
        float32, shape (N, S, S) when binary, else (N, C, S, S); of tiles (1, 1, P) or (1, C, 1, P)
            Rounded to float16 when it was stored.
        """
        return self._validation(name).astype(np.float32)

    def history(self) -> dict[str, tuple[EpochRecord, ...]]:
        """Every epoch of every candidate."""
        content = json.loads((self.path / HISTORY).read_text(encoding="utf-8"))
        return {name: tuple(map(EpochRecord.from_dict, records)) for name, records in content.items()}

    def _validation(self, entry: str) -> Any:
        with np.load(self.path / VALIDATION, allow_pickle=False) as arrays:
            return arrays[entry]


@dataclass(frozen=True)
class TrainedMember:
    """One finished candidate, to be put into a `MembersDir`."""

    receipt: MemberReceipt
    records: Sequence[EpochRecord]
    probabilities: FloatArray
    weights: Path


def save_members(
    path: Path,
    trained: Sequence[TrainedMember],
    description: Mapping[str, Any],
    validation_masks: Sequence[MaskArray],
) -> MembersDir:
    """Write a `MembersDir` whole or not at all.

    Parameters
    ----------
    path
        Must not exist, or be an empty directory.
    trained
        The candidates, in order.
    description
        The attributes of `MembersDir` other than path and receipts.
    validation_masks
        `PreparedImages.judged_masks` of each fold's validation images; without folds one for all candidates.

    Raises
    ------
    IcefloeError
        If `path` holds something already.
    """
    try:
        with atomic_directory(path) as beside:
            for member in trained:
                shutil.copyfile(member.weights, beside / f"{member.receipt.name}.safetensors")
            history = {
                member.receipt.name: [record.to_dict() for record in member.records] for member in trained
            }
            (beside / HISTORY).write_text(json.dumps(history), encoding="utf-8")
            compact = {member.receipt.name: member.probabilities.astype(np.float16) for member in trained}
            masks = {_masks_of(fold): each for fold, each in enumerate(validation_masks)}
            arrays: dict[str, Any] = {**masks, **compact}
            np.savez_compressed(beside / VALIDATION, **arrays)
            content = {**description, "members": [member.receipt.to_dict() for member in trained]}
            text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
            (beside / INDEX).write_text(text, encoding="utf-8")
    except FileExistsError as error:
        raise IcefloeError(
            f"{path}: the folder exists already. Name a new directory for the members."
        ) from error
    return MembersDir.load(path)


def _masks_of(fold: int) -> str:
    """Entry of `validation.npz` with the reference masks of a fold."""
    return f"masks of fold {fold}"
