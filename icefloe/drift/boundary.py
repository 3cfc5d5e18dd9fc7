"""Evidence across and along the boundary of the predicted foreground.

The mask says roughly where the boundary is; the image is then followed along it, because a mask from a coarse
grid misses by pixels what decides here: how high the step is, how steep, and which corners the outline has.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from icefloe.physics.curvature import smoothed_boundary
from icefloe.physics.outlines import find_outlines
from icefloe.typing import MaskArray

Array = NDArray[np.float64]

PER_PX = 2
"""Samples per pixel along the normal."""

_REACH_PX = 18
_NEAR_PX = 8.0  # a step is looked for about so far from the mask's outline
_ALONG_PX = 6.0  # noise is averaged along the outline over this length before the step is looked for
_ACROSS_PX = 1.5
_STEADY_PX = 4.0
_FINE_PX, _STEP_PX = 1, 4
_FLOOR = 1e-3  # of the intensity: a step that is not there keeps a finite logarithm
_FACETS_FLOOR = 0.005  # share of the radius by which an outline at pixel resolution is uncertain
_TRUSTED_SHARE = (
    0.05  # of the radius: where mask and image are farther apart, one of them has lost the outline
)


@dataclass(frozen=True)
class BoundaryEvidence:
    """Evidence of the foreground's boundary in one image.

    Attributes
    ----------
    contrast : float
        Step in intensity from 4 px inside to 4 px outside, relative to the mean of the two.
    sharpness : float
        Share of that step that lies within 1 px: high for a thin edge, and raised or lowered by Fresnel
        fringes, so it moves with the defocus.
    elongation : float
        Long over short axis of the ellipse with the outline's second moments, at least 1. NaN, as `facets`,
        where mask and image disagree on where the outline runs, or the image's edge cuts it.
    facets : float
        Amplitude of the sixth harmonic of the outline, relative to its radius, once it is stretched to equal
        second moments: 0 for an ellipse, about 0.05 for a hexagon however stretched, the habit of ice Ih.
    """

    contrast: float
    sharpness: float
    elongation: float
    facets: float


def measure_boundary(pixels: NDArray[np.float32], mask: MaskArray) -> BoundaryEvidence | None:
    """Follow the boundary of the foreground and measure it.

    Parameters
    ----------
    pixels : float32, shape (H, W)
        Intensities above the dark level, in any unit.
    mask : uint8, shape (H, W)
        Predicted class of each pixel; all but 0 are foreground.

    Returns
    -------
    BoundaryEvidence or None
        None where no outline is longer than 30 px; step and sharpness are means over all outlines, the shape
        is that of the longest.
    """
    outlines = _outlines(mask)
    if not outlines:
        return None
    followed = [_follow(pixels, outline) for outline in outlines]
    profiles = np.concatenate([across for _, across, _ in followed])[
        np.concatenate([w for *_, w in followed])
    ]
    if not len(profiles):
        return None
    profile = profiles.mean(axis=0)
    middle = len(profile) // 2

    def step(distance: int) -> float:
        return float(profile[middle + distance * PER_PX] - profile[middle - distance * PER_PX])

    level = max(abs(float(profile.mean())), 1e-6 * float(np.ptp(pixels)))
    contrast = max(abs(step(_STEP_PX)) / level, _FLOOR)
    fine = max(abs(step(_FINE_PX)) / level, _FLOOR)
    moved, _, whole = followed[0]
    rms_distance = np.sqrt(((moved - outlines[0]) ** 2).sum(axis=1).mean())
    around = np.hypot(*np.diff(outlines[0], axis=0, append=outlines[0][:1]).T).sum()
    trusted = whole.all() and rms_distance < _TRUSTED_SHARE * around / (2 * np.pi)
    elongation, facets = _shape(moved) if trusted else (np.nan, np.nan)
    return BoundaryEvidence(contrast, fine / contrast, elongation, facets)


def _outlines(mask: MaskArray) -> list[Array]:
    """Smoothed outlines of the foreground's pieces, (N, 2) each, largest first; holes are left out."""
    smoothed = (
        smoothed_boundary(outline, 1.0)
        for outline in find_outlines((mask > 0).astype(np.uint8), 0.5, 1.0)
        if outline.area_nm2 > 0
    )
    # Turned round, they run from rows to columns.
    return [boundary.points_nm[::-1] for boundary in smoothed if boundary is not None]


