"""Simulated micrographs with the truth, and pre-segmentations whose errors are to be mended."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.draw import disk

from icefloe.simulate.nanoparticles import NanoparticleSpec, simulate_nanoparticles
from icefloe.typing import MaskArray

SIDE = 512
GOOD_DICE = 0.99
MOST_STROKES = 40
LEAST_SPECK = 10
"""Pixels; the smallest specks that tasks have are 21."""
WINDOW = {"width": 1280, "height": 800}

Region = NDArray[np.bool_]


@dataclass(frozen=True)
class Task:
    """An image to correct.

    Attributes
    ----------
    image : uint16, shape (SIDE, SIDE)
    truth, presegmentation : uint8, shape (SIDE, SIDE)
        The right mask, and the one to begin with.
    missed, false, borders
        Particles that are missing, specks and particles that are none, and borders in the wrong place.
    """

    image: NDArray[np.uint16]
    truth: MaskArray
    presegmentation: MaskArray
    missed: int
    false: int
    borders: int


@dataclass(frozen=True)
class Corrected:
    """What came of a task.

    Attributes
    ----------
    before, after
        Dice of the pre-segmentation, and of the mask that was handed in.
    actions
        Strokes and keys.
    script_s
        From the first picture until the mask was taken, as the script took it.
    person_s
        The same for a person, by the keystroke-level model.
    mask : uint8, shape (SIDE, SIDE)
        That was handed in.
    """

    before: float
    after: float
    actions: int
    script_s: float
    person_s: float
    mask: MaskArray


def make_task(seed: int) -> Task:
    """Nanoparticles as somebody's network might segment them: some missed, some false, some borders wrong."""
    rng = np.random.default_rng(seed)
    spec = NanoparticleSpec(size_px=SIDE, coverage=0.12, radius_nm=8.0, spread=0.25)
    micrograph = simulate_nanoparticles(spec, rng)
    truth = micrograph.mask.astype(np.uint8)
    mask = truth.copy()
    labels, n_particles = ndimage.label(truth)
    chosen = rng.permutation(np.arange(1, n_particles + 1))[:4]
    n_missed = int(rng.integers(1, 3))
    for label in chosen[:n_missed]:
        mask[labels == label] = 0
    for label in chosen[n_missed:]:
        _move_border(mask, labels == label, rng)
    free = ndimage.distance_transform_edt((truth | mask) == 0)
    n_specks, n_false = int(rng.integers(2, 6)), int(rng.integers(0, 2))
    for radius in [2.5] * n_specks + [9.0] * n_false:
        places = np.argwhere(free > radius + 6)
        place = places[rng.integers(len(places))]
        mask[disk(place, radius, shape=mask.shape)] = 1
        free = np.minimum(free, np.hypot(*(np.indices(free.shape) - place[:, None, None])) - radius)
    borders = len(chosen) - n_missed
    return Task(micrograph.image, truth, mask, n_missed, n_specks + n_false, borders)


def _move_border(mask: MaskArray, particle: Region, rng: np.random.Generator) -> None:
    """Put one side of a particle's border some pixels in or out."""
    rows, columns = np.indices(mask.shape)
    row, column = ndimage.center_of_mass(particle)
    angle = rng.uniform(0, 2 * np.pi)
    side = (rows - row) * np.sin(angle) + (columns - column) * np.cos(angle) > 0
    steps = int(rng.integers(3, 6))
    if rng.random() < 0.5:
        mask[particle & side & ~ndimage.binary_erosion(particle, iterations=steps)] = 0
    else:
        mask[ndimage.binary_dilation(particle, iterations=steps) & side] = 1


def largest_error(mask: MaskArray, truth: MaskArray) -> tuple[Region, bool]:
    """The largest region that is wrong, and whether it is too much (else it is missing)."""
    regions = [(truth & ~mask & 1).astype(bool), (mask & ~truth & 1).astype(bool)]
    found = [(region, erase) for region, erase in zip(map(_largest, regions), (False, True), strict=True)]
    return max(found, key=lambda one: one[0].sum())


def _largest(region: Region) -> Region:
    labels, n_regions = ndimage.label(region)
    if n_regions == 0:
        return region
    largest: Region = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
    return largest


def n_false(mask: MaskArray, truth: MaskArray) -> int:
    """Specks and particles in a mask where there is nothing; slivers along a border are none."""
    labels, _ = ndimage.label(mask == 1)
    sizes = np.bincount(labels.ravel())
    sizes[[0, *np.unique(labels[truth == 1])]] = 0
    return int((sizes >= LEAST_SPECK).sum())


def dice(mask: MaskArray, truth: MaskArray) -> float:
    """Dice of two masks, by their class 1."""
    both = np.logical_and(mask == 1, truth == 1).sum()
    return float(2 * both / ((mask == 1).sum() + (truth == 1).sum()))
