"""Atomic columns of a crystal, whole or in a grain, in scanning transmission electron microscopy."""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy import ndimage

from icefloe.simulate.camera import Camera
from icefloe.simulate.checked import CheckedModel
from icefloe.simulate.micrograph import Micrograph, expose
from icefloe.simulate.outline import Outline, reach

HALF_MAXIMUM = float(np.sqrt(2.0 * np.log(2.0)))
"""Half width at half maximum of a Gaussian, in standard deviations."""

Array = NDArray[np.float64]


class LatticeSpec(CheckedModel):
    """A crystal seen along a zone axis, except for its random numbers.

    Attributes
    ----------
    size_px, pixel_size_nm
        Edge of the square image and size of a pixel at the sample.
    a_nm, ratio, angle_deg, rotation_deg
        First edge of the projected cell, second over first, the angle between them, and the first's from
        the columns' axis.
    basis
        Relative intensity of a second column in the middle of the cell; 0: none. In dark field a column's
        intensity goes with about the 1.7th power of its atomic number (Krivanek et al. 2010).
    column_nm
        Standard deviation of a column's Gaussian (probe and thermal motion together).
    strain
        Standard deviation of the columns' displacements by slow strain, in cells.
    vacancies
        Share of columns that are missing.
    grain_nm
        Equivalent radius of the crystalline grain; None: crystal everywhere.
    amorphous
        Intensity around the grain and under it, relative to a column's; a film's grain is half of it.
    thickness_variation
        Relative slow variation of the columns' intensity.
    flyback
        Standard deviation of the scan lines' displacement along the line, in px.
    dark
        Columns are dark on bright, as in bright field.
    camera
        The detector as a camera: its dose is that of the whole scan.
    """

    size_px: int = Field(default=256, ge=32, le=4096)
    pixel_size_nm: float = Field(default=0.02, gt=0)
    a_nm: float = Field(default=0.39, gt=0)
    ratio: float = Field(default=1.0, ge=0.5, le=2)
    angle_deg: float = Field(default=90.0, ge=50, le=130)
    rotation_deg: float = 0.0
    basis: float = Field(default=0.5, ge=0, le=1)
    column_nm: float = Field(default=0.06, gt=0)
    strain: float = Field(default=0.05, ge=0, le=0.5)
    vacancies: float = Field(default=0.02, ge=0, le=1)
    grain_nm: float | None = Field(default=None, gt=0)
    amorphous: float = Field(default=0.1, ge=0, le=1)
    thickness_variation: float = Field(default=0.1, ge=0, le=0.5)
    flyback: float = Field(default=0.0, ge=0, le=5)
    dark: bool = False
    camera: Camera = Camera(dose_e_per_A2=2000.0)


def simulate_lattice(spec: LatticeSpec, rng: np.random.Generator) -> Micrograph:
    """A micrograph of atomic columns, each a Gaussian; its mask is 1 within their half maximum.

    Sums of Gaussians are what simulated training images of columns are commonly made of (Lin et al., Sci.
    Rep. 11, 5386, 2021).

    Parameters
    ----------
    spec
        Specification of the crystal.
    rng
        Source of strain, vacancies, grain, film and noise.
    """
    rows, columns, heights = _columns(spec, rng)
    size = spec.size_px
    slow = 1.0 + spec.thickness_variation * _slow_field(size, rng)
    sigma = spec.column_nm / spec.pixel_size_nm
    intensity, mask = _render(rows, columns, heights, sigma, size)
    film = ndimage.gaussian_filter(rng.standard_normal((size, size)), max(0.5 * sigma, 0.5), mode="wrap")
    signal = intensity * np.maximum(slow, 0.1) + spec.amorphous * np.maximum(
        1.0 + 0.5 * film / film.std(), 0.0
    )
    signal /= signal.max()
    transmitted = 1.0 - 0.8 * signal if spec.dark else 0.05 + signal
    if spec.flyback:
        shifts = np.rint(spec.flyback * rng.standard_normal(size)).astype(int)
        across = (np.arange(size) + shifts[:, None]) % size
        transmitted = np.take_along_axis(transmitted, across, axis=1)
        mask = np.take_along_axis(mask, across, axis=1)
    return expose(transmitted, mask, spec.camera, spec.pixel_size_nm, rng)


