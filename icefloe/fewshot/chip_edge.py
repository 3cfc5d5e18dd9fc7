"""A chip edge that suits an image: two periods, the width of a blob, or a few correlation lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.signal import find_peaks
from skimage.feature import peak_local_max
from skimage.filters import threshold_otsu

from icefloe.fewshot.grid import Grid
from icefloe.fewshot.source import binned, checked
from icefloe.result import Result
from icefloe.tables import Table
from icefloe.typing import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

USUAL = 50
"""Edge in px that is often right (Doty et al. 2022), where the image says nothing."""

SMALLEST = 8
"""A chip of fewer px shows an encoder nothing."""

PERIODS = 2.0
"""Periods of a lattice that a chip shows: one motif wherever the grid cuts it, and its neighbours."""

LENGTHS = 4.0
"""Correlation lengths that a chip of a texture without period shows."""

BLOB_LENGTHS = 2.0
"""Correlation lengths that a blob is wide: a chip as wide lies in one, or beside it."""

SEPARABLE = 0.7
"""Otsu's separability above which grey values are of two kinds, blobs and what is between them. That of a
normal distribution is 2 / pi = 0.64."""

FEWEST_ALONG = 6
"""Chips along the shorter side, at least, so that there is something to choose from."""

_LARGEST_SIDE = 1024
_LEAST_SIGNAL = 0.02
"""Of the variance that is not noise of single pixels; below, there is no structure to measure."""

_CLEAR = 0.3
"""Least autocorrelation at a shift by a period, and least height of a peak of the spectrum by the highest."""

_ALIKE = 0.7
"""Of several such shifts, those count that are at least this good by the best."""


class EdgeAdvice(Result):
    """A suggested chip edge, and the curve that it came from.

    Attributes
    ----------
    edge
        Suggested edge in px.
    period_px
        Length of the shortest shift at which the autocorrelation has a clear peak; None without one.
    spectrum_px
        Wavelength of the power spectrum's peak, each ring of frequencies counted whole; None where there is
        no clear one.
    correlation_px
        Distance at which the autocorrelation falls to 1/e.
    blob_px
        Width of the blobs that stand out from the rest; None where grey values fall into no two kinds.
    lags_px, autocorrelation
        The curve: along the direction of the period, or the mean over all directions without one.
    """

    edge: int
    period_px: float | None
    spectrum_px: float | None
    correlation_px: float
    blob_px: float | None
    lags_px: tuple[float, ...]
    autocorrelation: tuple[float, ...]

    def sentence(self) -> str:
        """The edge, and why."""
        if self.period_px is not None:
            because = f"the image repeats every {self.period_px:.0f} px, and a chip should show two periods"
        elif not any(self.autocorrelation[1:]):
            because = "the image shows no structure beyond noise, and this is the usual edge"
        elif self.blob_px is not None:
            because = (
                f"bright or dark blobs are about {self.blob_px:.0f} px wide, and a chip should lie in one"
            )
        else:
            because = f"its structures are about {self.correlation_px:.0f} px wide and don't repeat"
        return f"Chips of {self.edge} px are suggested: {because}."

    def table(self) -> Table:
        """The lengths."""
        return Table.of(
            [
                {"length": "suggested edge", "px": float(self.edge)},
                {"length": "period by autocorrelation", "px": self.period_px},
                {"length": "period by spectrum", "px": self.spectrum_px},
                {"length": "correlation length", "px": self.correlation_px},
                {"length": "width of blobs", "px": self.blob_px},
            ],
            {"px": ".1f"},
        )

    def plot(self, ax: Axes) -> None:
        """The autocorrelation against distance, with the lengths marked."""
        ax.plot(self.lags_px, self.autocorrelation, color="#4477aa")
        ax.axhline(0, color="black", linewidth=0.6)
        ax.axvline(self.edge, color="#ee6677", label=f"suggested edge, {self.edge} px")
        if self.period_px is not None:
            ax.axvline(
                self.period_px, color="#228833", linestyle="--", label=f"period, {self.period_px:.1f} px"
            )
        ax.axvline(
            self.correlation_px,
            color="black",
            linestyle=":",
            label=f"falls to 1/e, {self.correlation_px:.1f} px",
        )
        ax.set(
            xlabel="distance (px)",
            ylabel="autocorrelation, "
            + ("mean over directions" if self.period_px is None else "along the period"),
            xlim=(0, min(self.lags_px[-1], 4 * max(self.edge, self.correlation_px))),
        )
        ax.legend(fontsize=8)


def suggest_edge(image: FloatArray) -> EdgeAdvice:
    """Suggest a chip edge from the image's autocorrelation.

    Parameters
    ----------
    image : float32, shape (H, W)
        As read.

    Raises
    ------
    IcefloeError
        If the image has NaN or infinite pixels, or is of one value.
    """
    shorter = min(checked(image).shape)
    binning = -(-max(image.shape) // _LARGEST_SIDE)
    small = binned(image, binning)
    power = _power(small)
    correlation = np.asarray(fft.fftshift(fft.irfft2(power[0], power[1])))
    curve = _ring_means(correlation)[: min(correlation.shape) // 2]
    signal = _signal(curve)
    curve = np.concatenate([[1.0], curve[1:] / signal])
    lags = np.arange(len(curve)) * float(binning)
    shift = _shift(correlation / signal, curve)
    period = None if shift is None else float(np.hypot(*shift))
    below = np.flatnonzero(curve < np.exp(-1))
    length = float(lags[below[0]]) if len(below) else float(lags[-1])
    wanted = float(USUAL)
    blob = None
    if period is not None:
        wanted = PERIODS * period * binning
    elif curve[1] > 0:
        if _separability(small, length / binning) > SEPARABLE:
            blob = BLOB_LENGTHS * length
        wanted = blob or LENGTHS * length
    if shift is not None:
        curve = _along(correlation / signal, shift, len(curve))
    highest = max(shorter // FEWEST_ALONG, 1)
    edge = int(np.clip(round(wanted), min(SMALLEST, highest), highest))
    return EdgeAdvice(
        edge=_permitted(edge, image),
        period_px=None if period is None else period * binning,
        spectrum_px=_spectrum_px(power[0], power[1], binning),
        correlation_px=length,
        blob_px=blob,
        lags_px=tuple(lags.tolist()),
        autocorrelation=tuple(np.round(curve, 4).tolist()),
    )


def _permitted(edge: int, image: FloatArray) -> int:
    """The edge, or the least one that keeps the number of chips within bounds."""
    height, width = image.shape
    return max(edge, Grid.permitted(height, width)[0])


def _power(image: NDArray[np.float64]) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """Power spectrum (of `rfft2`) without the image's slow trend, and the image's shape.

    A window keeps its edges, which meet in a Fourier transform, from looking like structure.
    """
    rows, columns = (np.linspace(-1, 1, length) for length in image.shape)
    trend = np.stack([np.ones_like(image), *np.broadcast_arrays(rows[:, None], columns)])
    flat = trend.reshape(len(trend), -1)
    coefficients = np.linalg.lstsq(flat.T, image.ravel(), rcond=None)[0]
    residual = image - (coefficients @ flat).reshape(image.shape)
    window = np.outer(np.hanning(image.shape[0] + 2)[1:-1], np.hanning(image.shape[1] + 2)[1:-1])
    return np.abs(fft.rfft2(residual * window)) ** 2, image.shape


def _ring_means(centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over all directions at distances 0, 1, 2 ... px of the middle, shape (R,)."""
    height, width = centred.shape
    y, x = np.ogrid[:height, :width]
    distance = np.rint(np.hypot(y - height // 2, x - width // 2)).astype(np.intp)
    return np.bincount(distance.ravel(), centred.ravel()) / np.bincount(distance.ravel())


def _signal(curve: NDArray[np.float64]) -> float:
    """Variance of what is not white noise; infinite where there is nothing else.

    Noise of single pixels adds to lag 0 alone, so the rest is read off lags 1 and 2.
    """
    rest = min(max(2 * curve[1] - curve[2], curve[1]), curve[0]) if len(curve) > 2 else 0.0
    return float(rest) if rest > _LEAST_SIGNAL * curve[0] else np.inf


def _separability(image: NDArray[np.float64], length: float) -> float:
    """Share of the grey values' variance that lies between two kinds, those above and below one value (Otsu).

    Noise finer than the structures, whose correlation length this is in px, would hide them; a few extreme
    pixels would be a kind of their own.
    """
    smooth = gaussian_filter(image, length / 3)
    low, high = np.quantile(smooth, (0.005, 0.995))
    if low == high:  # on an even ground, which little stands out from
        return 1.0
    values = np.clip(smooth, low, high)
    above = values > threshold_otsu(values)
    share = above.mean()
    difference = values[above].mean() - values[~above].mean()
    return float(share * (1 - share) * difference**2 / values.var())


def _shift(correlation: NDArray[np.float64], curve: NDArray[np.float64]) -> NDArray[np.intp] | None:
    """The shortest shift, (down, right), that brings the image nearly to itself; None if none clearly does.

    The mean over directions won't do: its first peak lies beyond a lattice's period, as that of a Bessel
    function does.

    Parameters
    ----------
    correlation : float64, shape (H, W)
        Autocorrelation, 1 without noise at shift 0, which is in the middle.
    curve : float64, shape (R,)
        Its mean over all directions.
    """
    rising = np.flatnonzero(np.diff(curve) > 0)
    if not len(rising):
        return None
    middle = np.array(correlation.shape) // 2
    peaks = peak_local_max(correlation, min_distance=2, threshold_abs=_CLEAR, exclude_border=False)
    distances = np.hypot(*(peaks - middle).T)
    # Nearer than the first valley there is the middle's own peak, farther than the curve few shifts overlap.
    is_shift = (distances >= rising[0]) & (distances > 1) & (distances < len(curve))
    if not is_shift.any():
        return None
    heights = correlation[tuple(peaks.T)]
    alike = is_shift & (heights >= _ALIKE * heights[is_shift].max())
    return np.asarray(peaks[np.where(alike, distances, np.inf).argmin()] - middle)


def _along(correlation: NDArray[np.float64], shift: NDArray[np.intp], n: int) -> NDArray[np.float64]:
    """The autocorrelation at 0, 1 ... n - 1 px in the direction of a shift; 1 at 0."""
    steps = np.arange(n) * (shift / np.hypot(*shift))[:, None]
    middle = np.array(correlation.shape)[:, None] // 2
    profile = map_coordinates(correlation, middle + steps, order=1)
    return np.concatenate([[1.0], profile[1:]])


def _spectrum_px(power: NDArray[np.float64], shape: tuple[int, int], binning: int) -> float | None:
    """Wavelength of the strongest peak over rings of frequencies; None if none stands out."""
    y, x = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])
    n_rings = min(shape) // 2
    ring = np.rint(np.hypot(y, x) * 2 * n_rings).astype(np.intp).ravel()
    total = np.bincount(ring, power.ravel())[: n_rings + 1]
    peaks, _ = find_peaks(total, prominence=_CLEAR * total[1:].max())
    if not len(peaks):
        return None
    strongest = int(peaks[total[peaks].argmax()])
    return 2 * n_rings / strongest * binning
