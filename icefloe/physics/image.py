"""One image, measured on the ensemble's map and on each member's."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import KDTree

from icefloe.physics.arrays import Array
from icefloe.physics.crystal import Crystal, measure
from icefloe.physics.curvature import Boundary
from icefloe.physics.outlines import SPECK, PixelSize, find_outlines
from icefloe.physics.quantity import sample_std

THRESHOLD_STEP = 0.1
CRYSTALS = "crystals"
REGION_FILTER_PX = 5
"""Dose noise at the region's rim is voted away over squares of this side."""


@dataclass(frozen=True, eq=False)
class ImagePhysics:
    """Measurements of one image.

    Attributes
    ----------
    name
        Name of the image.
    time_s
        Time at which the image was taken, in s.
    ensemble
        Measured on the mean probability.
    members
        Measured on each member's, with radial lines from the ensemble's centre of mass.
    curvature_std : tuple of float64, shape (P,)
        One array for each of `ensemble.boundaries`: sample standard deviation over members of the curvature
        at the nearest point of each member's own boundaries; NaN where fewer than two members have one.
    region_area_nm2
        Area of the two-phase region (ice and water), in nm^2; NaN where it was not given or not found.
    threshold_effect_nm2
        By how much the area grows when the threshold falls by 0.1 (half the change over two such steps). The
        threshold is the same for all members, so its choice is in no spread.
    flags
        Remarks on the image: no ice, several crystals, cut by the image's edge ...
    """

    name: str
    time_s: float
    ensemble: Crystal
    members: tuple[Crystal, ...]
    curvature_std: tuple[Array, ...]
    region_area_nm2: float
    threshold_effect_nm2: float
    flags: tuple[str, ...]


def measure_image(
    name: str,
    time_s: float,
    mean: NDArray[np.floating],
    members: Sequence[NDArray[np.floating]] | NDArray[np.floating],
    threshold: float,
    pixel_size: PixelSize,
    *,
    region: NDArray[np.bool_] | None = None,
    smoothing_px: float | None = None,
) -> ImagePhysics:
    """Measure one image.

    Parameters
    ----------
    name
        Name of the image, for the result.
    time_s
        Time at which the image was taken, in s.
    mean : float32, shape (H, W)
        The ensemble's probability of ice; of a mask, its 0 and 1.
    members : float32, shape (M, H, W)
        The members' probabilities; empty for a mask, whose quantities then have no spread.
    threshold
        Ice is where the probability is at least this, the ensemble's and each member's.
    pixel_size
        Edge of a pixel in nm, or height and width; 1 leaves every result in pixels.
    region : bool, shape (H, W), optional
        True where there is ice or water, or anything else that is not background; of its parts those that
        hold ice count, so an aperture's dark surround does not.
    smoothing_px
        Along the outline, for the curvature; see `smoothed_boundary`.

    Raises
    ------
    IcefloeError
        If a map is not 2-D, or the pixel size or smoothing is not positive.
    """
    crystal = measure(mean, threshold, pixel_size, smoothing_px=smoothing_px)
    measured = tuple(
        measure(member, threshold, pixel_size, origin_nm=crystal.centre_nm, smoothing_px=smoothing_px)
        for member in members
    )
    areas = [
        sum(outline.area_nm2 for outline in find_outlines(mean, threshold + step, pixel_size))
        for step in (-THRESHOLD_STEP, THRESHOLD_STEP)
    ]
    flags = []
    if crystal.n_crystals == 0:
        flags.append("no ice")
    elif crystal.n_crystals > 1:
        flags.append(f"{crystal.n_crystals} {CRYSTALS}")
    if crystal.cut:
        flags.append("ice cut by the image's edge")
    region_px, region_cut = np.nan, False
    if region is not None:
        region_px, region_cut = two_phase_area(region, mean >= threshold)
    if region_cut:
        flags.append("two-phase region cut by the image's edge")
    pixel_area = float(np.prod(np.broadcast_to(pixel_size, 2)))
    return ImagePhysics(
        name=name,
        time_s=time_s,
        ensemble=crystal,
        members=measured,
        curvature_std=tuple(_curvature_std(boundary, measured) for boundary in crystal.boundaries),
        region_area_nm2=region_px * pixel_area,
        threshold_effect_nm2=float(areas[0] - areas[1]) / 2.0,
        flags=tuple(flags),
    )


def two_phase_area(region: NDArray[np.bool_], ice: NDArray[np.bool_]) -> tuple[float, bool]:
    """Area of the two-phase region, and whether it extends beyond the image.

    Parameters
    ----------
    region, ice : bool, shape (H, W)
        Pixels of the two-phase region, and pixels of ice.

    Returns
    -------
    area_px, cut
        Area, in px, of the connected parts of the region that hold ice, with noise at the rim smoothed and
        holes filled; and whether the image's edge cuts them. NaN without ice: which part was the specimen's
        is then unknown.
    """
    parts, n_parts = ndimage.label(ice)
    if n_parts == 0:
        return np.nan, False
    sizes = np.bincount(parts.ravel())[1:]
    crystals = np.isin(parts, 1 + np.flatnonzero(sizes >= SPECK * sizes.max()))
    smooth = ndimage.median_filter(region.astype(np.uint8), REGION_FILTER_PX) > 0
    labels, _ = ndimage.label(smooth | crystals)
    held = ndimage.binary_fill_holes(np.isin(labels, np.unique(labels[crystals])))
    cut = bool(held[[0, -1]].any() or held[:, [0, -1]].any())
    return float(held.sum()), cut


def _curvature_std(boundary: Boundary, members: Sequence[Crystal]) -> Array:
    curvatures = np.full((len(members), len(boundary.points_nm)), np.nan)
    for index, member in enumerate(members):
        if member.boundaries:
            points = np.concatenate([b.points_nm for b in member.boundaries])
            values = np.concatenate([b.curvature_per_nm for b in member.boundaries])
            curvatures[index] = values[KDTree(points).query(boundary.points_nm)[1]]
    return sample_std(curvatures)
