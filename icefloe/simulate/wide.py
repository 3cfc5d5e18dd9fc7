"""Micrographs from wide distributions, an endless stream: the images that encoders are pre-trained on."""

from collections.abc import Callable
from typing import get_args

import numpy as np

from icefloe.simulate.camera import Camera
from icefloe.simulate.kinetics import melting_point_c
from icefloe.simulate.lattice import LatticeSpec, simulate_lattice
from icefloe.simulate.micrograph import Micrograph, expose
from icefloe.simulate.nanoparticles import NanoparticleSpec, simulate_nanoparticles
from icefloe.simulate.outline import Shape
from icefloe.simulate.scene import Scene
from icefloe.simulate.spec import ExperimentSpec

FIELD_NM = 512.0
N_COMPOSITES = 10
MAGNIFICATIONS = {1.0: 0.5, 1.5: 0.25, 2.0: 0.25}
"""Of ice, and how often: a network meets it at 128 px to a side as well as at 256."""

GRID = 32
"""Edges of images are multiples of it, as of those that networks take."""

MAX_ELECTRONS = 30000.0
"""A pixel and second; half as many again would saturate a 16-bit composite."""

BENT_SHARE = 0.5
"""Of ice that bend contours cross: where none do, its faint edge is all there is to learn from."""

FILLED_SHARE = 1 / 3
"""Of ice that fills its water nearly to the rim, as the largest crystals of an experiment do: from others a
network learns that ice lies well inside a drop."""

ARMS = {0: 0.5, 2: 0.15, 3: 0.2, 4: 0.15}
"""Of the water, and how often: drops hang on the aperture, and their sides curve inwards then."""

VIEWS = 2
"""Micrographs of one ice crystal, at other times and with other cameras: the scene takes the longest."""

SHARES = {"ice": 0.45, "nanoparticles": 0.35, "lattice": 0.2}
"""Probability of each kind of specimen; one of ice gives `VIEWS` micrographs."""

KINDS = tuple(SHARES)


def micrographs(rng: np.random.Generator, size_px: int) -> tuple[str, list[Micrograph]]:
    """Kind and micrographs of the next specimen of the stream.

    Parameters
    ----------
    rng
        Source of every random choice.
    size_px
        Edge of the smallest images, a multiple of `GRID`; ice comes up to twice as large (`MAGNIFICATIONS`).
    """
    kind = str(rng.choice(KINDS, p=list(SHARES.values())))
    if kind == "ice":
        return kind, random_ice(rng, size_px)
    return kind, [_SIMULATORS[kind](rng, size_px)]


def random_ice(rng: np.random.Generator, size_px: int) -> list[Micrograph]:
    """Some seconds of a wide melting experiment, each by another camera."""
    magnification = rng.choice(list(MAGNIFICATIONS), p=list(MAGNIFICATIONS.values()))
    spec = random_wide_spec(rng, GRID * round(size_px * magnification / GRID))
    scene = Scene(spec, rng)
    made = []
    for second in rng.choice(N_COMPOSITES, VIEWS, replace=False):
        camera = _random_camera(_log_uniform(800.0, MAX_ELECTRONS, rng), spec.pixel_size_nm, rng)
        made.append(expose(*scene.render(int(second)), camera, spec.pixel_size_nm, rng))
    return made


def random_nanoparticles(rng: np.random.Generator, size_px: int) -> Micrograph:
    """Nanoparticles of any number, contrast, shape and noise, in bright or dark field."""
    pixel = 0.4
    radius_px = _log_uniform(3.0, 22.0, rng) * size_px / 128.0
    radius = radius_px * pixel
    return simulate_nanoparticles(
        NanoparticleSpec(
            size_px=size_px,
            pixel_size_nm=pixel,
            coverage=_log_uniform(0.03, 0.4, rng),
            radius_nm=radius,
            spread=rng.uniform(0.05, 0.5),
            faceting=rng.uniform(),
            elongation=rng.uniform(1.0, 2.0),
            roughness=rng.uniform(0.0, 0.06),
            overlap=rng.uniform(0.0, 0.4),
            mfp_nm=radius * _log_uniform(1.0, 12.0, rng),
            diffraction=rng.uniform(0.0, 0.6),
            defocus_um=rng.normal(0.0, 1.0) * 0.3,
            support_texture=_log_uniform(0.005, 0.08, rng),
            thickness_variation=rng.uniform(0.0, 0.05),
            dark=rng.random() < 0.75,
            camera=_random_camera(_log_uniform(30.0, 1000.0, rng), pixel, rng),
        ),
        rng,
    )


def random_lattice(rng: np.random.Generator, size_px: int) -> Micrograph:
    """A crystal of any projected cell, whole or a grain in amorphous film, strained, sparse or dense."""
    pixel = 0.02
    a_px = rng.uniform(7.0, 26.0)
    grain = None if rng.random() < 0.5 else size_px * pixel * rng.uniform(0.15, 0.5)
    basis = 0.0 if rng.random() < 0.4 else rng.uniform(0.2, 1.0)
    return simulate_lattice(
        LatticeSpec(
            size_px=size_px,
            pixel_size_nm=pixel,
            a_nm=a_px * pixel,
            ratio=rng.uniform(0.7, 1.6),
            angle_deg=rng.choice([60.0, 90.0, rng.uniform(55.0, 125.0)]),
            rotation_deg=rng.uniform(0.0, 180.0),
            basis=basis,
            column_nm=a_px * pixel * rng.uniform(0.1, 0.18 if basis else 0.22),
            strain=rng.uniform(0.0, 0.15),
            vacancies=rng.uniform(0.0, 0.1),
            grain_nm=grain,
            amorphous=rng.uniform(0.0, 0.3),
            thickness_variation=rng.uniform(0.0, 0.25),
            flyback=rng.uniform(0.0, 0.6),
            dark=rng.random() < 0.3,
            camera=_random_camera(_log_uniform(12.0, 800.0, rng), pixel, rng),
        ),
        rng,
    )


