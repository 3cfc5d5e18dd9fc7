"""Input evidence of an image: noise, contrast, sharpness, intensities, camera, boundary.

The measurements need no labels, and no model but for the mask that leads to the boundary. They are unchanged
when all intensities are multiplied by one number or shifted by another (gain, camera offset, counts against
electrons), because an ensemble normalises that away: intensity is counted from the darkest part of the image.
"""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from icefloe.drift.boundary import BoundaryEvidence, measure_boundary
from icefloe.drift.camera import line_noise, spike_rate
from icefloe.errors import IcefloeError
from icefloe.typing import MaskArray

QUANTILE_LEVELS = tuple(float(q) for q in np.arange(5, 100, 5) / 100)
"""Levels at which the intensity distribution is kept; beyond 5 % and 95 % spikes and vignetting decide."""

_LAPLACIAN = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)
_LAPLACIAN_GAIN = 6.0  # root of the sum of squares of the kernel: its response to unit white noise
_TRIM = 0.95
_TRIMMED_MEAN_OF_NORMAL = (
    0.7168231  # mean |z| of a standard normal, given that |z| is below its 95 % quantile
)
_SMOOTHING_PX = 2.0
_FINE_PX, _COARSE_PX = 1.5, 4.0
_DARK_QUANTILE = 0.005  # the shadow outside the aperture, or a background that was removed
_BRIGHT_QUANTILE = 0.8  # the brighter phase, whether the crystal fills much of the view or little
_EDGE_MARGIN_PX = 5


@dataclass(frozen=True)
class Evidence:
    """Input evidence of one image.

    Attributes
    ----------
    noise : float
        Standard deviation of pixel noise relative to the brighter phase; 1/sqrt(dose) for pure shot noise.
    contrast : float
        Step in intensity across the strongest edges (read at 4 px) relative to the brighter phase. A step,
        not the spread of all intensities: the latter falls when the crystal melts.
    snr : float
        `contrast / noise`: height of an edge over one pixel's noise (contrast-to-noise ratio).
    sharpness : float
        Gradient of the strongest edges at 1.5 px relative to 4 px, divided by the value of an ideal step; 1
        is a step, a Gaussian edge of 4 px scores about 0.5.
    quantiles : float64, shape (Q,)
        Quantiles at `QUANTILE_LEVELS` of the smoothed lit intensity, standardised to mean 0 and variance 1.
    spikes : float
        Single bright pixels per million, plus 20; see `camera.spike_rate`.
    lines : float
        Standard deviation between columns or rows, relative to the brighter phase; see `camera.line_noise`.
    boundary : BoundaryEvidence or None
        Evidence at the predicted foreground's boundary; None without a mask, or without a boundary in it.
    """

    noise: float
    contrast: float
    snr: float
    sharpness: float
    quantiles: NDArray[np.float64]
    spikes: float
    lines: float
    boundary: BoundaryEvidence | None

    def to_features(self) -> dict[str, float]:
        """Flat numbers for a table: `noise` ... `lines`, `quantile_05` ... `_95`, `boundary_contrast` ..."""
        values = {name: getattr(self, name) for name in ("noise", "contrast", "snr", "sharpness")}
        values |= {"spikes": self.spikes, "lines": self.lines}
        values |= dict(zip(QUANTILE_COLUMNS, map(float, self.quantiles), strict=True))
        boundary = asdict(self.boundary) if self.boundary else {}
        return values | {f"boundary_{name}": value for name, value in boundary.items()}


QUANTILE_COLUMNS = tuple(f"quantile_{round(100 * level):02d}" for level in QUANTILE_LEVELS)


