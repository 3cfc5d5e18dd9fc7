"""The zoo: a network from its spec, encoder x decoder over segmentation-models-pytorch."""

from icefloe.models import _torchvision  # noqa: F401  before anything imports torchvision

# isort: split
from collections.abc import Callable
from typing import Any

import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn

from icefloe.errors import IcefloeError
from icefloe.models import depthwise, inception, lite
from icefloe.models.spec import DECODERS, ENCODERS, FULL, MemberSpec, require_unique_names
from icefloe.models.weights import load_pretrained
from icefloe.typing import WeightsMirror

__all__ = ["DECODERS", "ENCODERS", "MemberSpec", "build", "encode", "pooled", "require_unique_names"]

FEATURE_GRID = 4
"""Cells a side over which features are averaged: frames of one experiment differ in where things are."""

inception.register()
lite.register()


def build(
    spec: MemberSpec, n_classes: int, weights_dir: WeightsMirror | None = None, in_channels: int = 1
) -> nn.Module:
    """A member's network before training, on the CPU.

    The same spec gives the same weights; torch's global random state is neither used nor changed. With
    published weights only the decoder depends on `spec.seed`; with a file that gives the decoder, too, at
    most the last convolution.

    Parameters
    ----------
    spec
        Encoder, decoder, seed, weights.
    n_classes
        At least 2. Two classes give one logit per pixel, that of class 1.
    weights_dir
        Mirror of pre-trained weights: a folder or `s3://bucket/prefix`.
    in_channels
        Channels of the images.

    Returns
    -------
    nn.Module
        Takes float32 (B, in_channels, S, S), S a multiple of 32; returns logits (B, 1, S, S) when `n_classes`
        is 2, else (B, n_classes, S, S).

    Raises
    ------
    IcefloeError
        If `n_classes` is below 2, or the weights cannot be loaded or do not fit.
    """
    if n_classes < 2:
        raise IcefloeError(
            f"A network needs at least two classes, not {n_classes}. Name them in dataset.yaml."
        )
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(spec.seed)  # torch.manual_seed would reseed the GPUs too
        network: nn.Module = _ARCHITECTURES[spec.decoder](
            encoder_name=spec.encoder,
            encoder_weights=None,
            in_channels=in_channels,
            classes=1 if n_classes == 2 else n_classes,
            **_width(spec),
        )
    if len(spec.channels) < len(FULL):
        encoder: Any = network.encoder
        _drop_unused_stages(encoder, in_channels)
    depthwise.keep_float32(network)
    if spec.weights != "none":
        load_pretrained(network, spec, in_channels, weights_dir)
    return network


def encode(network: nn.Module, images: Tensor) -> Tensor:
    """Features of images: the encoder's deepest feature maps, averaged over the cells of a grid.

    Parameters
    ----------
    network
        Network from `build`; put it in evaluation mode first.
    images : float32, shape (B, in_channels, S, S)
        Preprocessed images.

    Returns
    -------
    Tensor, shape (B, F)
        F is the encoder's deepest number of channels times the grid's number of cells.
    """
    encoder: Any = network.encoder
    return pooled(encoder(images)[-1])


def pooled(features: Tensor) -> Tensor:
    """Averages of a feature map, (B, C, h, w), over the cells of a grid; shape (B, F)."""
    return nn.functional.adaptive_avg_pool2d(features, FEATURE_GRID).flatten(1)


class _PassThrough(nn.Module):
    """Replaces a stage whose result is not used."""

    def forward(self, maps: Tensor, *_: Any) -> Tensor:
        return maps


def _drop_unused_stages(encoder: nn.Module, in_channels: int) -> None:
    """Take out the stages beyond an encoder's depth: smp builds and saves them all, and runs some."""
    maps = encoder.eval()(torch.zeros(1, in_channels, 64, 64))
    torch.stack([features.sum() for features in maps]).sum().backward()
    _drop_untouched(encoder)
    encoder.zero_grad()
    encoder.train()


def _drop_untouched(module: nn.Module) -> None:
    for name, child in module.named_children():
        parameters = list(child.parameters())
        if parameters and all(parameter.grad is None for parameter in parameters):
            setattr(module, name, _PassThrough())
        else:
            _drop_untouched(child)


_ARCHITECTURES: dict[str, Callable[..., Any]] = {
    "unet": smp.Unet,
    "unetplusplus": smp.UnetPlusPlus,
    "fpn": smp.FPN,
    "deeplabv3plus": smp.DeepLabV3Plus,
}


def _width(spec: MemberSpec) -> dict[str, Any]:
    if spec.decoder == "fpn":
        return {
            "decoder_pyramid_channels": spec.channels[0],
            "decoder_segmentation_channels": spec.channels[0] // 2,
        }
    if spec.decoder == "deeplabv3plus":
        return {"decoder_channels": spec.channels[0]}
    return {"decoder_channels": spec.channels, "encoder_depth": len(spec.channels)}