def random_wide_spec(rng: np.random.Generator, size_px: int) -> ExperimentSpec:
    """A melting experiment with habit, size, contrast, focus, bending, dose and camera from wide ranges.

    Ice fills the water or is a small part anywhere in it, is darker or brighter, its fringe bright or dark:
    it can be recognised only by its closed edge (domain randomisation, Tobin et al. 2017). A network that
    learns from where the water ends, or how thick it is, cannot find a small crystal.

    Parameters
    ----------
    rng
        Random generator of the draw.
    size_px
        Edge of the square images; the field of view is `FIELD_NM` whatever it is.
    """
    shape: Shape = get_args(Shape)[rng.integers(len(get_args(Shape)))]
    radius = rng.uniform(65.0, 140.0)
    start_c, rate = rng.uniform(0.2, 1.0), rng.uniform(0.08, 0.2)
    melted = rng.uniform(0.2, 0.75)
    mean_overheating = start_c + rate * N_COMPOSITES / 2.0 - melting_point_c(radius)
    water_mfp, extent = rng.uniform(250.0, 450.0), rng.uniform(1.05, 2.6)
    spec = ExperimentSpec(
        shape=shape,
        departure=rng.uniform(),
        n_composites=N_COMPOSITES,
        size_px=size_px,
        pixel_size_nm=FIELD_NM / size_px,
        aperture_radius_nm=rng.uniform(215.0, 250.0),
        ice_radius_nm=radius,
        elongation=rng.uniform(1.0, 1.25) if shape == "round" else rng.uniform(1.0, 2.6),
        orientation_deg=rng.uniform(0.0, 180.0),
        roughness=rng.uniform(0.01, 0.06),
        ice_thickness_nm=rng.uniform(50.0, 150.0),
        ice_edge_nm=_log_uniform(2.0, 14.0, rng),
        water_thickness_nm=rng.uniform(160.0, 240.0),
        water_extent=extent,
        water_elongation=rng.uniform(1.0, 2.2),
        water_turn_deg=rng.uniform(0.0, 180.0),
        water_shift=abs(rng.normal(0.0, 0.35)) * (extent - 0.8),
        water_arms=int(rng.choice(list(ARMS), p=list(ARMS.values()))),
        water_mfp_nm=water_mfp,
        ice_mfp_nm=water_mfp * rng.uniform(0.75, 1.1),
        bend_contours=int(rng.integers(1, 8)) if rng.random() < BENT_SHARE else 0,
        bend_strength=rng.uniform(0.0, 0.35),
        bend_speed_per_s=rng.normal(0.0, 0.05),
        defocus_um=rng.choice([-1.0, 1.0]) * _log_uniform(1.2, 14.0, rng),
        illumination_gradient=rng.uniform(0.0, 0.3),
        illumination_direction_deg=rng.uniform(0.0, 360.0),
        film_texture=_log_uniform(0.001, 0.015, rng),
        start_c=start_c,
        rate_c_per_s=rate,
        kinetic_coefficient_nm_per_s_k=melted * radius / (mean_overheating * N_COMPOSITES),
        camera=Camera(drift_nm_per_s=0.0),
    )
    return _filling(spec, rng) if rng.random() < FILLED_SHARE else spec


def _filling(spec: ExperimentSpec, rng: np.random.Generator) -> ExperimentSpec:
    """The same experiment with water that is a rim around its ice, some seconds long at least."""
    return spec.model_copy(
        update={
            "water_extent": rng.uniform(0.7, 1.15),
            "water_rim_nm": _log_uniform(3.0, 25.0, rng),
            "water_elongation": spec.elongation,
            "water_turn_deg": 0.0,
            "water_shift": 0.0,
        }
    )


_SIMULATORS: dict[str, Callable[[np.random.Generator, int], Micrograph]] = {
    "nanoparticles": random_nanoparticles,
    "lattice": random_lattice,
}


def _random_camera(electrons_per_px: float, pixel_size_nm: float, rng: np.random.Generator) -> Camera:
    """Its gain map, blur and X-rays from poor to good."""
    return Camera(
        serial=int(rng.integers(1000)),
        dose_e_per_A2=electrons_per_px / (10.0 * pixel_size_nm) ** 2,
        gain_variation=_log_uniform(0.001, 0.05, rng),
        column_variation=_log_uniform(0.0005, 0.03, rng),
        xrays_per_frame=_log_uniform(0.05, 10.0, rng),
        jitter_nm=0.0,
        drift_nm_per_s=0.0,
        blur_px=rng.uniform(0.3, 1.5),
    )


def _log_uniform(low: float, high: float, rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
