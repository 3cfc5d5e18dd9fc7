"""The files of a few-shot model: what it was made of in words, its vectors and its encoder's weights.

A folder holds

- `fewshot.yaml`: temperature, reach, and the hashes of the other files;
- `session.json`: image, grid, support sets, encoder, rule and result, as in a session's file;
- `vectors.safetensors`: `centre`, float64 (F,); `supports`, float64 (S, F), and `sets`, uint8 (S,): the
  position of each one's set among those that have chips;
- `<encoder>.safetensors` and the like: the encoder's first weights, where it has any.
"""

import shutil
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from icefloe.errors import IcefloeError
from icefloe.fewshot.classifier import Classifier
from icefloe.fewshot.embedding_spec import EncoderSpec
from icefloe.fewshot.session import Session
from icefloe.fewshot.space import Space
from icefloe.fewshot.temperature import leave_one_out
from icefloe.files import atomic_directory, read_yaml, sha256_file
from icefloe.validation import validated

MANIFEST, SESSION, VECTORS = "fewshot.yaml", "session.json", "vectors.safetensors"

_DAMAGED = "Copy the model's whole folder again."


class Manifest(BaseModel):
    """Content of `fewshot.yaml`.

    Attributes
    ----------
    format
        Version of the folder's layout.
    embedding
        Version of the way from chips to vectors.
    temperature, reach
        As of `Classifier`.
    sha256
        File -> hash of its bytes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    embedding: str
    temperature: float = Field(gt=0)
    reach: float = Field(ge=0)
    sha256: dict[str, str]


def save_folder(
    directory: Path, session: Session, classifier: Classifier, embedding: str, weights: Path | None
) -> None:
    """Write a new folder, whole or not at all.

    Parameters
    ----------
    directory
        The folder.
    session
        With its result.
    classifier
        Made of it.
    embedding
        Version of the way from chips to vectors.
    weights
        File of the encoder's weights; None: it has none.

    Raises
    ------
    IcefloeError
        If the folder holds something already.
    """
    sizes = [len(of_set) for of_set in classifier.supports]
    vectors: dict[str, NDArray[Any]] = {
        "centre": classifier.space.centre,
        "supports": np.concatenate(classifier.supports),
        "sets": np.repeat(np.arange(len(sizes), dtype=np.uint8), sizes),
    }
    try:
        with atomic_directory(directory) as beside:
            session.save(beside / SESSION)
            save_file(vectors, beside / VECTORS)
            if weights is not None:
                shutil.copyfile(weights, beside / weights_name(session.embedding.encoder))
            manifest = Manifest(
                embedding=embedding,
                temperature=classifier.temperature,
                reach=classifier.reach,
                sha256={path.name: sha256_file(path) for path in sorted(beside.iterdir())},
            )
            text = yaml.safe_dump(manifest.model_dump(), sort_keys=False)
            (beside / MANIFEST).write_text(text, encoding="utf-8")
    except FileExistsError as error:
        raise IcefloeError(
            f"{directory}: the folder exists already. Name a new folder for the model."
        ) from error


def load_folder(directory: Path, embedding: str) -> tuple[Session, Classifier]:
    """Read a folder, checking every hash.

    Parameters
    ----------
    directory
        As `save_folder` wrote it.
    embedding
        Version of the way from chips to vectors that this Icefloe goes.

    Raises
    ------
    IcefloeError
        If it is none, a file is missing or another one, or it was made by another way from chips to vectors.
    """
    manifest = check_folder(directory)
    if manifest.embedding != embedding:
        raise IcefloeError(
            f"{directory}: its vectors are of version {manifest.embedding}, and this Icefloe makes version "
            f"{embedding}. Register the session again."
        )
    session = Session.load(directory / SESSION)
    try:
        vectors = load_file(directory / VECTORS)
        centre, joint, sets = (vectors[name] for name in ("centre", "supports", "sets"))
    except (SafetensorError, KeyError) as error:
        raise IcefloeError(f"{directory / VECTORS}: not a few-shot model's vectors. {_DAMAGED}") from error
    used = session.sets.require_classes()
    supports = tuple(joint[sets == position] for position in range(len(used)))
    return session, Classifier(
        sets=used,
        space=Space(centre),
        supports=supports,
        left_out=leave_one_out(supports),
        temperature=manifest.temperature,
        reach=manifest.reach,
        rule=session.rule,
    )


def check_folder(directory: Path) -> Manifest:
    """Refuse a folder whose files are not those that its `fewshot.yaml` names.

    Raises
    ------
    IcefloeError
        If there is no such file, or another one is missing or has changed.
    """
    path = directory / MANIFEST
    try:
        content = read_yaml(path, _DAMAGED)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise IcefloeError(
            f"{directory}: no {MANIFEST} here, so this is no few-shot model. Name the folder of one."
        ) from error
    manifest = validated(Manifest, content, path, _DAMAGED)
    for name in {SESSION, VECTORS} | manifest.sha256.keys():
        file = directory / name
        if file.parent != directory or not file.is_file() or sha256_file(file) != manifest.sha256.get(name):
            raise IcefloeError(f"{file}: not the file that {MANIFEST} names. {_DAMAGED}")
    return manifest


def weights_name(encoder: EncoderSpec) -> str:
    """Name of the weights' file in the folder: one that `weights_file` looks for in a mirror."""
    if is_path(encoder) or encoder.weights == "imagenet":
        return f"{encoder.encoder}.safetensors"
    return f"{encoder.encoder}.{encoder.weights}.safetensors"


def is_path(encoder: EncoderSpec) -> bool:
    """Whether the weights are named by their file."""
    return encoder.weights.endswith(".safetensors")
