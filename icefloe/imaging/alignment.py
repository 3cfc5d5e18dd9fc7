"""Drift between frames, measured by phase correlation and undone to a fraction of a pixel."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage
from skimage.filters import window
from skimage.registration import phase_cross_correlation
from skimage.transform import downscale_local_mean

from icefloe.typing import FloatArray

LARGEST_SIDE = 1024
"""Longer sides are binned before registration: at the doses that specimens bear there is nothing finer."""

UPSAMPLING = 20
"""Shifts are resolved to this part of a (binned) pixel."""

HIGH_PASS_PX = 33
"""Brightness that varies over more than this is illumination, which does not move with the specimen."""

LEAST_WEIGHT = 0.1
"""Share of the newest composite in the reference: after ten composites the reference follows the specimen's
own change, and errors do not add up from each composite to the next as they would without a memory."""

FALSE_ALARMS = 1e-3
"""Share of shifts measured between images that have nothing in common and are taken for real."""

OUTLIER_PERCENTILES = (0.5, 99.5)

_PADDING = 8


@dataclass(frozen=True)
class Shift:
    """Where the specimen is.

    Attributes
    ----------
    row, column
        Displacement from where it was at first, in px.
    is_measured
        Whether the correlation peak stands out from chance; otherwise it is the last one that did.
    """

    row: float
    column: float
    is_measured: bool


class DriftTracker:
    """Follows the specimen against the mean of what has been aligned so far.

    Phase correlation (Kuglin and Hines 1975) with each spatial frequency weighted by the reference's signal
    over signal and noise, so that neither noise nor what is bright and does not move (the beam, an aperture)
    decides; refined by a matrix-multiply Fourier transform (Guizar-Sicairos et al. 2008) in scikit-image.

    Attributes
    ----------
    reference : float32, shape (H, W), or None
        Mean of the composites aligned so far, the newest counting most; None before the first image.
    n_composites
        Number of composites that the reference is the mean of.
    last
        Where the specimen was when it was last measured: row and column in px.
    """

    def __init__(self) -> None:
        self.reference: FloatArray | None = None
        self.n_composites = 0
        self.last = (0.0, 0.0)
        self._spectrum: _Reference | None = None

    def locate(self, image: FloatArray) -> Shift:
        """Where the specimen is in an image, shape (H, W)."""
        if self.reference is None:
            return Shift(*self.last, is_measured=True)
        if self._spectrum is None:
            self._spectrum = _Reference(self.reference)
        found = self._spectrum.displacement(image)
        if found is None:
            return Shift(*self.last, is_measured=False)
        self.last = found
        return Shift(*found, is_measured=True)

    @property
    def is_beginning(self) -> bool:
        """Whether no composite has been learnt yet."""
        return self.n_composites == 0

    def look_at(self, mean_so_far: FloatArray) -> None:
        """In the first composite: take what of it is aligned so far, shape (H, W), as the reference."""
        self.reference, self._spectrum = mean_so_far, None

    def learn(self, composite: FloatArray) -> None:
        """Add an aligned composite, shape (H, W), to the reference."""
        self.n_composites += 1
        weight = np.float32(max(1.0 / self.n_composites, LEAST_WEIGHT))
        before = composite if self.reference is None else self.reference
        self.reference = before + weight * (composite - before)
        self._spectrum = None


class AlignedMean:
    """The mean of images moved to where the specimen was at first; a pixel's mean is over those that saw it.

    Sub-pixel shifts are phase ramps in Fourier space, which blur nothing; images are mirrored at their margin
    before, so that nothing comes in from the opposite side.

    Parameters
    ----------
    shape
        (H, W) of the images in px.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self._total = np.zeros(shape)
        self._weight = np.zeros(shape, np.float32)

    def add(self, image: FloatArray, shift: Shift, weight: float) -> None:
        """Add an image, shape (H, W), in which the specimen is displaced by `shift`, `weight` times."""
        whole = [round(-shift.row), round(-shift.column)]
        moved = _shifted(image, (-shift.row - whole[0], -shift.column - whole[1]))
        target, source = zip(*(_overlap(*pair) for pair in zip(image.shape, whole, strict=True)), strict=True)
        self._total[target] += weight * moved[source]
        self._weight[target] += weight

    def image(self) -> tuple[FloatArray, int]:
        """The mean, float32 of shape (H, W), and how many pixels no image saw.

        Those, at the margin, take the value of the nearest that was seen.
        """
        unseen = self._weight == 0
        mean = (self._total / np.maximum(self._weight, np.finfo(np.float32).tiny)).astype(np.float32)
        if unseen.any():
            nearest = ndimage.distance_transform_edt(unseen, return_distances=False, return_indices=True)
            mean = mean[tuple(nearest)]
        return mean, int(np.count_nonzero(unseen))


