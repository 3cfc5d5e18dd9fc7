"""Chips to vectors: an encoder's features, chip by chip or from one pass over the image, and brightness."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from icefloe.fewshot.brightness import with_brightness
from icefloe.fewshot.cache import Cache
from icefloe.fewshot.embedding_spec import EmbeddingSpec, WayName
from icefloe.fewshot.encoder import STRIDE, Encoder
from icefloe.fewshot.grid import Grid
from icefloe.fewshot.source import checked, image_hash
from icefloe.progress import SILENT, Progress
from icefloe.typing import FloatArray

LARGEST_CHIP, SMALLEST_CHIP = 96, 32
"""Edge in px to which a chip is brought, at most and at least, where each goes through the encoder."""

DENSE_CHIP = 64
"""Edge in px to which chips are brought by the one pass over the image, unless that makes it too large."""

DENSE_PIXELS = 2**20
"""Most px of that pass; its time and memory don't grow beyond."""

SURROUNDINGS = 2
"""Width of a chip with its surroundings, in chips."""

_BATCH = 64
VERSION = "2"
"""Changes whenever the same chips get other embeddings, so that old ones are not found in the cache."""


class Way(Protocol):
    """Makes vectors of an image's chips."""

    def embed(
        self, image: FloatArray, grid: Grid, encoder: Encoder, scales: tuple[int, ...], progress: Progress
    ) -> FloatArray:
        """Embed all chips of a grid.

        Parameters
        ----------
        image : float32, shape (H, W)
            Of mean 0 and standard deviation 1.
        grid
            Where the chips are.
        encoder
            Gives the features.
        scales
            Widths of what is looked at, in chips: 1 and, with surroundings, 2.
        progress
            Told of chips that are done.

        Returns
        -------
        float32, shape (n_chips, F)
        """
        ...