def _follow(
    pixels: NDArray[np.float32], outline: Array
) -> tuple[Array, NDArray[np.float32], NDArray[np.bool_]]:
    """The outline moved to the steepest step nearby, (N, 2); the intensities across it, (N, P); and, (N,),
    where these lie within the image.
    """
    along = np.roll(outline, -1, axis=0) - np.roll(outline, 1, axis=0)
    along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None]
    outward = np.column_stack([along[:, 1], -along[:, 0]])  # outlines run from rows to columns
    distances = np.arange(-_REACH_PX * PER_PX, _REACH_PX * PER_PX + 1) / PER_PX
    points = outline[:, None] + distances[:, None] * outward[:, None]
    across = ndimage.map_coordinates(pixels, np.moveaxis(points, 2, 0), order=1, mode="nearest")
    smooth = ndimage.gaussian_filter(across, (_ALONG_PX, _ACROSS_PX * PER_PX), mode=("wrap", "nearest"))
    slope = np.gradient(smooth, axis=1)
    direction = np.sign(slope[:, np.abs(distances) <= _NEAR_PX / 2].mean())
    steepest = (slope * direction * np.exp(-0.5 * (distances / _NEAR_PX) ** 2)).argmax(axis=1)
    far = outline + _STEP_PX * outward
    within = np.all((far >= 0) & (far <= np.array(pixels.shape) - 1), axis=1)
    moved = ndimage.gaussian_filter1d(np.where(within, distances[steepest], 0.0), _STEADY_PX, mode="wrap")
    # Linear interpolation once more, along the normals, so that each profile has the step in its middle.
    start = (moved - _STEP_PX - 2 - distances[0]) * PER_PX
    first = np.clip(start.astype(int), 0, len(distances) - 2 - 2 * (_STEP_PX + 2) * PER_PX)
    columns = first[:, None] + np.arange(2 * (_STEP_PX + 2) * PER_PX + 1)
    rows = np.arange(len(outline))[:, None]
    share = np.clip(start - first, 0.0, 1.0)[:, None].astype(np.float32)
    profiles = across[rows, columns] * (1 - share) + across[rows, columns + 1] * share
    return outline + moved[:, None] * outward, profiles, within


def _shape(outline: Array) -> tuple[float, float]:
    """Elongation and facets of a closed outline, (N, 2)."""
    following = np.roll(outline, -1, axis=0)
    cross = outline[:, 0] * following[:, 1] - following[:, 0] * outline[:, 1]
    area = cross.sum() / 2
    centre = ((outline + following) * cross[:, None]).sum(axis=0) / (6 * area)
    p, q = outline - centre, following - centre
    cross = (p[:, 0] * q[:, 1] - q[:, 0] * p[:, 1])[:, None, None]
    # Second moments of the polygon's area: Green's theorem over its edges.
    pairs = [(p, p), (q, q), (p / 2, q), (q, p / 2)]
    moments = sum((a[:, :, None] * b[:, None, :] * cross).sum(axis=0) for a, b in pairs) / (12 * area)
    sizes, axes = np.linalg.eigh(moments)
    sizes = np.maximum(sizes, 1e-9)
    round_ = p @ axes / np.sqrt(sizes)
    angles, reach = np.arctan2(round_[:, 1], round_[:, 0]), np.hypot(round_[:, 0], round_[:, 1])
    order = np.argsort(angles)
    even = np.linspace(-np.pi, np.pi, 128, endpoint=False)
    spectrum = np.fft.rfft(np.interp(even, angles[order], reach[order], period=2 * np.pi))
    sixth = 2 * abs(spectrum[6]) / abs(spectrum[0])
    return float(np.sqrt(sizes[1] / sizes[0])), float(np.hypot(sixth, _FACETS_FLOOR))
