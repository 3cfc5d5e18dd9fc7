"""Exponential moving average of a network's weights during its training.

Small batches throw weights about; their average lies nearer to the middle of the valley (Polyak & Juditsky
1992; Izmailov et al. 2018).
"""

from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

Tensors: TypeAlias = list[Tensor] | tuple[Tensor, ...]


def averaged_model(network: nn.Module, share: float) -> AveragedModel:
    """The average of a network's weights and buffers; call its `update_parameters` after each step.

    Buffers are the batch statistics. Estimated anew for the averaged weights, as stochastic weight averaging
    needs it, they were no better on real micrographs: a short average's own statistics hardly differ.

    The decay grows with the steps, by the power-function profile of Karras et al. 2024 (EDM2, section 3.1):
    after t steps it is (1 - 1/t) ** (1/share - 1). So the first weights count nothing, and the mean age of
    what is averaged is `share` times the steps so far, at any time. With a constant decay, a short training's
    average would still hold the first, random weights.

    Parameters
    ----------
    network
        Network in training; the average lies on its device.
    share
        Mean age of the averaged weights in relation to all steps, in (0, 0.5].
    """
    return AveragedModel(network, multi_avg_fn=_PowerAverage(share), use_buffers=True)


class _PowerAverage:
    """One update of all tensors of a device and type."""

    def __init__(self, share: float) -> None:
        self._power = 1 / share - 1

    @torch.no_grad()
    def __call__(self, average: Tensors, current: Tensors, n_averaged: Tensor | int) -> None:
        if not average[0].is_floating_point():  # batch normalisation counts its batches
            torch._foreach_copy_(average, current)
            return
        n_before = int(n_averaged)
        decay = (n_before / (n_before + 1)) ** self._power
        torch._foreach_lerp_(average, current, 1 - decay)