class PerChip:
    """Each chip by itself through the encoder; what lies beyond the image is its mirror image."""

    def embed(
        self, image: FloatArray, grid: Grid, encoder: Encoder, scales: tuple[int, ...], progress: Progress
    ) -> FloatArray:
        """See `Way`."""
        parts = []
        for scale in scales:
            what = "embedding chips" if scale == 1 else "embedding surroundings"
            done = 0
            of_scale = []
            for batch in self._batches(image, grid, scale):
                maps = encoder.maps(batch)
                of_scale.append(torch.cat([one.mean((2, 3)) for one in maps], dim=1).cpu())
                done += len(batch)
                progress.advance(what, done, grid.n_chips)
            parts.append(torch.cat(of_scale).numpy())
        return np.concatenate(parts, axis=1)

    def _batches(self, image: FloatArray, grid: Grid, scale: int) -> Iterator[Tensor]:
        margin = (scale - 1) * grid.edge // 2
        width = grid.edge + 2 * margin
        padded = np.pad(image, margin, mode="symmetric") if margin else image
        side = int(np.clip(-(-grid.edge // STRIDE) * STRIDE, SMALLEST_CHIP, LARGEST_CHIP))
        for begin in range(0, grid.n_chips, _BATCH):
            corners = map(grid.corner, range(begin, min(begin + _BATCH, grid.n_chips)))
            windows = np.stack([padded[top : top + width, left : left + width] for top, left in corners])
            yield _resized(torch.from_numpy(windows)[:, None], side, side)


class Dense:
    """One pass over the image; each chip's vector is the mean of the features over its area."""

    def embed(
        self, image: FloatArray, grid: Grid, encoder: Encoder, scales: tuple[int, ...], progress: Progress
    ) -> FloatArray:
        """See `Way`."""
        progress.advance("embedding the image", 0, 1)
        height, width = image.shape
        factor = min(DENSE_CHIP / grid.edge, (DENSE_PIXELS / (height * width)) ** 0.5)
        size = [max(round(length * factor / STRIDE), 1) * STRIDE for length in (height, width)]
        maps = self._maps(_resized(torch.from_numpy(image)[None, None], *size), encoder)
        parts = []
        for scale in scales:
            for one in maps:
                down = _shares(grid.height, grid.top, grid.edge, grid.rows, scale, one.shape[2])
                across = _shares(grid.width, grid.left, grid.edge, grid.columns, scale, one.shape[3])
                means = torch.einsum("rh,chw,qw->rqc", down.to(one.device), one[0], across.to(one.device))
                parts.append(means.reshape(grid.n_chips, -1).cpu().numpy())
        progress.advance("embedding the image", 1, 1)
        return np.concatenate(parts, axis=1)

    def _maps(self, images: Tensor, encoder: Encoder) -> list[Tensor]:
        """The maps as they would be if the image went on: an encoder sees a step to 0 at its rim."""
        margin = 4 * STRIDE
        mode = "reflect" if min(images.shape[2:]) > margin else "replicate"
        wide = encoder.maps(pad(images, (margin,) * 4, mode=mode))
        rims = [margin * one.shape[2] // (images.shape[2] + 2 * margin) for one in wide]
        return [one[:, :, rim:-rim, rim:-rim] for one, rim in zip(wide, rims, strict=True)]


WAYS: dict[WayName, Way] = {"dense": Dense(), "chips": PerChip()}


def embed(
    image: FloatArray,
    grid: Grid,
    encoder: Encoder,
    spec: EmbeddingSpec,
    cache: Cache | None = None,
    progress: Progress = SILENT,
) -> FloatArray:
    """Vectors of all chips of an image, from the cache where they were made before.

    The image is brought to mean 0 and standard deviation 1 as a whole, so that bright and dark chips stay
    apart, and images of other exposures compare.

    Parameters
    ----------
    image : float32, shape (H, W)
        As read.
    grid
        Where the chips are.
    encoder
        The one that `spec` names.
    spec
        How chips become vectors.
    cache
        Where vectors are kept; None: nowhere.
    progress
        Told of what is done.

    Returns
    -------
    float32, shape (n_chips, F)

    Raises
    ------
    IcefloeError
        If the image is of one value, has NaN or infinite pixels, or is not the grid's size.
    """
    grid.check(checked(image))
    scales = (1, SURROUNDINGS) if spec.surroundings else (1,)
    key = VERSION, image_hash(image), grid.model_dump_json(), encoder.sha256, spec.way, str(scales)
    if cache is not None and (known := cache.get(*key)) is not None and len(known) == grid.n_chips:
        return known
    standard = _standardised(image)
    made = with_brightness(WAYS[spec.way].embed(standard, grid, encoder, scales, progress), standard, grid)
    if cache is not None:
        cache.put(made, *key)
    return made


def _standardised(image: FloatArray) -> FloatArray:
    mean, deviation = image.mean(dtype=np.float64), image.std(dtype=np.float64)
    return ((image - mean) / deviation).astype(np.float32)


def _resized(images: Tensor, height: int, width: int) -> Tensor:
    if images.shape[2:] == (height, width):
        return images
    return interpolate(images, (height, width), mode="bilinear", antialias=True, align_corners=False)


def _shares(length: int, begin: int, edge: int, n_chips: int, scale: int, n_cells: int) -> Tensor:
    """Share of each cell of a map in each chip's mean, along one axis; float32, shape (n_chips, n_cells).

    Cells at a chip's rim count with the part that lies within.
    """
    rims = np.linspace(0, length, n_cells + 1)
    margin = (scale - 1) * edge / 2
    low = begin + edge * np.arange(n_chips)[:, None] - margin
    high = low + edge + 2 * margin
    overlap = np.clip(np.minimum(rims[1:], high) - np.maximum(rims[:-1], low), 0, None)
    return torch.from_numpy((overlap / overlap.sum(axis=1, keepdims=True)).astype(np.float32))
