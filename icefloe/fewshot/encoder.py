"""The zoo's encoders as they look at chips: grey, pre-trained, never trained on the user's image."""

import hashlib
from typing import Any

import torch
from torch import Tensor

from icefloe.fewshot.embedding_spec import EncoderSpec
from icefloe.files import sha256_file
from icefloe.models.spec import MemberSpec
from icefloe.models.weights import weights_file
from icefloe.models.zoo import build
from icefloe.typing import WeightsMirror

_STAGES = (64, 48, 32)
"""Three stages, which all weights of the zoo have; the widths are of a decoder that is not used."""

_FIRST = 2
"""Of an encoder's maps: its input, strides 2, 4 and 8. Those of 4 and 8 are used."""

STRIDE = 8
"""Px of the input a side, of a cell of the coarsest map."""


class Encoder:
    """Feature maps of grey images.

    Parameters
    ----------
    spec
        Which encoder.
    weights_dir
        Mirror of pre-trained weights: a folder or `s3://bucket/prefix`.
    device
        Such as `cpu`; by default a GPU where there is one.

    Raises
    ------
    IcefloeError
        If there is no such encoder, or its weights are not there or don't fit.

    Attributes
    ----------
    sha256
        Hash of the weights and what is used of them.
    notes
        A warning where the weights are random.
    """

    def __init__(
        self, spec: EncoderSpec, weights_dir: WeightsMirror | None = None, device: str | None = None
    ) -> None:
        member = MemberSpec(encoder=spec.encoder, weights=spec.weights, decoder_channels=_STAGES)
        network: Any = build(member, 2, weights_dir)
        self.spec = spec
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self._network = network.encoder.eval().requires_grad_(False).to(self.device)
        untrained = spec.weights == "none"
        content = (
            "untrained" if untrained else sha256_file(weights_file(spec.encoder, spec.weights, weights_dir))
        )
        self.sha256 = hashlib.sha256(f"{spec.encoder} {content} {_FIRST} {len(_STAGES)}".encode()).hexdigest()
        self.notes = (
            (
                f"{spec.encoder} is untrained: its random filters tell brightness and coarse texture apart, "
                "little else. Use weights that were trained.",
            )
            if untrained
            else ()
        )

    @torch.inference_mode()
    def maps(self, images: Tensor) -> list[Tensor]:
        """Feature maps, from fine to coarse.

        Parameters
        ----------
        images : float32, shape (B, 1, H, W)
            Of mean 0 and standard deviation 1, H and W multiples of `STRIDE`.

        Returns
        -------
        list of float32 tensors, shape (B, C, H / 4, W / 4) and (B, C', H / 8, W / 8)
        """
        maps: list[Tensor] = self._network(images.to(self.device))
        return maps[_FIRST:]
