"""Batch normalisation in short trainings with small batches: momentum, and which statistics stay."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

MOMENTUM = 0.1
"""EfficientNet's own 0.01 is meant for 100,000 steps: after a few hundred its running means would still be
those of the first, random weights, and validation would be worth nothing."""


def set_momentum(network: nn.Module) -> None:
    """Give every batch normalisation of a network `MOMENTUM`."""
    for layer in _layers(network):
        layer.momentum = MOMENTUM


def freeze_statistics(encoder: nn.Module) -> None:
    """Let batch normalisation use, and not change, its running statistics; dropout stays as it is."""
    for layer in _layers(encoder):
        layer.eval()


def estimated_layers(network: nn.Module, *, encoder: bool) -> list[nn.BatchNorm2d]:
    """The layers whose statistics come from the training images: all, or all but the encoder's."""
    kept: set[nn.Module] = set() if encoder else set(_layers(network.encoder))  # type: ignore[arg-type]
    return [layer for layer in _layers(network) if layer not in kept]


@torch.no_grad()
def estimate_statistics(
    network: nn.Module, layers: Iterable[nn.BatchNorm2d], batches: Iterable[Tensor]
) -> None:
    """Replace running statistics by the mean over batches, which all count alike.

    Averaged weights need it: the running statistics are those of other weights, the last steps', and their
    average is that of none. Unlike `torch.optim.swa_utils.update_bn`, it leaves some layers as they are, and
    dropout off.

    Parameters
    ----------
    network
        Network with averaged weights; left in evaluation mode.
    layers
        Its layers to estimate anew.
    batches : Tensor, shape (B, 1, S, S)
        Inputs as in training.
    """
    network.eval()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # a cumulative mean
        layer.train()
    for batch in batches:
        network(batch)
    set_momentum(network)
    network.eval()


def _layers(network: nn.Module) -> Iterator[nn.BatchNorm2d]:
    return (module for module in network.modules() if isinstance(module, nn.BatchNorm2d))
