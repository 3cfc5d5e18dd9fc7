"""Makes torchvision importable with a torch that its compiled operators were not built for.

torchvision registers shape functions for `nms` and `qnms` when it is imported, and fails if its compiled
operators, which define them, cannot be loaded (a CPU torch beside a CUDA torchvision, for one). The encoders
use none of these operators, so defining their signatures is enough.
"""

import importlib.util
from pathlib import Path

import torch

_SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_OPERATORS = ("nms", "qnms")


def _load_compiled_operators() -> None:
    """Load torchvision's own operators, as its import would a moment later, if they can be loaded."""
    specification = importlib.util.find_spec("torchvision")
    if specification is None or specification.origin is None:
        return
    for library in Path(specification.origin).parent.glob("_C.*"):
        try:
            torch.ops.load_library(library)
        except OSError:
            return


def _define_missing_operators() -> torch.library.Library:
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in _OPERATORS:
        if not hasattr(torch.ops.torchvision, name):
            library.define(name + _SIGNATURE)
    return library


if not hasattr(torch.ops.torchvision, "nms"):
    _load_compiled_operators()
_library = _define_missing_operators()  # the definitions vanish when this object does
