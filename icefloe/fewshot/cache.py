"""Embeddings kept on disk: made once for an image, grid and encoder, however often the supports change."""

import hashlib
import io
from pathlib import Path

import numpy as np

from icefloe.files import write_bytes_atomic
from icefloe.typing import FloatArray

MOST_BYTES = 2**30
"""Size of the folder; what was used longest ago goes first."""


class Cache:
    """A folder of arrays by what they were made of.

    Parameters
    ----------
    folder
        Made when the first array comes; safe to delete.
    most_bytes
        Size that it is kept below.
    """

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self.folder, self.most_bytes = folder, most_bytes

    def get(self, *key: str) -> FloatArray | None:
        """The array made of this, float32; None where it is not here or damaged."""
        path = self._path(key)
        try:
            found = np.load(path, allow_pickle=False)
            path.touch()
        except (OSError, ValueError, EOFError):
            return None
        return found if found.dtype == np.float32 and found.ndim == 2 else None

    def put(self, array: FloatArray, *key: str) -> None:
        """Keep an array, and remove the oldest ones beyond the size."""
        content = io.BytesIO()
        np.save(content, array, allow_pickle=False)
        write_bytes_atomic(self._path(key), content.getvalue())
        self._trim()

    def _path(self, key: tuple[str, ...]) -> Path:
        name = hashlib.sha256("\n".join(key).encode()).hexdigest()
        return self.folder / f"{name}.npy"

    def _trim(self) -> None:
        # Another process may remove the same files.
        files = []
        for path in self.folder.glob("*.npy"):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            files.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files)[:-1]:
            if total <= self.most_bytes:
                return
            path.unlink(missing_ok=True)
            total -= size
