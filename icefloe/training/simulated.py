"""Simulated micrographs as a network sees them, in batches without end."""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from icefloe.imaging.preprocess import Normalisation, Preprocessing
from icefloe.imaging.region import two_phase_region
from icefloe.simulate.micrograph import Micrograph
from icefloe.simulate.wide import KINDS, micrographs
from icefloe.training.data import PreparedImages
from icefloe.typing import FloatArray, MaskArray

REGION_SHARE = 0.5
"""Of ice images whose bright background is blanked, as in the published ones."""

SQUARE_SHARE, MIN_ASPECT = 0.5, 0.75
"""Of ice images that are square, and the least aspect ratio of the others; they are padded like real ones."""

N_PARTS, PART = 32, 8
"""Images that a training mixes into its batches: so many parts of so many, made side by side."""

MIN_LEFT = 0.95
"""Least part of the ice that blanking has to leave; where it takes more for background, it is not done."""


@dataclass(frozen=True)
class SimulatedBatch:
    """Batch of one step of pre-training.

    Attributes
    ----------
    images : float32, shape (B, S, S)
        Preprocessed noisy images.
    masks : uint8, shape (B, S, S)
        1 on the objects, 255 on padding.
    kinds : int64, shape (B,)
        Kind of each image, as an index into `KINDS`.
    """

    images: FloatArray
    masks: MaskArray
    kinds: NDArray[np.int64]

    def prepared(self, first: int = 0) -> PreparedImages:
        """The images as a training takes them, numbered from `first`."""
        keys = tuple(f"simulated/{number}" for number in range(first, first + len(self.images)))
        return PreparedImages(keys, tuple(self.images), tuple(self.masks))


def simulated_batch(
    batch_size: int, size_px: int, seed: int, number: int, normalise: Normalisation = "zscore"
) -> SimulatedBatch:
    """The `number`-th batch of the stream of `seed`; the same arguments give the same batch.

    Parameters
    ----------
    batch_size
        Number of images in the batch.
    size_px
        Side of the images in px, a multiple of 32.
    seed, number
        Seed of the stream, and number of the batch in it.
    normalise
        Normalisation of the images, as in `Preprocessing`.
    """
    rng = np.random.default_rng((seed, number))
    examples: list[tuple[FloatArray, MaskArray]] = []
    kinds: list[int] = []
    while len(examples) < batch_size:
        kind, specimen = micrographs(rng, size_px)
        examples += [_example(kind, made, size_px, normalise, rng) for made in specimen]
        kinds += [KINDS.index(kind)] * len(specimen)
    images, masks = (np.stack(part[:batch_size]) for part in zip(*examples, strict=True))
    return SimulatedBatch(images, masks, np.array(kinds[:batch_size]))


def simulated_images(how: Preprocessing, seed: int) -> PreparedImages:
    """The `N_PARTS` times `PART` images that a training mixes into its batches, see `simulated_part`."""
    return joined(simulated_part(how, seed, number) for number in range(N_PARTS))


def simulated_part(how: Preprocessing, seed: int, number: int) -> PreparedImages:
    """Part of the simulated micrographs of a training: class 1 is what they show, whatever it is.

    Parameters
    ----------
    how
        The training's preprocessing: side of its inputs, and their normalisation.
    seed, number
        Seed of the images, and number of the part, from 0; with the preprocessing they fix every pixel.
    """
    return simulated_batch(PART, how.size, seed, number, how.normalise).prepared(number * PART)


def joined(parts: Iterable[PreparedImages]) -> PreparedImages:
    """All images of some parts."""
    made = list(parts)
    return PreparedImages(
        tuple(key for part in made for key in part.keys),
        tuple(image for part in made for image in part.images),
        tuple(mask for part in made for mask in part.masks),
    )


@contextmanager
def stream(
    batch_size: int, size_px: int, seed: int, first: int = 0, workers: int = 0
) -> Iterator[Iterator[SimulatedBatch]]:
    """Endless batches, in order.

    Parameters
    ----------
    batch_size, size_px, seed
        Size and seed of the batches, as in `simulated_batch`.
    first
        Number of the first batch.
    workers
        Processes that make them ahead of time; 0 makes each when it is asked for. The batches are the same.
    """
    if not workers:
        yield (simulated_batch(batch_size, size_px, seed, number) for number in itertools.count(first))
        return

    def in_order(pool: ProcessPoolExecutor) -> Iterator[SimulatedBatch]:
        ahead: deque[Future[SimulatedBatch]] = deque()
        for number in itertools.count(first):
            ahead.append(pool.submit(simulated_batch, batch_size, size_px, seed, number))
            if len(ahead) > 2 * workers:
                yield ahead.popleft().result()

    # Not forked: torch's threads in this process may hold locks.
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        yield in_order(pool)
    finally:
        pool.shutdown(cancel_futures=True)


def _example(
    kind: str, made: Micrograph, size_px: int, normalise: Normalisation, rng: np.random.Generator
) -> tuple[FloatArray, MaskArray]:
    """The image normalised as a whole, then a window of it with slightly different contrast."""
    pedestal = rng.uniform(0.0, 1.0) * float(made.image.min())
    noisy = made.image.astype(np.float32) - np.float32(pedestal)
    if kind == "ice" and rng.random() < REGION_SHARE:
        blanked, region = two_phase_region(noisy)
        ice = made.mask == 1
        if np.count_nonzero(ice & region) >= MIN_LEFT * np.count_nonzero(ice):
            noisy = blanked
    side = len(noisy)
    frame = _frame(side, rng) if kind == "ice" else (slice(None), slice(None))
    preprocessing = Preprocessing(size=side, normalise=normalise)
    top, left = rng.integers(0, side - size_px + 1, 2)
    window = slice(top, top + size_px), slice(left, left + size_px)
    contrast, offset = np.float32(np.exp(rng.uniform(-0.4, 0.4))), np.float32(rng.uniform(-0.3, 0.3))
    image, geometry = preprocessing.apply(noisy[frame], ["region"])
    mask = geometry.place_mask(np.ascontiguousarray(made.mask[frame]))
    return image[window] * contrast + offset, mask[window]


def _frame(side: int, rng: np.random.Generator) -> tuple[slice, slice]:
    """Rows and columns that an oblong detector shows: an aperture may reach beyond it."""
    if rng.random() < SQUARE_SHARE:
        return slice(None), slice(None)
    length = round(side * rng.uniform(MIN_ASPECT, 1.0))
    first = int(rng.integers(0, side - length + 1))
    cut = slice(first, first + length)
    return (cut, slice(None)) if rng.random() < 0.5 else (slice(None), cut)
