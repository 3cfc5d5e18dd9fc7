"""Tensors on their way to a worker and back: a folder for each request, removed with its answer."""

import secrets
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icefloe.settings import Settings

IMAGES = "images.npy"


class TensorFolders:
    """Where requests of a workspace have their tensors.

    Parameters
    ----------
    settings
        Settings of the workspace.
    """

    def __init__(self, settings: Settings) -> None:
        self.root = settings.state / "served" / "tensors"

    def add(self, images: NDArray[Any]) -> str:
        """Write images, shape (N, H, W), for a worker; the name of their folder."""
        name = secrets.token_hex(16)
        folder = self.folder(name)
        folder.mkdir(parents=True)
        np.save(folder / IMAGES, images, allow_pickle=False)
        return name

    def folder(self, name: str) -> Path:
        """Folder of a request's tensors."""
        return self.root / name

    def remove(self, name: str) -> None:
        """The request is over."""
        shutil.rmtree(self.folder(name), ignore_errors=True)


def output_file(name: str) -> str:
    """Name of the file of an output: its values, little-endian, row after row."""
    return f"{name}.bin"
