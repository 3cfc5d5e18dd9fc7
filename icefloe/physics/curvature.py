"""Curvature of the ice's boundary by arc length."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.measure import find_contours

from icefloe.errors import IcefloeError
from icefloe.physics.crystal import ice_pixels
from icefloe.typing import MaskArray

Array = NDArray[np.float64]

MIN_PERIMETER_PX = 30.0
"""A shorter outline is all staircase: its curvature would be that of the pixels."""


@dataclass(frozen=True, eq=False)
class Boundary:
    """One closed outline.

    Attributes
    ----------
    points_nm : float64, shape (N, 2)
        Rows and columns along the outline, evenly spaced.
    curvature_per_nm : float64, shape (N,)
        Signed: positive where the ice bulges out.
    perimeter_nm
        Length of the smoothed outline.
    """

    points_nm: Array
    curvature_per_nm: Array
    perimeter_nm: float


def boundaries(
    mask: MaskArray, pixel_size_nm: float, smoothing_px: float | None = None, ice_class: int = 1
) -> tuple[Boundary, ...]:
    """Closed outlines of the ice with their curvature, longest first.

    The outline is resampled evenly by arc length and smoothed along itself, and its curvature is
    (x' y'' - y' x'') / (x'^2 + y'^2)^1.5 with derivatives along it, taken in Fourier space. The public
    code of Baskaran et al. 2022 takes |y''| / (1 + y'^2)^1.5 of each row instead, seven times too
    high on a circle.

    Parameters
    ----------
    mask : uint8, shape (H, W)
        Class index of each pixel.
    pixel_size_nm
        Edge of a pixel in nm; 1 leaves every result in pixels.
    smoothing_px
        Standard deviation, along the outline, of the Gaussian that removes the staircase of the pixels.
        Structure shorter than it is lost. Applied twice and taken off once (2 g - g^2), so that a circle of
        radius r px shrinks only by the share (smoothing / r)^4 / 4. None: 2.6 sqrt(r), with r the outline's
        length over 2 pi, because the longest steps of a circle on a pixel grid have a length
        proportional to sqrt(r).
    ice_class
        Mask value of ice.

    Returns
    -------
    tuple of Boundary
        Holes and pieces whose outline is shorter than 30 px are left out.

    Raises
    ------
    IcefloeError
        If there is no ice or the pixel size or smoothing is not positive.
    """
    if smoothing_px is not None and not smoothing_px > 0:
        raise IcefloeError(f"Smoothing {smoothing_px} px: not positive. Give a length of a few pixels.")
    ice = ice_pixels(mask, pixel_size_nm, ice_class)
    # A margin of background closes outlines that the image's edge would cut.
    # Turned round, outlines of objects run from rows to columns and their area comes out positive.
    contours = [contour[::-1] - 1.0 for contour in find_contours(np.pad(ice, 1).astype(float), 0.5)]
    outer = [c for c in contours if _signed_area(c) > 0 and _length(c) >= MIN_PERIMETER_PX]
    return tuple(
        _boundary(contour, pixel_size_nm, smoothing_px)
        for contour in sorted(outer, key=_length, reverse=True)
    )


def _boundary(contour: Array, pixel_size_nm: float, smoothing_px: float | None) -> Boundary:
    length = _length(contour)
    if smoothing_px is None:
        smoothing_px = 2.6 * (length / (2.0 * np.pi)) ** 0.5
    points = _resampled(contour)
    wave_numbers = 2.0 * np.pi * np.fft.fftfreq(len(points), length / len(points))[:, None]
    gaussian = np.exp(-0.5 * (smoothing_px * wave_numbers) ** 2)
    spectrum = np.fft.fft(points, axis=0) * gaussian * (2.0 - gaussian)
    smooth = np.fft.ifft(spectrum, axis=0).real
    first = np.fft.ifft(1j * wave_numbers * spectrum, axis=0).real
    second = np.fft.ifft(-(wave_numbers**2) * spectrum, axis=0).real
    turn = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    curvature = turn / np.hypot(first[:, 0], first[:, 1]) ** 3
    closed = np.vstack([smooth, smooth[:1]])
    return Boundary(smooth * pixel_size_nm, curvature / pixel_size_nm, _length(closed) * pixel_size_nm)


def _resampled(contour: Array) -> Array:
    """About one point a pixel, evenly spaced along a closed contour, without its repeated last point."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(contour, axis=0).T))])
    n_points = max(round(along[-1]), 16)
    wanted = np.arange(n_points) * (along[-1] / n_points)
    return np.column_stack([np.interp(wanted, along, contour[:, axis]) for axis in range(2)])


def _length(contour: Array) -> float:
    return float(np.hypot(*np.diff(contour, axis=0).T).sum())


def _signed_area(contour: Array) -> float:
    """Shoelace sum in (row, column): positive around an object, negative around a hole in it."""
    rows, columns = contour[:, 0], contour[:, 1]
    return float(0.5 * np.sum(rows[:-1] * columns[1:] - rows[1:] * columns[:-1]))
