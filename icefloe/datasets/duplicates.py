"""Images that show the same thing twice, which must stand on one side of a split.

Three notions are kept apart. *Exact*: the same pixels, as they are or flipped or turned by 90 degrees.
*Near*: one area of the specimen in two images of a dataset, shifted, at another focus or brightness, as in
crops of one micrograph. *Neighbours in time*: frames of one scene, which are all alike; time blocks
(`splits`) deal with them, and no near duplicates are looked for in such a dataset.
"""

import hashlib
import itertools
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import fft, ndimage
from skimage.transform import resize

from icefloe.datasets.dataset import Sample
from icefloe.typing import FloatArray

THUMBNAIL = 128
"""Longest edge in pixels at which areas are compared."""
FINE_DETAIL = 2.0
"""Standard deviation in thumbnail pixels of the blur that is taken off, so that brightness does not count."""
MIN_OVERLAP = 0.15
"""Least part of an image that must recur for two images to be near duplicates."""
MIN_PEAK = 7.0
"""How far the correlation at one shift must stand out, in standard deviations over all shifts.

Of 20 crops of nanoparticles those that overlap gave 16, 22 and 42, others at most 5.3. Simulated textures,
particles and noise that do not overlap gave at most 5.8, lattices 3.2.
"""
ONE_SCENE = 0.5
"""Median correlation of coarse thumbnails above which a dataset is taken for frames of one scene."""


@dataclass(frozen=True)
class DuplicateGroup:
    """Images that show the same thing.

    Attributes
    ----------
    kind
        `exact`: identical pixels; `turned`: identical after flips or turns; `near`: one area of the specimen.
    keys
        Sample keys, in time order.
    """

    kind: Literal["exact", "turned", "near"]
    keys: tuple[str, ...]


def find_groups(samples: Sequence[Sample]) -> list[DuplicateGroup]:
    """Groups of duplicates among `samples`; near duplicates are looked for within each dataset.

    Parameters
    ----------
    samples
        Of any number of datasets.

    Returns
    -------
    list of DuplicateGroup
        Exact groups first, then turned, then near; a sample may be in a group of each kind.
    """
    alike: dict[Hashable, list[Sample]] = defaultdict(list)
    thumbnails: dict[str, list[FloatArray]] = defaultdict(list)
    members: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        image = sample.image()
        alike[_same_in_any_orientation(image)].append(sample)
        thumbnails[sample.dataset].append(_thumbnail(image))
        members[sample.dataset].append(sample)
    identical = _identical(group for group in alike.values() if len(group) > 1)
    near = []
    for dataset, images in thumbnails.items():
        for positions in near_duplicates(images):
            near.append(DuplicateGroup("near", _keys([members[dataset][position] for position in positions])))
    known = {group.keys for group in identical}
    return [*identical, *(group for group in near if group.keys not in known)]


def identical_groups(samples: Iterable[Sample]) -> list[DuplicateGroup]:
    """The exact and turned groups of `find_groups`, which cost no more than reading every image."""
    alike: dict[Hashable, list[Sample]] = defaultdict(list)
    for sample in samples:
        alike[_same_in_any_orientation(sample.image())].append(sample)
    return _identical(group for group in alike.values() if len(group) > 1)


