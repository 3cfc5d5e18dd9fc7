"""Types shared by all rooms."""

from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float32]
MaskArray: TypeAlias = NDArray[np.uint8]

IGNORE = 255
"""Mask value of pixels that count neither in training nor in any metric."""

Place: TypeAlias = Path | str
"""A folder, or `s3://bucket/prefix`."""

WeightsMirror: TypeAlias = Place
"""Source of pre-trained weights: a folder, or `s3://bucket/prefix`."""

Views: TypeAlias = Literal[1, 4, 8]
"""Sides from which a network looks at an image before its logits are averaged: the image as it is; that and
its three flips; or all eight flips and quarter turns."""