def measure_evidence(image: ArrayLike, mask: MaskArray | None = None) -> Evidence:
    """Measure one image at its native resolution (resampling would smooth the noise away).

    Noise is Immerkaer's Laplacian estimate (Fast noise variance estimation, CVIU 64, 1996) on the flatter
    three quarters of the lit area, trimmed so that X-ray spikes do not count. Sharpness compares gradients at
    two scales.

    Parameters
    ----------
    image : array, shape (H, W)
        Intensities in any linear unit.
    mask : uint8, shape (H, W), optional
        The ensemble's mask of it; without it the boundary is not measured.

    Returns
    -------
    Evidence
        Relative to the image's own brightness, so that gain and offset of the camera do not matter.

    Raises
    ------
    IcefloeError
        If the image is not two-dimensional, is smaller than 32 pixels on a side, or is constant or not
        finite, or the mask has another shape.
    """
    pixels = np.asarray(image, dtype=np.float32)
    if pixels.ndim != 2 or min(pixels.shape) < 32:
        raise IcefloeError(
            f"Input evidence of an array of shape {pixels.shape}: a grey image of at least 32 x 32 pixels "
            "is needed. Give the composite itself."
        )
    if not np.isfinite(pixels).all() or pixels.min() == pixels.max():
        raise IcefloeError(
            "Input evidence of an image that is constant or has NaN or infinite pixels. Set that image aside."
        )
    if mask is not None and mask.shape != pixels.shape:
        raise IcefloeError(
            f"Input evidence: the mask has the shape {mask.shape}, the image {pixels.shape}. "
            "Give the mask of this image."
        )
    smooth = ndimage.gaussian_filter(pixels, _SMOOTHING_PX)
    dark = float(np.quantile(smooth, _DARK_QUANTILE))
    pixels, smooth = pixels - dark, smooth - dark
    lit = _lit_area(smooth)
    values = smooth[lit]
    level = max(float(np.quantile(values, _BRIGHT_QUANTILE)), 1e-6 * float(np.ptp(pixels)))
    fine = ndimage.gaussian_gradient_magnitude(pixels, _FINE_PX)
    coarse = ndimage.gaussian_gradient_magnitude(pixels, _COARSE_PX)

    # Edges are chosen at the coarse scale: at the fine one, noise itself would be chosen.
    ridge = lit & (coarse >= 0.98 * ndimage.maximum_filter(coarse, 3))
    strongest = ridge & (coarse >= np.quantile(coarse[ridge], 0.75)) if ridge.any() else lit
    flat = lit & (coarse <= np.quantile(coarse[lit], 0.75))
    sigma = _noise(pixels, flat)
    fine_step = _step(fine[strongest], _FINE_PX, sigma)
    coarse_step = _step(coarse[strongest], _COARSE_PX, sigma)
    # Floors far below any camera's keep a noise-free or edgeless image finite on the log scale.
    noise, contrast = max(sigma / level, 1e-5), max(coarse_step / level, 1e-5)
    quantiles = (np.quantile(values, QUANTILE_LEVELS) - values.mean()) / max(
        float(values.std()), 1e-6 * level
    )
    sharpness = float(np.clip(fine_step / max(coarse_step, 1e-5 * level), 0.05, 2.0))
    return Evidence(
        noise=noise,
        contrast=contrast,
        snr=contrast / noise,
        sharpness=sharpness,
        quantiles=quantiles.astype(np.float64),
        spikes=spike_rate(pixels, flat, sigma),
        lines=max(line_noise(pixels, flat, sigma) / level, 1e-6),
        boundary=None if mask is None else measure_boundary(pixels, mask),
    )


def _lit_area(smooth: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Inside the aperture, away from its edge: that edge is the microscope's, not the specimen's."""
    # Without the quarter, a removed background (zeros) or the shadow outside the aperture would set every
    # number.
    lit = smooth > 0.25 * np.quantile(smooth, 0.95)
    inner: NDArray[np.bool_] = (
        ndimage.distance_transform_cdt(np.pad(lit, 1, constant_values=True), "chessboard")[1:-1, 1:-1]
        > _EDGE_MARGIN_PX
    )
    if inner.mean() >= 0.02:
        return inner
    return lit if lit.mean() >= 0.02 else np.ones_like(lit)


def _noise(pixels: NDArray[np.float32], flat: NDArray[np.bool_]) -> float:
    response = np.abs(ndimage.convolve(pixels, _LAPLACIAN))[flat]
    trimmed = response[response <= np.quantile(response, _TRIM)]
    return float(trimmed.mean()) / (_TRIMMED_MEAN_OF_NORMAL * _LAPLACIAN_GAIN)


def _step(gradient: NDArray[np.float32], scale: float, sigma: float) -> float:
    """Height of the ideal step that has this gradient at this scale, the noise's share taken off."""
    from_noise = sigma**2 / (4 * np.pi * scale**4)
    energy = max(float(np.mean(gradient.astype(float) ** 2)) - from_noise, 0.0)
    # An ideal step of height C has gradient C / (sqrt(2 pi) s) at scale s.
    return float(np.sqrt(2 * np.pi * energy)) * scale
