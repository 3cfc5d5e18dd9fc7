"""Simulated micrographs as a network sees them, in batches without end."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icefloe.imaging.preprocess import Preprocessing
from icefloe.imaging.region import two_phase_region
from icefloe.simulate.micrograph import Micrograph
from icefloe.simulate.wide import KINDS, micrographs
from icefloe.typing import FloatArray, MaskArray

REGION_SHARE = 0.5
"""Of ice images whose bright background is blanked, as in the published ones."""

MIN_LEFT = 0.95
"""Least part of the ice that blanking has to leave; where it takes more for background, it is not done."""


@dataclass(frozen=True)
class SimulatedBatch:
    """What one step of pre-training sees.

    Attributes
    ----------
    images : float32, shape (B, S, S)
        Preprocessed.
    clean : float32, shape (B, S, S)
        The same without noise.
    masks : uint8, shape (B, S, S)
        1 on the objects.
    kinds : int64, shape (B,)
        Index into `KINDS`.
    """

    images: FloatArray
    clean: FloatArray
    masks: MaskArray
    kinds: NDArray[np.int64]


def simulated_batch(batch_size: int, size_px: int, seed: int, number: int) -> SimulatedBatch:
    """The `number`-th batch of the stream of `seed`; the same arguments give the same batch.

    Parameters
    ----------
    batch_size
        Images in it.
    size_px
        Their side, a multiple of 32.
    seed, number
        Which stream and which of its batches.
    """
    rng = np.random.default_rng((seed, number))
    seen: list[tuple[FloatArray, FloatArray, MaskArray]] = []
    kinds: list[int] = []
    while len(seen) < batch_size:
        kind, specimen = micrographs(rng, size_px)
        blank = kind == "ice" and rng.random() < REGION_SHARE
        seen += [_as_seen(made, size_px, blank, rng) for made in specimen]
        kinds += [KINDS.index(kind)] * len(specimen)
    images, clean, masks = (np.stack(part[:batch_size]) for part in zip(*seen, strict=True))
    return SimulatedBatch(images, clean, masks, np.array(kinds[:batch_size]))


def _as_seen(
    made: Micrograph, size_px: int, blank: bool, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, MaskArray]:
    """Normalised as a whole, like any image, then a window of it at slightly other contrast."""
    pedestal = rng.uniform(0.0, 1.0) * float(made.image.min())
    noisy = made.image.astype(np.float32) - np.float32(pedestal)
    clean = made.clean.astype(np.float32) - np.float32(pedestal)
    if blank:
        blanked, region = two_phase_region(noisy)
        ice = made.mask == 1
        if np.count_nonzero(ice & region) >= MIN_LEFT * np.count_nonzero(ice):
            noisy, clean = blanked, np.where(region, clean, np.float32(0))
    preprocessing = Preprocessing(size=len(noisy))
    top, left = rng.integers(0, len(noisy) - size_px + 1, 2)
    window = slice(top, top + size_px), slice(left, left + size_px)
    contrast, offset = np.float32(np.exp(rng.uniform(-0.4, 0.4))), np.float32(rng.uniform(-0.3, 0.3))
    seen, target = (
        preprocessing.apply(image, ["region"])[0][window] * contrast + offset for image in (noisy, clean)
    )
    return seen, target, made.mask[window]
