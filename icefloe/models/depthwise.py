"""Depthwise convolutions in float32, where a processor has no fast kernel for them in bfloat16."""

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn


class _InFloat32(nn.Module):
    """Leaves autocast for one layer; what it hands on has the number format that it was given."""

    def forward(self, maps: Tensor) -> Tensor:
        if maps.device.type != "cpu" or maps.dtype == torch.float32:
            own: Tensor = super().forward(maps)
            return own
        with torch.autocast("cpu", enabled=False):
            precise: Tensor = super().forward(maps.float())
        return precise.to(maps.dtype)


def keep_float32(network: nn.Module) -> None:
    """Let a network's depthwise convolutions compute in float32 on a CPU, under autocast, too.

    oneDNN has no fast bfloat16 kernel for their gradients: with it a step of EfficientNet-Lite2 took as long
    as in float32, .79 against .76 s, and with these layers alone in float32 .41 to .64 s (2026-11-30, two
    cores with AMX, 8 images of 192 px, several runs). Weights and their names stay as they are.

    Parameters
    ----------
    network
        Changed in place.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.groups > 1:
            kind: Any = _in_float32(type(module))  # type: ignore[arg-type]  # a type is hashable
            module.__class__ = kind


@cache
def _in_float32(layer: type[nn.Module]) -> type[nn.Module]:
    return type(layer.__name__, (_InFloat32, layer), {})
