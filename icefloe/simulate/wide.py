"""Experiments more varied than any laboratory's: what a network is pre-trained on."""

from collections.abc import Iterator
from typing import get_args

import numpy as np

from icefloe.simulate.camera import Camera
from icefloe.simulate.ice import Experiment, simulate_experiment
from icefloe.simulate.kinetics import melting_point_c
from icefloe.simulate.outline import Shape
from icefloe.simulate.spec import ExperimentSpec

FIELD_NM = 512.0
N_COMPOSITES = 10
SHOWN = 3
"""Composites made of each experiment; more would be much alike."""


def wide_experiments(n_experiments: int, size_px: int, seed: int) -> Iterator[Experiment]:
    """Experiments that differ in everything a network should not depend on, some seconds of each.

    Parameters
    ----------
    n_experiments
        How many.
    size_px
        Edge of the square images.
    seed
        The same seed gives the same experiments, and a larger number of them begins with the same.
    """
    for index in range(n_experiments):
        rng = np.random.default_rng((seed, index))
        seconds = np.sort(rng.choice(N_COMPOSITES, SHOWN, replace=False)).tolist()
        yield simulate_experiment(random_wide_spec(rng, size_px), int(rng.integers(2**63)), seconds)


def random_wide_spec(rng: np.random.Generator, size_px: int) -> ExperimentSpec:
    """A melting experiment with habit, size, contrast, focus, bending, dose and camera from wide ranges.

    Ice fills the water or is a small part anywhere in it, is darker or brighter, its fringe bright or dark:
    what is left to tell it by is a closed edge (domain randomisation, Tobin et al. 2017). A network that
    learns from where the water ends, or how thick it is, can't find a small crystal.

    Parameters
    ----------
    rng
        Source of the draw.
    size_px
        Edge of the square images; the field of view is `FIELD_NM` whatever it is.
    """
    shape: Shape = get_args(Shape)[rng.integers(len(get_args(Shape)))]
    radius = rng.uniform(65.0, 140.0)
    start_c, rate = rng.uniform(0.2, 1.0), rng.uniform(0.08, 0.2)
    melted = rng.uniform(0.2, 0.75)
    mean_overheating = start_c + rate * N_COMPOSITES / 2.0 - melting_point_c(radius)
    water_mfp, extent = rng.uniform(250.0, 450.0), rng.uniform(1.05, 2.6)
    return ExperimentSpec(
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
        ice_edge_nm=_log_uniform(3.0, 25.0, rng),
        water_thickness_nm=rng.uniform(160.0, 240.0),
        water_extent=extent,
        water_elongation=rng.uniform(1.0, 2.2),
        water_turn_deg=rng.uniform(0.0, 180.0),
        water_shift=abs(rng.normal(0.0, 0.35)) * (extent - 0.8),
        water_mfp_nm=water_mfp,
        ice_mfp_nm=water_mfp * rng.uniform(0.8, 1.06),
        bend_contours=int(rng.integers(0, 4)),
        bend_strength=rng.uniform(0.0, 0.3),
        bend_speed_per_s=rng.normal(0.0, 0.05),
        defocus_um=rng.choice([-1.0, 1.0]) * rng.uniform(2.0, 14.0),
        illumination_gradient=rng.uniform(0.0, 0.2),
        illumination_direction_deg=rng.uniform(0.0, 360.0),
        film_texture=rng.uniform(0.002, 0.015),
        start_c=start_c,
        rate_c_per_s=rate,
        kinetic_coefficient_nm_per_s_k=melted * radius / (mean_overheating * N_COMPOSITES),
        camera=Camera(
            serial=int(rng.integers(1000)),
            dose_e_per_A2=_log_uniform(4.0, 60.0, rng),
            gain_variation=rng.uniform(0.0, 0.02),
            column_variation=rng.uniform(0.0, 0.02),
            blur_px=rng.uniform(0.3, 1.5),
        ),
    )


def _log_uniform(low: float, high: float, rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