class _Reference:
    """A reference's phases and how far each can be trusted."""

    def __init__(self, image: FloatArray) -> None:
        self._binning = -(-max(image.shape) // LARGEST_SIDE)
        spectrum = self._spectrum(image)
        self._weight = _signal_share(spectrum)
        self._phases = self._weight * _phases(spectrum)

    def displacement(self, image: FloatArray) -> tuple[float, float] | None:
        """Of an image's specimen from the reference's, in px; None if they have nothing in common."""
        phases = self._weight * _phases(self._spectrum(image))
        if not (phases.any() and self._phases.any()):  # a constant image
            return None
        shift, error, _ = phase_cross_correlation(
            self._phases, phases, upsample_factor=UPSAMPLING, space="fourier", normalization=None
        )
        power = np.sum(self._weight**2)
        # Of random phases the peak's square is chi-squared with one degree of freedom, times this scale.
        scale = _WINDOW_CORRELATION * np.sum(self._weight**4)
        chance = 2.0 * scale * np.log(self._weight.size / FALSE_ALARMS)
        if (1.0 - error**2) * power**2 < chance:
            return None
        return -float(shift[0]) * self._binning, -float(shift[1]) * self._binning

    def _spectrum(self, image: FloatArray) -> NDArray[np.complex64]:
        if self._binning > 1:
            image = downscale_local_mean(image, (self._binning, self._binning)).astype(np.float32)
        # X-ray hits have all phases, and would drown the specimen's if they were let stand out.
        low, high = np.percentile(image[::4, ::4], OUTLIER_PERCENTILES)
        image = np.clip(image, np.float32(low), np.float32(high))
        detail = image - ndimage.uniform_filter(image, HIGH_PASS_PX)
        return np.asarray(fft.fft2(detail * _taper(image.shape)))


_WINDOW_CORRELATION = 1.22**2
"""By how much the window makes neighbouring frequencies alike, along both axes (Harris 1978)."""


@lru_cache(maxsize=2)
def _taper(shape: tuple[int, int]) -> FloatArray:
    return window(("tukey", 0.5), shape).astype(np.float32)


def _phases(spectrum: NDArray[np.complex64]) -> NDArray[np.complex64]:
    magnitude = np.abs(spectrum)
    return np.divide(spectrum, magnitude, out=np.zeros_like(spectrum), where=magnitude > 0)


def _signal_share(spectrum: NDArray[np.complex64]) -> FloatArray:
    """Signal over signal and noise at each frequency, by rings; noise is what is in the corners."""
    power = np.abs(spectrum) ** 2
    rows, columns = spectrum.shape
    radius = np.hypot(fft.fftfreq(rows)[:, None], fft.fftfreq(columns))
    n_rings = max(1, min(rows, columns) // 2)
    ring = np.minimum((2 * n_rings * radius).astype(np.intp), n_rings)
    by_ring = np.bincount(ring.ravel(), power.ravel()) / np.maximum(np.bincount(ring.ravel()), 1)
    noise = np.median(power[radius > 0.4]) / np.log(2)  # of exponentially distributed powers
    share = 1.0 - noise / np.maximum(by_ring, np.finfo(np.float32).tiny)
    return np.clip(share, 0, 1).astype(np.float32)[ring]


def _shifted(image: FloatArray, by: tuple[float, float]) -> FloatArray:
    """An image moved by at most half a pixel along each axis."""
    if by == (0.0, 0.0):
        return image
    padded = np.pad(image, _PADDING, mode="symmetric")
    shape = [fft.next_fast_len(side, real=True) for side in padded.shape]
    beyond = [(0, fast - side) for fast, side in zip(shape, padded.shape, strict=True)]
    padded = np.pad(padded, beyond, mode="edge")
    ramp_rows = np.exp(-2j * np.pi * by[0] * fft.fftfreq(shape[0]))[:, None]
    ramp_columns = np.exp(-2j * np.pi * by[1] * fft.rfftfreq(shape[1]))
    spectrum = fft.rfft2(padded) * (ramp_rows * ramp_columns).astype(np.complex64)
    moved = fft.irfft2(spectrum, s=shape)
    return np.asarray(moved[_PADDING : _PADDING + image.shape[0], _PADDING : _PADDING + image.shape[1]])


def _overlap(side: int, by: int) -> tuple[slice, slice]:
    """Where along an axis a picture moved by whole pixels lands, and from where."""
    by = max(-side, min(side, by))
    return slice(max(by, 0), side + min(by, 0)), slice(max(-by, 0), side - max(by, 0))
