"""Curvature of the ice's boundary by arc length."""

from dataclasses import dataclass

import numpy as np

from icefloe.errors import IcefloeError
from icefloe.physics.arrays import Array
from icefloe.physics.outlines import Outline

MIN_PERIMETER_PX = 30.0
"""A shorter outline is all pixels: its curvature would be theirs."""

PERIMETER_SMOOTHING_PX = 3.0


@dataclass(frozen=True, eq=False)
class Boundary:
    """One smoothed closed outline.

    Attributes
    ----------
    points_nm : float64, shape (P, 2)
        Rows and columns along the outline, the first not repeated. They start to the right of the middle and
        run clockwise as the image is seen, so that outlines of one crystal can be compared by arc length.
    arc_length_nm : float64, shape (P,)
        Along the smoothed outline, from its first point.
    curvature_per_nm : float64, shape (P,)
        Signed: positive where the ice bulges out. NaN at the image's edge and within reach of the
        smoothing from it.
    length_nm
        Length of the smoothed outline, in nm: less than its perimeter, as smoothing rounds corners off.
    """

    points_nm: Array
    arc_length_nm: Array
    curvature_per_nm: Array
    length_nm: float

    @property
    def turn_and_length(self) -> tuple[float, float]:
        """Integral of the known curvature over arc length, and the length it was taken over, in nm."""
        steps = np.diff(self.arc_length_nm, append=self.length_nm)
        steps = (steps + np.roll(steps, 1)) / 2.0
        known = np.isfinite(self.curvature_per_nm)
        return float(self.curvature_per_nm[known] @ steps[known]), float(steps[known].sum())


def smoothed_boundary(
    outline: Outline, pixel_nm: float, smoothing_px: float | None = None
) -> Boundary | None:
    """Smooth an outline along itself and take its curvature.

    The outline is resampled evenly by arc length and smoothed along itself, and its curvature is
    (x' y'' - y' x'') / (x'^2 + y'^2)^1.5 with derivatives along it, taken in Fourier space. The public
    code of Baskaran et al. 2022 takes |y''| / (1 + y'^2)^1.5 of each row instead, seven times too
    high on a circle.

    Parameters
    ----------
    outline
        Closed outline of a crystal or a hole.
    pixel_nm
        Edge of a pixel in nm, which sets the sampling.
    smoothing_px
        Standard deviation, along the outline, of the Gaussian that removes the staircase of the pixels.
        Structure shorter than it is lost. Applied twice and taken off once (2 g - g^2), so that a circle of
        radius r px shrinks only by the share (smoothing / r)^4 / 4. None: 2.6 sqrt(r), with r the outline's
        length over 2 pi, because the longest steps of a circle on a pixel grid have a length
        proportional to sqrt(r); at most r / 2, which costs 1.6 % of the radius.

    Returns
    -------
    Boundary, or None where the outline is shorter than 30 px.

    Raises
    ------
    IcefloeError
        If the smoothing is not positive.
    """
    if smoothing_px is not None and not smoothing_px > 0:
        raise IcefloeError(f"Smoothing {smoothing_px} px: not positive. Give a length of a few pixels.")
    length = outline.length_nm
    length_px = length / pixel_nm
    if length_px < MIN_PERIMETER_PX:
        return None
    if smoothing_px is None:
        radius_px = length_px / (2.0 * np.pi)
        smoothing_px = min(2.6 * radius_px**0.5, radius_px / 2.0)
    points, on_border = _resampled(outline, max(round(length_px), 16))
    wave_numbers, gaussian = _filter(len(points), length, smoothing_px * pixel_nm)
    spectrum = np.fft.fft(points, axis=0) * gaussian * (2.0 - gaussian)
    smooth = np.fft.ifft(spectrum, axis=0).real
    first = np.fft.ifft(1j * wave_numbers * spectrum, axis=0).real
    second = np.fft.ifft(-(wave_numbers**2) * spectrum, axis=0).real
    turn = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    curvature = turn / np.hypot(first[:, 0], first[:, 1]) ** 3
    reached = np.fft.ifft(np.fft.fft(on_border[:, None], axis=0) * gaussian, axis=0).real[:, 0]
    curvature[reached > 0.01] = np.nan
    rows, columns = (smooth - smooth.mean(axis=0)).T
    start = int(np.abs(np.arctan2(rows, columns)).argmin())
    clockwise = start - np.arange(len(smooth))
    smooth, curvature = smooth[clockwise], curvature[clockwise]
    along = np.concatenate([[0.0], np.cumsum(_steps(smooth))])
    return Boundary(smooth, along[:-1], curvature, float(along[-1]))


def perimeter(outline: Outline, pixel_nm: float) -> float:
    """Length of an outline in nm, its pixels' staircase smoothed away but not its corners.

    The staircase of a mask adds several percent to the polygon's length, whatever the pixel size. With a
    smoothing of 3 px, at most 0.35 of the radius, a circle's perimeter is right to a percent.
    """
    length = outline.length_nm
    n_points = max(round(length / pixel_nm), 16)
    points, _ = _resampled(outline, n_points)
    reach = min(PERIMETER_SMOOTHING_PX * pixel_nm, 0.35 * length / (2.0 * np.pi))
    _, gaussian = _filter(n_points, length, reach)
    smooth = np.fft.ifft(np.fft.fft(points, axis=0) * gaussian * (2.0 - gaussian), axis=0).real
    return float(_steps(smooth).sum())


def _filter(n_points: int, length: float, smoothing: float) -> tuple[Array, Array]:
    """Wave numbers along a closed outline, shape (n_points, 1), and the Gaussian's response to them."""
    wave_numbers = 2.0 * np.pi * np.fft.fftfreq(n_points, length / n_points)[:, None]
    return np.asarray(wave_numbers), np.exp(-0.5 * (smoothing * wave_numbers) ** 2)


def _steps(points: Array) -> Array:
    """Lengths of the sides of a closed polygon."""
    return np.asarray(np.hypot(*np.diff(points, axis=0, append=points[:1]).T))


def _resampled(outline: Outline, n_points: int) -> tuple[Array, Array]:
    """Evenly spaced points of the closed outline, the repeated last left out, and their share of border."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(outline.points_nm, axis=0).T))])
    positions = np.arange(n_points) * (along[-1] / n_points)
    points = [np.interp(positions, along, outline.points_nm[:, axis]) for axis in range(2)]
    return np.column_stack(points), np.interp(positions, along, outline.on_border.astype(np.float64))
