"""Test-time views: a network's mean logits over flips and transpositions of its input."""

import torch
from torch import Tensor, nn

from icefloe.typing import Views


def view_logits(network: nn.Module, images: Tensor, views: Views) -> Tensor:
    """Mean logits of an image seen from several sides, each turned back.

    Logits are averaged, not probabilities: temperature scaling divides what comes out here, which so has the
    same effect on every view, and no digit is lost where a probability is near 0 or 1.

    Parameters
    ----------
    network
        Network from `icefloe.models.zoo.build`, in evaluation mode.
    images : float32, shape (B, 1, S, S)
        Preprocessed images.
    views
        Number of views; the first is the image itself.

    Returns
    -------
    Tensor, float32, shape (B, 1 or C, S, S)
    """
    total: Tensor = network(images).float()
    for view in range(1, views):
        seen = _from_side(images, view).contiguous(memory_format=torch.channels_last)
        total = total + _turned_back(network(seen).float(), view)
    return total / views


def _from_side(maps: Tensor, view: int) -> Tensor:
    """One of the eight views: rows and columns exchanged if bit 2 is set, then flipped by bits 0 and 1."""
    return maps.transpose(-1, -2).flip(_flipped(view)) if view & 4 else maps.flip(_flipped(view))


def _turned_back(maps: Tensor, view: int) -> Tensor:
    flipped = maps.flip(_flipped(view))
    return flipped.transpose(-1, -2) if view & 4 else flipped


def _flipped(view: int) -> list[int]:
    return [dimension for bit, dimension in ((1, -2), (2, -1)) if view & bit]
