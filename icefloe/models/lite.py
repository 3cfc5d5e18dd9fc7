"""EfficientNet-Lite as encoders of segmentation-models-pytorch, as their published weights expect them."""

from icefloe.models import _torchvision  # noqa: F401  before anything imports torchvision

# isort: split
from typing import Any

from segmentation_models_pytorch.encoders import encoders
from segmentation_models_pytorch.encoders.timm_efficientnet import EfficientNetLiteEncoder
from torch import nn

NAMES = {f"efficientnet-lite{size}": f"timm-tf_efficientnet_lite{size}" for size in (0, 1, 2)}
"""Our names and the library's, which warns of the prefix `timm-` at each use."""

EPSILON = 1e-3
"""Of TensorFlow, where these were trained. A quarter of the first layers' channels have a variance of 0: with
PyTorch's 1e-5 batch norm would amplify what is left of them ten times as much."""


class LiteEncoder(EfficientNetLiteEncoder):  # type: ignore[misc]  # smp has no types
    """EfficientNet-Lite with TensorFlow's epsilon and without the layers that feed a classifier."""

    def __init__(self, **choices: Any) -> None:
        super().__init__(**choices)
        del self.conv_head, self.bn2
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps = EPSILON

    def load_state_dict(self, state_dict: Any, **options: Any) -> Any:
        """Load the published weights, whose classifier and what feeds it have no place here."""
        unused = ("conv_head.", "bn2.", "classifier.")
        features = {name: value for name, value in state_dict.items() if not name.startswith(unused)}
        return super().load_state_dict(features, **options)


def register() -> None:
    """Register the encoders with segmentation-models-pytorch under their names."""
    for name, library_name in NAMES.items():
        encoders[name] = {**encoders[library_name], "encoder": LiteEncoder}
