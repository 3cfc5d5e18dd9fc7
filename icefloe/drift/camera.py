"""Camera artefacts besides shot noise: X-ray spikes, and lines of uneven gain."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_SPIKE_SIGMAS = 5.0
_USUAL_SPIKES = 20.0
_LINE_PX = 3.0
_TAPS = np.zeros(41)
_TAPS[20] = 1.0
_PASSED = float(((_TAPS - ndimage.gaussian_filter1d(_TAPS, _LINE_PX)) ** 2).sum())
"""Share of white noise's variance that the high pass across lines leaves."""


def spike_rate(pixels: NDArray[np.float32], flat: NDArray[np.bool_], sigma: float) -> float:
    """Single bright pixels, such as X-rays leave, per million.

    A pixel counts that exceeds its eight neighbours' mean by five standard deviations of the noise. To
    the rate 20 are added, about one spike in 256 x 256 pixels: where there are fewer, their number is chance,
    and its logarithm would jump.

    Parameters
    ----------
    pixels : float32, shape (H, W)
        Intensities in any linear unit.
    flat : bool, shape (H, W)
        Pixels to look at: those away from edges.
    sigma : float
        Standard deviation of pixel noise, in the unit of `pixels`.

    Returns
    -------
    float
        Per million of the flat pixels, plus 20.
    """
    neighbours = (9 * ndimage.uniform_filter(pixels, 3) - pixels) / 8
    limit = _SPIKE_SIGMAS * sigma * np.sqrt(1 + 1 / 8)
    spikes = np.count_nonzero((pixels - neighbours)[flat] > limit)
    return float(1e6 * spikes / np.count_nonzero(flat) + _USUAL_SPIKES)


def line_noise(pixels: NDArray[np.float32], flat: NDArray[np.bool_], sigma: float) -> float:
    """Standard deviation between columns and between rows that pixel noise does not explain.

    Uneven gain of readout columns stays where it is over a whole column, while pixel noise averages out.

    Parameters
    ----------
    pixels, flat, sigma
        As in `spike_rate`.

    Returns
    -------
    float
        In the unit of `pixels`, never 0: an estimate below its own error tends to a third of that error.
    """
    return float(np.hypot(_between_lines(pixels, flat, sigma), _between_lines(pixels.T, flat.T, sigma)))


def _between_lines(pixels: NDArray[np.float32], flat: NDArray[np.bool_], sigma: float) -> float:
    """Of columns; see `line_noise`."""
    difference = pixels - ndimage.gaussian_filter1d(pixels, _LINE_PX, axis=1)
    counts = flat.sum(axis=0)
    long = counts >= 0.25 * len(flat)  # short lines would be pixel noise only
    if np.count_nonzero(long) < 8:
        return float(0.3 * sigma / np.sqrt(max(int(counts.max()), 1)))
    # Clipped, because a line with an X-ray in it is no uneven line.
    sums = np.where(flat, difference.clip(-4 * sigma, 4 * sigma), 0.0).sum(axis=0)
    means = sums[long] / counts[long]
    from_pixels = sigma**2 * _PASSED * float(np.mean(1 / counts[long]))
    excess = float(np.mean(means**2)) / from_pixels - 1
    error = 2 * np.sqrt(2 / np.count_nonzero(long))
    # A smooth positive part: the excess itself where it is clear, a small number where it is chance.
    return float(np.sqrt(from_pixels * (excess + np.hypot(excess, error)) / 2 / _PASSED))
