"""Melting and growth of the crystal under a temperature programme."""

import numpy as np
from numpy.typing import NDArray

GIBBS_THOMSON_K_NM = 53.0
"""Lowering of the melting point of a sphere of ice in water times its radius: 2 gamma Tm / (rho L) with
gamma = 0.03 J/m2, Tm = 273 K, rho = 917 kg/m3, L = 3.34e5 J/kg."""

STEPS_PER_SECOND = 20

Array = NDArray[np.float64]


def melting_point_c(radius_nm: float) -> float:
    """Temperature in degC at which a crystal of this radius neither melts nor grows (Gibbs-Thomson)."""
    return -GIBBS_THOMSON_K_NM / radius_nm


def temperatures(start_c: float, rate_c_per_s: float, n_seconds: int) -> Array:
    """Temperature in the middle of each second of a linear ramp, in degC, shape (n_seconds,)."""
    return start_c + rate_c_per_s * (np.arange(n_seconds, dtype=np.float64) + 0.5)


def radii(
    radius_nm: float, coefficient_nm_per_s_k: float, start_c: float, rate_c_per_s: float, n_seconds: int
) -> Array:
    """Equivalent radius in the middle of each second, by linear interface kinetics.

    dR/dt = k (Tm(R) - T), Tm(R) = -53 K nm / R (Gibbs-Thomson): the front moves in proportion to the
    distance from the melting point of a crystal of its size, so small crystals melt faster.

    Parameters
    ----------
    radius_nm
        Radius at the start, in nm.
    coefficient_nm_per_s_k
        Kinetic coefficient k of the interface, in nm/(s K).
    start_c, rate_c_per_s
        Temperature at the start, in degC, and its rate in degC/s.
    n_seconds
        Length of the series, in s: one radius per second.

    Returns
    -------
    float64, shape (n_seconds,)
        Radii in nm; 0 after the crystal is gone.
    """
    step = 1.0 / STEPS_PER_SECOND
    radius, taken = radius_nm, []
    for index in range(n_seconds * STEPS_PER_SECOND):
        if index % STEPS_PER_SECOND == STEPS_PER_SECOND // 2:
            taken.append(radius)
        if radius > 0.0:
            temperature = start_c + rate_c_per_s * (index + 0.5) * step
            radius += step * coefficient_nm_per_s_k * (melting_point_c(radius) - temperature)
            radius = max(radius, 0.0) if radius > 1.0 else 0.0  # below a nanometre there is no crystal
    return np.array(taken)
