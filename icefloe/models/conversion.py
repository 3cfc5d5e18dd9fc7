"""Published weights that are pickles, such as NASA's MicroNet encoders, made safetensors once."""

import hashlib
import io
from datetime import UTC, datetime
from pathlib import Path

import safetensors.torch
import torch

from icefloe.errors import IcefloeError
from icefloe.files import sha256_file, write_bytes_atomic, write_text_atomic
from icefloe.models.spec import ENCODERS, MemberSpec
from icefloe.models.weights import RGB, Weights, loaded_encoder

WRAPPED = "state_dict"
"""Where a training's checkpoint keeps the weights, among its epoch and optimiser."""

PARALLEL = "module."
"""What training on several GPUs puts before every name."""


def convert(source: Path, encoder: str, weights: str, output: Path) -> Path:
    """Make `<encoder>.<weights>.safetensors` and its card of a file that PyTorch saved.

    Only plain tensors are read; anything else that a pickle may hold is refused, and nothing in it is run.

    Parameters
    ----------
    source
        State dict of the encoder, with or without a classifier, or a checkpoint that holds one.
    encoder
        A name in `spec.ENCODERS`.
    weights
        Name of published weights, such as `micronet`.
    output
        Folder for the two files. Set ICEFLOE_WEIGHTS_DIR to it, and members find them.

    Returns
    -------
    Path
        The safetensors file: the encoder with RGB filters, as published.

    Raises
    ------
    IcefloeError
        If the encoder or its weights are not in the zoo, or the file is missing, not of plain tensors or not
        of this encoder.
    """
    card = ENCODERS[MemberSpec(encoder=encoder, weights=weights).encoder].pretrained.get(weights)
    if card is None:
        published = ", ".join(ENCODERS[encoder].pretrained)
        raise IcefloeError(f"{weights}: not published weights of {encoder}. Use one of {published}.")
    if not source.is_file():
        raise IcefloeError(f"{source}: no such file. Name the file that you downloaded.")
    content = source.read_bytes()
    network, names = loaded_encoder(encoder, _tensors(source, content), source, (RGB,))
    state = {name: value.contiguous() for name, value in network.state_dict().items()}
    if lacking := [name for name in state if name not in names]:
        raise IcefloeError(f"{source}: not the whole {encoder} (no {lacking[0]}). Use the published file.")
    path = output / f"{encoder}.{weights}.safetensors"
    write_bytes_atomic(path, safetensors.torch.save(state))
    write_text_atomic(
        path.with_suffix(".md"),
        f"""# {encoder}, {weights}

- File: `{path.name}`, SHA-256 {sha256_file(path)}.
- Its encoder was {card.sentence()}.
- Made by `icefloe weights convert` on {datetime.now(UTC):%Y-%m-%d} of `{source.name}`,
  SHA-256 {hashlib.sha256(content).hexdigest()}.
""",
    )
    return path


def _tensors(source: Path, content: bytes) -> Weights:
    remedy = "Use the state dict that its author published."
    try:
        loaded = torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
    except Exception as error:  # the unpickler has a kind of error for every sort of damage
        raise IcefloeError(
            f"{source}: not a PyTorch file of plain tensors ({type(error).__name__}). {remedy}"
        ) from error
    if isinstance(loaded, dict) and isinstance(loaded.get(WRAPPED), dict):
        loaded = loaded[WRAPPED]
    if not isinstance(loaded, dict) or not loaded or not all(map(torch.is_tensor, loaded.values())):
        raise IcefloeError(f"{source}: holds other things than named tensors. {remedy}")
    return {str(name).removeprefix(PARALLEL): value for name, value in loaded.items()}
