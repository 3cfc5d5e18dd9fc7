"""Images and masks from files."""

from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from icefloe.typing import FloatArray, MaskArray

PLAIN = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp")


def is_readable_name(path: Path) -> bool:
    return path.suffix.lower() in PLAIN


def read_image(path: Path) -> FloatArray:
    data = tifffile.imread(path) if path.suffix.lower() in (".tif", ".tiff") else np.asarray(Image.open(path))
    if data.ndim == 3:
        data = data[..., 0]
    return data.astype(np.float32)


def image_shape(path: Path) -> tuple[int, int]:
    return read_image(path).shape


def read_mask(path: Path) -> MaskArray:
    return np.asarray(Image.open(path)).astype(np.uint8)
