"""The members' networks on one device: from network inputs to logits and features."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from icefloe.errors import IcefloeError
from icefloe.models.spec import MemberSpec
from icefloe.models.views import view_logits
from icefloe.models.zoo import build, pooled
from icefloe.stopwatch import part
from icefloe.typing import FloatArray, Views

Precision = Literal["fp32", "bf16"]
"""Arithmetic of the networks. bf16 is autocast: weights stay float32, and so do the logits handed out. It is
for processors that compute in it (Tensor cores, AMX, AVX512-BF16); elsewhere it is emulated and slow."""


def load_network(spec: MemberSpec, n_classes: int, weights: Path) -> nn.Module:
    """A trained member in evaluation mode, on the CPU.

    Raises
    ------
    IcefloeError
        If the file cannot be read as safetensors, or its tensors are not this network's.
    """
    # The file replaces all weights, so a trained member loads without the published ones.
    network = build(spec.model_copy(update={"weights": "none"}), n_classes)
    try:
        network.load_state_dict(load_file(weights))
    except FileNotFoundError as error:
        raise IcefloeError(f"{weights}: the weights are missing. Train {spec.name} again.") from error
    except SafetensorError as error:
        raise IcefloeError(f"{weights}: not a readable safetensors file ({error}). Copy it again.") from error
    except RuntimeError as error:
        raise IcefloeError(
            f"{weights}: the tensors are not those of {spec.name} with {n_classes} classes. "
            "Name the file of that member."
        ) from error
    return network.eval()


class Engine:
    """Runs all members on a batch.

    On one device, with one number of threads and one batch size, results repeat bit for bit; another batch
    size may change the last digits, as torch then chooses other kernels.

    Parameters
    ----------
    networks
        Networks loaded by `load_network`.
    device
        A torch device, or `auto`: the GPU if there is one.
    precision
        Number format of the networks' arithmetic.
    """

    def __init__(
        self, networks: Sequence[nn.Module], device: str = "auto", precision: Precision = "fp32"
    ) -> None:
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self._device = torch.device(device)
        self._precision = precision
        self._networks = [
            network.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
            for network in networks
        ]

    def run(self, squares: FloatArray, views: Views = 1) -> tuple[FloatArray, FloatArray]:
        """Logits and encoder features.

        Parameters
        ----------
        squares : float32, shape (B, S, S)
            Preprocessed images.
        views
            Number of flips and transpositions of each image over which logits are averaged.

        Returns
        -------
        logits : float32, shape (M, B, S, S) when binary, else (M, B, C, S, S)
            Members' logits, before any temperature.
        features : float32, shape (B, F)
            Encoder features (`icefloe.models.zoo.encode`) of each member, side by side, without running the
            encoder twice; of the image as it is, whatever the views.
        """
        batch = torch.as_tensor(squares).unsqueeze(1)
        batch = batch.to(self._device, memory_format=torch.channels_last)
        logits, features = [], []
        with (
            part("members"),
            torch.inference_mode(),
            torch.autocast(self._device.type, torch.bfloat16, enabled=self._precision == "bf16"),
        ):
            for network in self._networks:
                member_logits, member_features = _forward(network, batch, views)
                logits.append(member_logits.cpu().numpy())
                features.append(member_features.float().cpu().numpy())
        stacked = np.stack(logits)
        return (stacked[:, :, 0] if stacked.shape[2] == 1 else stacked), np.concatenate(features, axis=1)


def _forward(network: nn.Module, batch: Tensor, views: Views) -> tuple[Tensor, Tensor]:
    features: list[Tensor] = []

    def pool(_encoder: nn.Module, _inputs: Any, maps: Sequence[Tensor]) -> None:
        features.append(pooled(maps[-1].float()))

    encoder: Any = network.encoder
    handle = encoder.register_forward_hook(pool)
    try:
        logits = view_logits(network, batch, views)
    finally:
        handle.remove()
    return logits, features[0]