def near_duplicates(thumbnails: Sequence[FloatArray]) -> list[list[int]]:
    """Positions of images that share an area of the specimen, in groups.

    Two images are linked if their fine detail correlates at one shift far better than at others, with an
    overlap of at least `MIN_OVERLAP`. Frames of one scene all do; they have no groups.

    Parameters
    ----------
    thumbnails : float32, each of shape (h, w), h and w at most `THUMBNAIL`

    Returns
    -------
    list of list of int
        Groups of two and more, in order.
    """
    if len(thumbnails) < 2 or _is_one_scene(thumbnails):
        return []
    spectra = [_Spectrum.of(thumbnail) for thumbnail in thumbnails]
    links = [
        (first, second)
        for first, second in itertools.combinations(range(len(spectra)), 2)
        if _share_an_area(spectra[first], spectra[second])
    ]
    groups = merge_links(links)
    # A chain through most of a dataset is a scan of one scene; kept together it would leave nothing to test.
    return [group for group in groups if len(group) <= max(2, len(thumbnails) // 2)]


def merge_links(links: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    """Sets that the links connect, each sorted: `[(1, 2), (2, 5)]` gives `[[1, 2, 5]]`."""
    group_of: dict[Any, set[Any]] = {}
    for link in links:
        merged = set(link).union(*(group_of.get(member, set()) for member in link))
        for member in merged:
            group_of[member] = merged
    distinct = {id(group): group for group in group_of.values()}
    return sorted(sorted(group) for group in distinct.values())


def _identical(candidates: Iterable[Sequence[Sample]]) -> list[DuplicateGroup]:
    """Exact groups, then turned ones that are no exact ones as well, among images that may be alike."""
    as_is: dict[Hashable, list[Sample]] = defaultdict(list)
    in_any_orientation: dict[Hashable, list[Sample]] = defaultdict(list)
    for sample in itertools.chain.from_iterable(candidates):
        image = sample.image()
        orientations = (np.rot90(flip, k) for flip in (image, image[:, ::-1]) for k in range(4))
        as_is[_fingerprint(image)].append(sample)
        in_any_orientation[min(map(_fingerprint, orientations))].append(sample)
    exact = [DuplicateGroup("exact", _keys(group)) for group in as_is.values() if len(group) > 1]
    known = {group.keys for group in exact}
    turned = [
        DuplicateGroup("turned", _keys(group)) for group in in_any_orientation.values() if len(group) > 1
    ]
    return [*exact, *(group for group in turned if group.keys not in known)]


@dataclass(frozen=True)
class _Spectrum:
    """Transforms that a windowed correlation needs: of the detail, its square, and the image's extent."""

    detail: NDArray[np.complex64]
    square: NDArray[np.complex64]
    window: NDArray[np.complex64]
    n_pixels: int

    @classmethod
    def of(cls, thumbnail: FloatArray) -> "_Spectrum":
        detail = thumbnail - ndimage.gaussian_filter(thumbnail, FINE_DETAIL)
        detail = detail / max(float(detail.std()), np.finfo(np.float32).tiny)
        shape = (2 * THUMBNAIL, 2 * THUMBNAIL)
        return cls(
            detail=fft.rfft2(detail, shape),
            square=fft.rfft2(detail**2, shape),
            window=fft.rfft2(np.ones_like(detail), shape),
            n_pixels=detail.size,
        )


def _share_an_area(one: _Spectrum, other: _Spectrum) -> bool:
    """Whether one shift with enough overlap stands out, in correlation by Padfield's masked formula."""

    def overlap_sum(first: NDArray[np.complex64], second: NDArray[np.complex64]) -> FloatArray:
        return np.asarray(fft.irfft2(first * second.conj(), (2 * THUMBNAIL, 2 * THUMBNAIL)))

    n = np.maximum(overlap_sum(one.window, other.window).round(), 1)
    sum_one, sum_other = overlap_sum(one.detail, other.window), overlap_sum(one.window, other.detail)
    variance_one = overlap_sum(one.square, other.window) - sum_one**2 / n
    variance_other = overlap_sum(one.window, other.square) - sum_other**2 / n
    covariance = overlap_sum(one.detail, other.detail) - sum_one * sum_other / n
    # The floor keeps empty overlaps (aperture, padding) from dividing rounding errors by each other.
    correlation = covariance / np.sqrt(np.maximum(variance_one * variance_other, (1e-2 * n) ** 2))
    enough = n >= MIN_OVERLAP * min(one.n_pixels, other.n_pixels)
    # By chance correlations spread as 1 / sqrt(n); how far beyond that tells of the grain of the texture.
    evidence = (correlation * np.sqrt(n))[enough]
    return bool(evidence.max() > MIN_PEAK * evidence.std())


def _is_one_scene(thumbnails: Sequence[FloatArray]) -> bool:
    height = min(thumbnail.shape[0] for thumbnail in thumbnails)
    width = min(thumbnail.shape[1] for thumbnail in thumbnails)
    coarse = np.stack(
        [
            resize(thumbnail[:height, :width], (height // 4 + 1, width // 4 + 1), anti_aliasing=True).ravel()
            for thumbnail in thumbnails
        ]
    )
    spread = coarse.std(axis=1, keepdims=True)
    coarse = (coarse - coarse.mean(axis=1, keepdims=True)) / np.maximum(spread, np.finfo(np.float32).tiny)
    correlation = coarse @ coarse.T / coarse.shape[1]
    return bool(np.median(correlation[np.triu_indices(len(coarse), 1)]) > ONE_SCENE)


def _thumbnail(image: FloatArray) -> FloatArray:
    scale = min(1.0, THUMBNAIL / max(image.shape))
    height, width = (max(2, round(edge * scale)) for edge in image.shape)
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BOX))


def _same_in_any_orientation(image: FloatArray) -> Hashable:
    """Equal for images that are flips or turns of each other; seldom for others, and quick."""
    bits = np.ascontiguousarray(image).view(np.uint32)
    return tuple(sorted(image.shape)), int(bits.sum(dtype=np.uint64))


def _fingerprint(image: FloatArray) -> tuple[tuple[int, ...], bytes]:
    pixels = np.ascontiguousarray(image)
    return pixels.shape, hashlib.blake2b(pixels.tobytes(), digest_size=16).digest()


def _keys(samples: Sequence[Sample]) -> tuple[str, ...]:
    return tuple(sample.key for sample in samples)
