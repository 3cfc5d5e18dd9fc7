"""Nanoparticles on an amorphous support, in bright field."""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy import ndimage

from icefloe.simulate.camera import Camera
from icefloe.simulate.checked import CheckedModel
from icefloe.simulate.micrograph import Micrograph, expose
from icefloe.simulate.outline import Outline, reach
from icefloe.simulate.scene import INTERACTION_RAD_PER_V_NM, WAVELENGTH_NM

SUPPORT_GRAIN_NM = 0.6
"""Correlation length of an amorphous film's projected potential."""

MAX_TRIES = 20
"""Positions tried for a particle before it is left out as having no room."""

N_HABITS = 5
"""Different outlines in one field of view; the particles have them at all sizes and in all directions."""

Array = NDArray[np.float64]


class NanoparticleSpec(CheckedModel):
    """A field of view of particles on a support, except for its random numbers.

    Attributes
    ----------
    size_px, pixel_size_nm
        Edge of the square image and size of a pixel at the sample.
    coverage
        Share of the field that particles are to cover; where they find no room they cover less.
    radius_nm, spread
        Median radius, and standard deviation of its logarithm: sizes are log-normal, as those of particles
        that coarsen or were deposited are (Granqvist and Buhrman 1976).
    faceting, elongation, roughness
        From round (0) to hexagonal (1), greatest long over short axis, undulation of the edge.
    overlap
        By how much of their radii two particles may come closer than touching.
    mfp_nm
        Mean free path between scattering out of the objective aperture.
    diffraction
        Greatest share of the beam that a grain near a Bragg condition takes away besides.
    potential_v, defocus_um
        Mean inner potential, and focus (positive is underfocus): together the fringe at the edge.
    support_texture, thickness_variation
        Relative standard deviation of the support's grain, and of its slow variation.
    dark
        Bright field; otherwise the contrast is inverted, as in annular dark field.
    camera
        Camera and electron beam.
    """

    size_px: int = Field(default=256, ge=32, le=4096)
    pixel_size_nm: float = Field(default=0.4, gt=0)
    coverage: float = Field(default=0.15, ge=0, le=0.7)
    radius_nm: float = Field(default=5.0, gt=0)
    spread: float = Field(default=0.3, ge=0, le=1)
    faceting: float = Field(default=0.3, ge=0, le=1)
    elongation: float = Field(default=1.2, ge=1, le=3)
    roughness: float = Field(default=0.03, ge=0, le=0.1)
    overlap: float = Field(default=0.1, ge=0, le=1)
    mfp_nm: float = Field(default=15.0, gt=0)
    diffraction: float = Field(default=0.3, ge=0, le=1)
    potential_v: float = Field(default=20.0, ge=0)
    defocus_um: float = Field(default=0.3, ge=-20, le=20)
    support_texture: float = Field(default=0.04, ge=0, le=0.5)
    thickness_variation: float = Field(default=0.02, ge=0, le=0.5)
    dark: bool = True
    camera: Camera = Camera(dose_e_per_A2=5.0)


def simulate_nanoparticles(spec: NanoparticleSpec, rng: np.random.Generator) -> Micrograph:
    """A micrograph of particles; its mask is 1 where a pixel's centre lies in one.

    A particle's projected thickness is that of a body of revolution about its outline,
    2 R sqrt(1 - d^2) with d the relative distance from its centre; the beam falls off with it
    exponentially, and fringes follow from the transport of intensity as in `Scene`.

    Parameters
    ----------
    spec
        Specification of the field of view.
    rng
        Source of particles, support and noise.
    """
    thickness, diffracted, mask = _particles(spec, rng)
    transmitted = np.exp(-thickness / spec.mfp_nm) * (1.0 - diffracted)
    phase = INTERACTION_RAD_PER_V_NM * spec.potential_v * thickness
    curvature = ndimage.laplace(phase, mode="nearest") / spec.pixel_size_nm**2
    change = -WAVELENGTH_NM * spec.defocus_um * 1e3 / (2.0 * np.pi) * curvature
    transmitted *= np.clip(1.0 + change, 0.6, 1.4)
    if not spec.dark:
        transmitted = 1.05 - transmitted / max(transmitted.max(), 1.0)
    transmitted *= np.maximum(_support(spec, rng), 0.0)
    return expose(transmitted, mask, spec.camera, spec.pixel_size_nm, rng)


