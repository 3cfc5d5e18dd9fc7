"""Uneven illumination of an image, fitted as a smooth surface and divided out."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.special import comb

from icefloe.errors import IcefloeError
from icefloe.typing import FloatArray

DEGREE = 2
"""Of the surface along each axis, so it has 9 coefficients (Sytwu, Rangel DaCosta & Scott 2023)."""

REWEIGHTINGS = 2
"""After each, what lies off the surface counts less: particles leave a tenth of a percent of it after two."""

SCALE = 4
"""The fit is to means of so many pixels along each axis: particles are larger, and it takes a sixteenth."""

_LEAST_SCALED = 64
"""Smaller images are fitted pixel by pixel."""

Array = NDArray[np.float64]


def flatten(image: FloatArray) -> FloatArray:
    """Divide an image by its illumination.

    Parameters
    ----------
    image : float32, shape (H, W)
        Image in counts or grey levels, 0 where no electron arrives.

    Returns
    -------
    float32, shape (H, W)
        About 1 where the specimen does not darken the image.

    Raises
    ------
    IcefloeError
        If the fitted illumination is not above 0 everywhere.
    """
    light = illumination(image)
    if light.min() <= 0:
        raise IcefloeError(
            "The image's illumination falls to 0, so it can't be divided out. "
            "Leave flat_field out for such images."
        )
    return np.divide(image, light, out=light)


def illumination(image: FloatArray, reweightings: int = REWEIGHTINGS) -> FloatArray:
    """The smooth surface that most of an image's pixels lie on.

    Least squares in a Bernstein basis, repeated with weights exp(-3 e^2 / (2 <e^2>)) on each mean's distance
    e from the surface, so that particles, which lie off it, hardly count.

    Parameters
    ----------
    image : float32, shape (H, W)
        Image in any intensity unit.
    reweightings
        Fits after the first, plain one.

    Returns
    -------
    float32, shape (H, W)
        In the image's unit.
    """
    scale = SCALE if min(image.shape) >= _LEAST_SCALED else 1
    seen = np.asarray(Image.fromarray(image).reduce(scale), np.float64)
    along = [bernstein(length) for length in image.shape]
    rows, columns = (_means(basis, scale) for basis in along)
    surface = fit_surface(seen, rows, columns)
    for _ in range(reweightings):
        squared = (seen - rows @ surface @ columns.T) ** 2
        if not (typical := squared.mean()):
            break  # the surface goes through every mean
        surface = fit_surface(seen, rows, columns, np.exp(-3 * squared / (2 * typical)))
    return np.asarray((along[0] @ surface).astype(np.float32) @ along[1].T.astype(np.float32))


def bernstein(length: int) -> Array:
    """Bernstein polynomials of `DEGREE` from the first to the last of so many pixels.

    Returns
    -------
    float64, shape (length, DEGREE + 1)
        They are at least 0, and add up to 1 at each pixel.
    """
    place = np.linspace(0, 1, length)[:, None]
    order = np.arange(DEGREE + 1)
    return np.asarray(comb(DEGREE, order) * place**order * (1 - place) ** (DEGREE - order))


def fit_surface(values: Array, rows: Array, columns: Array, weights: Array | None = None) -> Array:
    """Coefficients of the products of two bases that come nearest to an image.

    Parameters
    ----------
    values : float64, shape (H, W)
        Image in any intensity unit.
    rows, columns : float64, shape (H, N) and (W, M)
        Basis along each axis.
    weights : float64, shape (H, W)
        Factor on each pixel's distance before it is squared; None: all 1.

    Returns
    -------
    float64, shape (N, M)
    """
    n_rows, n_columns = rows.shape[1], columns.shape[1]
    squared = np.ones_like(values) if weights is None else weights**2
    # Normal equations from products along one axis at a time: the 9 surfaces are never made.
    row_pairs = (rows[:, :, None] * rows[:, None]).reshape(len(rows), -1)
    column_pairs = (columns[:, :, None] * columns[:, None]).reshape(len(columns), -1)
    pairs = (row_pairs.T @ squared @ column_pairs).reshape(n_rows, n_rows, n_columns, n_columns)
    left = pairs.transpose(0, 2, 1, 3).reshape(n_rows * n_columns, -1)
    right = (rows.T @ (squared * values) @ columns).ravel()
    return np.asarray(np.linalg.lstsq(left, right, rcond=None)[0].reshape(n_rows, n_columns))


def _means(basis: Array, scale: int) -> Array:
    """The basis on the means of so many pixels that the fit is to; the last ones may be of fewer."""
    starts = np.arange(0, len(basis), scale)
    counts = np.diff(np.append(starts, len(basis)))
    return np.asarray(np.add.reduceat(basis, starts, axis=0) / counts[:, None])
