"""InceptionV3 as an encoder of segmentation-models-pytorch, which has none (it has InceptionV4)."""

from icefloe.models import _torchvision  # noqa: F401  before anything imports torchvision

# isort: split
from functools import partial
from typing import Any

import torch
from segmentation_models_pytorch.encoders import encoders
from segmentation_models_pytorch.encoders._base import EncoderMixin
from timm.layers.conv_bn_act import ConvNormAct
from timm.models.inception_v3 import InceptionB, InceptionD, InceptionV3
from torch import Tensor, nn
from torch.nn import functional

NAME = "inception_v3"

# The epsilon is the one that the published weights expect.
_convolution: Any = partial(ConvNormAct, norm_kwargs={"eps": 1e-3}, act_kwargs={"inplace": True})


class _PaddedB(InceptionB):
    """The 1/8 to 1/16 reduction, padded so that it halves exactly."""

    def forward(self, x: Tensor) -> Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, _halving_pool(x)], 1)


class _PaddedD(InceptionD):
    """The 1/16 to 1/32 reduction, padded so that it halves exactly."""

    def forward(self, x: Tensor) -> Tensor:
        single = self.branch3x3_2(self.branch3x3_1(x))
        long = self.branch7x7x3_2(self.branch7x7x3_1(x))
        long = self.branch7x7x3_4(self.branch7x7x3_3(long))
        return torch.cat([single, long, _halving_pool(x)], 1)


def _halving_pool(x: Tensor) -> Tensor:
    return functional.max_pool2d(x, kernel_size=3, stride=2, padding=1)


class InceptionV3Encoder(InceptionV3, EncoderMixin):  # type: ignore[misc]  # smp has no types
    """timm's InceptionV3 with five feature maps at exactly 1/2 to 1/32 of the input.

    The published network uses unpadded convolutions (299 becomes 149, 147, 73, ...), so its maps neither
    halve nor line up with one another. Padding every 3x3 kernel, as segmentation-models-pytorch does for
    InceptionV4, makes them do both and leaves the weights as they are. Random weights are He's, as in the
    other encoders: timm's own (0.1 for every kernel) grow the signal to 1e8 before batch norm has settled.
    """

    def __init__(self, out_channels: list[int], depth: int = 5, output_stride: int = 32) -> None:
        super().__init__()
        self._depth = depth
        self._in_channels = 3
        self._out_channels = out_channels
        self._output_stride = output_stride
        del self.fc
        self.Mixed_6a = _PaddedB(288, conv_block=_convolution)
        self.Mixed_7a = _PaddedD(768, conv_block=_convolution)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                if module.kernel_size == (3, 3):
                    module.padding = (1, 1)
            elif isinstance(module, nn.MaxPool2d):
                module.padding = 1

    def forward(self, x: Tensor) -> list[Tensor]:
        """Input and features, shapes (B, C_i, H / 2^i, W / 2^i)."""
        features = [x]
        for index, name in enumerate(self.layer_names):
            x = getattr(self, name)(x)
            if index in self.feature_ends:
                features.append(x)
        return features[: self._depth + 1]

    def make_dilated(self, output_stride: int) -> None:
        raise ValueError("InceptionV3 cannot be dilated: it downsamples by pooling.")

    def load_state_dict(self, state_dict: Any, *arguments: Any, **options: Any) -> Any:
        """Load the published weights, whose classifier heads have no place here."""
        features = {
            name: value for name, value in state_dict.items() if not name.startswith(("fc.", "AuxLogits."))
        }
        return super().load_state_dict(features, *arguments, **options)


def register() -> None:
    """Register the encoder with segmentation-models-pytorch under its name."""
    encoders[NAME] = {
        "encoder": InceptionV3Encoder,
        "pretrained_settings": {"imagenet": {"repo_id": "timm/inception_v3.tv_in1k", "revision": "main"}},
        "params": {"out_channels": [3, 64, 192, 288, 768, 2048]},
    }