def _columns(spec: LatticeSpec, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Rows and columns in px, and heights, of all atomic columns in view."""
    size, pixel = spec.size_px, spec.pixel_size_nm
    turn, angle = np.deg2rad([spec.rotation_deg, spec.rotation_deg + spec.angle_deg])
    a = spec.a_nm / pixel
    cell = np.array([[np.sin(turn), np.sin(angle)], [np.cos(turn), np.cos(angle)]])
    cell = cell * np.array([a, a * spec.ratio])  # columns are the two edges, in px, as (row, column)
    span = np.abs(np.linalg.inv(cell)).sum(axis=1).max() * size / 2.0
    numbers = np.arange(-np.ceil(span), np.ceil(span) + 1.0)
    lattice = np.stack(np.meshgrid(numbers, numbers, indexing="ij")).reshape(2, -1) + rng.uniform(size=(2, 1))
    positions, heights = [cell @ lattice], [np.ones(lattice.shape[1])]
    if spec.basis:
        positions.append(cell @ (lattice + 0.5))
        heights.append(np.full(lattice.shape[1], spec.basis))
    position, height = np.concatenate(positions, axis=1), np.concatenate(heights)
    keep = (np.abs(position) < size / 2.0 + a).all(axis=0) & (rng.uniform(size=len(height)) >= spec.vacancies)
    position, height = position[:, keep], height[keep]
    if spec.grain_nm is not None:
        habit = reach("faceted", rng.uniform(1.0, 1.6), rng.uniform(), 0.05, rng)
        centre = rng.normal(0.0, 0.15 * size * pixel, 2)
        grain = Outline(float(centre[0]), float(centre[1]), rng.uniform(0.0, np.pi), habit)
        inside = grain.depth(position[0] * pixel, position[1] * pixel) < spec.grain_nm
        position, height = position[:, inside], height[inside]
    if spec.strain:
        at = np.clip((position + size / 2.0).astype(int), 0, size - 1)
        position = position + spec.strain * a * np.stack(
            [_slow_field(size, rng)[tuple(at)] for _ in range(2)]
        )
    middle = (size - 1) / 2.0
    return position[0] + middle, position[1] + middle, height


def _render(
    rows: Array, columns: Array, heights: Array, sigma: float, size: int
) -> tuple[Array, NDArray[np.uint8]]:
    """Sum of Gaussians, and discs within their half maximum, each on its own small window."""
    half = int(np.ceil(3.5 * sigma))
    padded = np.zeros((size + 2 * half, size + 2 * half))
    mask = np.zeros(padded.shape, bool)
    first_row, first_column = np.rint(rows).astype(int), np.rint(columns).astype(int)
    visible = (first_row >= 0) & (first_row < size) & (first_column >= 0) & (first_column < size)
    offsets = np.arange(-half, half + 1)
    for row, column, height, r, c in zip(
        rows[visible],
        columns[visible],
        heights[visible],
        first_row[visible],
        first_column[visible],
        strict=True,
    ):
        down, along = (r + offsets - row) / sigma, (c + offsets - column) / sigma
        window = slice(r, r + 2 * half + 1), slice(c, c + 2 * half + 1)
        padded[window] += height * np.exp(-0.5 * down**2)[:, None] * np.exp(-0.5 * along**2)
        mask[window] |= down[:, None] ** 2 + along**2 < HALF_MAXIMUM**2
    inner = slice(half, half + size)
    return padded[inner, inner], mask[inner, inner].astype(np.uint8)


def _slow_field(size: int, rng: np.random.Generator) -> Array:
    """Smooth noise of about unit variance, four cells across."""
    field: Array = ndimage.zoom(
        rng.standard_normal((4, 4)), size / 4, order=3, grid_mode=True, mode="nearest"
    )
    return field