def _particles(spec: NanoparticleSpec, rng: np.random.Generator) -> tuple[Array, Array, NDArray[np.uint8]]:
    """Projected thickness in nm, share diffracted away, and mask."""
    size = spec.size_px
    thickness, diffracted = np.zeros((size, size)), np.zeros((size, size))
    mask = np.zeros((size, size), np.uint8)
    field = size * spec.pixel_size_nm
    habits = [
        reach("faceted", rng.uniform(1.0, spec.elongation), spec.faceting, spec.roughness, rng)
        for _ in range(N_HABITS)
    ]
    particles: list[tuple[float, float, float]] = []
    covered = 0.0
    while covered < spec.coverage * field**2:
        radius = spec.radius_nm * float(np.exp(spec.spread * rng.standard_normal()))
        covered += np.pi * radius**2  # whether it finds room or not, so that the loop ends
        centre = _free_position(spec, radius, field, particles, rng)
        if centre is None:
            continue
        particles.append((*centre, radius))
        outline = Outline(*centre, rng.uniform(0.0, 2.0 * np.pi), habits[rng.integers(N_HABITS)])
        rows, columns = (_near(coordinate, 2.0 * radius, spec) for coordinate in centre)
        grid = np.meshgrid(_nm(rows, spec), _nm(columns, spec), indexing="ij")
        depth = outline.depth(*grid) / radius
        inside = depth < 1.0
        body = 2.0 * radius * np.sqrt(np.maximum(1.0 - depth**2, 0.0))
        thickness[rows, columns] += body
        strength = spec.diffraction * rng.uniform() ** 2  # most grains are far from a Bragg condition
        diffracted[rows, columns] = np.maximum(diffracted[rows, columns], strength * inside)
        mask[rows, columns] |= inside
    return thickness, diffracted, mask


def _free_position(
    spec: NanoparticleSpec,
    radius: float,
    field: float,
    particles: list[tuple[float, float, float]],
    rng: np.random.Generator,
) -> tuple[float, float] | None:
    """A centre in nm from the middle of the image, a little beyond its edges too; None if all is taken."""
    others = np.array(particles).reshape(-1, 3)
    for row, column in rng.uniform(-field / 2.0 - radius, field / 2.0 + radius, (MAX_TRIES, 2)):
        distances = np.hypot(others[:, 0] - row, others[:, 1] - column)
        if np.all(distances > (1.0 - spec.overlap) * (others[:, 2] + radius)):
            return float(row), float(column)
    return None


def _near(centre: float, distance: float, spec: NanoparticleSpec) -> slice:
    middle = (spec.size_px - 1) / 2.0
    low, high = ((centre + side * distance) / spec.pixel_size_nm + middle for side in (-1.0, 1.0))
    return slice(int(np.clip(low, 0, spec.size_px)), int(np.clip(high + 2.0, 0, spec.size_px)))


def _nm(pixels: slice, spec: NanoparticleSpec) -> Array:
    return (np.arange(pixels.start, pixels.stop) - (spec.size_px - 1) / 2.0) * spec.pixel_size_nm


def _support(spec: NanoparticleSpec, rng: np.random.Generator) -> Array:
    """Transmission of the film: fine grain, and a slow variation of its thickness."""
    shape = (spec.size_px, spec.size_px)
    grain = ndimage.gaussian_filter(
        rng.standard_normal(shape), SUPPORT_GRAIN_NM / spec.pixel_size_nm, mode="wrap"
    )
    slow = ndimage.zoom(
        rng.standard_normal((4, 4)), spec.size_px / 4, order=3, grid_mode=True, mode="nearest"
    )
    return 1.0 + spec.support_texture * grain / grain.std() + spec.thickness_variation * slow
