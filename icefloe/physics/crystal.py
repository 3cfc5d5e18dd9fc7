"""Area, centre of mass and front positions of the ice in a mask."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icefloe.errors import IcefloeError
from icefloe.typing import MaskArray

Array = NDArray[np.float64]

STEP_PX = 0.25
"""Distance between the samples along a radial line; the front is good to about half of it."""


@dataclass(frozen=True, eq=False)
class Crystal:
    """What one mask says.

    Attributes
    ----------
    area_nm2
        Of all ice.
    centre_nm
        Row and column of the centre of mass, from the centre of the first pixel.
    angles_rad : float64, shape (N,)
        Directions of the radial lines, from the columns' axis towards the rows' axis.
    front_nm : float64, shape (N,)
        Distance from the centre of mass to the outermost front along each line; NaN where it meets no ice.
    """

    area_nm2: float
    centre_nm: tuple[float, float]
    angles_rad: Array
    front_nm: Array


def measure(mask: MaskArray, pixel_size_nm: float, n_lines: int = 72, ice_class: int = 1) -> Crystal:
    """Measure the ice in one mask.

    Parameters
    ----------
    mask : uint8, shape (H, W)
        Class index of each pixel.
    pixel_size_nm
        Edge of a pixel in nm; 1 leaves every result in pixels.
    n_lines
        Number of radial lines, evenly spread over the full turn.
    ice_class
        Mask value of ice.

    Raises
    ------
    IcefloeError
        If the mask is not 2-D or holds no ice, or the pixel size is not positive.
    """
    ice = ice_pixels(mask, pixel_size_nm, ice_class)
    centre = centre_of_mass(ice)
    angles = np.arange(n_lines, dtype=np.float64) * (2.0 * np.pi / n_lines)
    return Crystal(
        area_nm2=float(ice.sum()) * pixel_size_nm**2,
        centre_nm=(centre[0] * pixel_size_nm, centre[1] * pixel_size_nm),
        angles_rad=angles,
        front_nm=front_radii(ice, centre, angles) * pixel_size_nm,
    )


def ice_pixels(mask: MaskArray, pixel_size_nm: float, ice_class: int = 1) -> NDArray[np.bool_]:
    """Where the ice is, bool of shape (H, W), after the checks that every measurement needs.

    Raises
    ------
    IcefloeError
        If the mask is not 2-D or holds no ice, or the pixel size is not positive.
    """
    if mask.ndim != 2:
        raise IcefloeError(f"Mask of shape {mask.shape}: not two-dimensional. Measure one mask at a time.")
    if not pixel_size_nm > 0:
        raise IcefloeError(f"Pixel size {pixel_size_nm} nm: not positive. Give the pixel's edge in nm.")
    ice = mask == ice_class
    if not ice.any():
        raise IcefloeError(
            f"Mask: no pixel of class {ice_class}, so there is no ice to measure. Leave it out."
        )
    return ice


def centre_of_mass(ice: NDArray[np.bool_]) -> tuple[float, float]:
    """Row and column of the centre of all True pixels of an (H, W) array, in px."""
    rows, columns = np.nonzero(ice)
    return float(rows.mean()), float(columns.mean())


def front_radii(ice: NDArray[np.bool_], centre: tuple[float, float], angles: Array) -> Array:
    """Distance from `centre` to the last ice along each direction.

    Parameters
    ----------
    ice : bool, shape (H, W)
    centre
        Row and column in px.
    angles : float64, shape (N,)
        In radians, from the columns' axis towards the rows' axis.

    Returns
    -------
    float64, shape (N,)
        In px; NaN where a line meets no ice, as between two crystals.
    """
    distances = np.arange(0.0, float(np.hypot(*ice.shape)), STEP_PX)
    rows = np.rint(centre[0] + np.outer(np.sin(angles), distances)).astype(int)
    columns = np.rint(centre[1] + np.outer(np.cos(angles), distances)).astype(int)
    within = (rows >= 0) & (rows < ice.shape[0]) & (columns >= 0) & (columns < ice.shape[1])
    met = within & ice[np.where(within, rows, 0), np.where(within, columns, 0)]
    last = distances[met.shape[1] - 1 - met[:, ::-1].argmax(axis=1)] + STEP_PX / 2.0
    return np.where(met.any(axis=1), last, np.nan)
