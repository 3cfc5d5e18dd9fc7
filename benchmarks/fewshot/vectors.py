"""What chips are compared by: encoders, both ways, and vectors that need none."""

from collections.abc import Callable

import numpy as np
from skimage.feature import hog

from benchmarks.fewshot.scenes import Scene
from icefloe.fewshot.cache import Cache
from icefloe.fewshot.embedding import embed
from icefloe.fewshot.embedding_spec import EmbeddingSpec, EncoderSpec, WayName
from icefloe.fewshot.encoder import Encoder
from icefloe.typing import FloatArray

ENCODERS = (
    EncoderSpec(),
    EncoderSpec(encoder="efficientnet-lite2"),
    EncoderSpec(encoder="resnet18", weights="sim"),
)
WAYS: tuple[WayName, ...] = ("dense", "chips")
SPECS = tuple(EmbeddingSpec(encoder=encoder, way=way) for encoder in ENCODERS for way in WAYS)
"""The first is the default."""


def embedded(scene: Scene, spec: EmbeddingSpec, cache: Cache | None = None) -> FloatArray:
    """Vectors by an encoder that comes with Icefloe, float32 (N, F)."""
    return embed(scene.image, scene.grid, Encoder(spec.encoder), spec, cache)


def title(spec: EmbeddingSpec) -> str:
    """In tables."""
    return f"{spec.encoder.encoder}, {spec.encoder.weights}, {spec.way}"


def raw_pixels(scene: Scene) -> FloatArray:
    """Grey values of the chips as they are."""
    return scene.grid.chips(scene.image).reshape(scene.grid.n_chips, -1)


def gradients(scene: Scene) -> FloatArray:
    """Histograms of oriented gradients (Dalal and Triggs 2005): 9 directions, 4 x 4 cells a chip."""
    edge = scene.grid.edge
    chips = scene.grid.chips(scene.image).reshape(-1, edge, edge)
    cell = (edge // 4, edge // 4)
    return np.stack([hog(chip, pixels_per_cell=cell, cells_per_block=(2, 2)) for chip in chips]).astype(
        np.float32
    )


def brightness(scene: Scene) -> FloatArray:
    """Two numbers a chip: mean and standard deviation of its grey values."""
    chips = raw_pixels(scene)
    return np.stack([chips.mean(axis=1), chips.std(axis=1)], axis=1)


PLAIN: dict[str, Callable[[Scene], FloatArray]] = {
    "raw pixels": raw_pixels,
    "HOG": gradients,
    "mean and standard deviation": brightness,
}
"""Vectors that need no network; compared by scikit-learn's nearest centroid, as they are."""
