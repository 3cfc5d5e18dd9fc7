"""Images of known textures, and embeddings without an encoder."""

import numpy as np
import pytest

from icefloe.fewshot.embedding_spec import EncoderSpec
from icefloe.fewshot.encoder import Encoder
from icefloe.fewshot.grid import Grid


@pytest.fixture(scope="session")
def encoder():
    """The default encoder; its weights are installed with the package."""
    return Encoder(EncoderSpec(), device="cpu")


@pytest.fixture
def mosaic():
    """Two textures of equal mean and variance, left and right; image (128, 128), and classes of 64 chips."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:128, :64].astype(np.float32)
    stripes = np.sin(2 * np.pi * (x + y) / 6)
    blobs = np.sin(2 * np.pi * x / 12) * np.sin(2 * np.pi * y / 12)
    image = np.hstack([stripes / stripes.std(), blobs / blobs.std()])
    image = (image + rng.normal(0, 0.5, image.shape)).astype(np.float32)
    grid = Grid(height=128, width=128, edge=16)
    classes = (np.arange(64) % 8 >= 4).astype(int)
    return image, grid, classes
