"""Batch normalisation in short trainings with small batches: momentum, and which statistics stay."""

from collections.abc import Iterator

from torch import nn

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


def _layers(network: nn.Module) -> Iterator[nn.BatchNorm2d]:
    return (module for module in network.modules() if isinstance(module, nn.BatchNorm2d))
