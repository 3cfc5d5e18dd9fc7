"""Transmission of the sample: ice in water on a film inside a round aperture, in bright field."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from icefloe.simulate.kinetics import radii, temperatures
from icefloe.simulate.outline import N_ANGLES, Outline, around, reach
from icefloe.simulate.spec import ExperimentSpec

WAVELENGTH_NM = 1.97e-3
"""Of electrons at 300 kV."""

INTERACTION_RAD_PER_V_NM = 6.53e-3
"""Phase that one volt of inner potential adds along one nm, at 300 kV."""

WATER_POTENTIAL_V = 4.6
ICE_STEP_V = 1.0
"""Mean inner potential of water, and by how much that of ice differs from it (effective)."""

SURROUND = 0.02
"""Share of the beam that gets past the aperture's rim."""

SPECK_REACH = 9.0
"""Standard deviations beyond which a speck takes away less than float64 resolves."""

Array = NDArray[np.float64]


class Scene:
    """The sample of one experiment; the same spec and seed give the same sample.

    Parameters
    ----------
    spec
        Specification of the experiment.
    rng
        Source of everything that chance decides about the sample: outlines, film, bands, debris.

    Attributes
    ----------
    temperatures_c, radii_nm : float64, shape (n_composites,)
        Temperature and equivalent radius of all ice in the middle of each second.
    drift_direction : float
        Direction in which the sample drifts, in radians.
    """

    def __init__(self, spec: ExperimentSpec, rng: np.random.Generator) -> None:
        self.spec = spec
        self.temperatures_c = temperatures(spec.start_c, spec.rate_c_per_s, spec.n_composites)
        self.radii_nm = radii(
            spec.ice_radius_nm,
            spec.kinetic_coefficient_nm_per_s_k,
            spec.start_c,
            spec.rate_c_per_s,
            spec.n_composites,
        )
        axis = (np.arange(spec.size_px) - (spec.size_px - 1) / 2.0) * spec.pixel_size_nm
        self._rows, self._columns = np.meshgrid(axis, axis, indexing="ij")
        self.drift_direction = rng.uniform(0.0, 2.0 * np.pi)
        self._crystals = self._place_crystals(rng)
        self._water_outlines = [self._water_around(crystal, rng) for crystal in self._crystals]
        self._water_wave = _wave([rng.normal(0.0, 0.12 / order) for order in range(2, 12)], 2, rng)
        self._light = self._illumination(_wave([rng.normal(0.0, 0.0015) for _ in range(57)], 3, rng))
        self._bands = [(rng.uniform(-0.8, 0.8), rng.uniform(0.03, 0.07)) for _ in range(spec.bend_contours)]
        self._band_direction = rng.uniform(0.0, np.pi)
        self._band_bow = rng.normal(0.0, 0.15)
        self._film = 1.0 + spec.film_texture * self._texture(rng) - self._debris(rng)
        self._band_phase = rng.uniform(-0.2, 0.2)
        for _ in range(spec.water_arms):
            self._water_wave = self._water_wave + _arm(rng)

    def render(self, second: int) -> tuple[Array, NDArray[np.uint8]]:
        """Transmitted share of the beam and exact mask in the middle of `second`.

        Returns
        -------
        transmitted : float64, shape (H, W)
            In [0, about 1.3]; above 1 where the illumination is.
        mask : uint8, shape (H, W)
            1 where the pixel's centre lies in ice. None reaches beyond the water.
        """
        spec = self.spec
        elapsed = second + 0.5 - spec.n_composites / 2.0
        drift = spec.camera.drift_nm_per_s * elapsed
        drift_row = drift * np.sin(self.drift_direction)
        drift_column = drift * np.cos(self.drift_direction)
        rows, columns = self._rows - drift_row, self._columns - drift_column

        share = 1.0 / np.sqrt(len(self._crystals))  # crystals share the area equally
        radius = self.radii_nm[second] * share
        inside = np.max([radius - crystal.depth(rows, columns) for crystal in self._crystals], axis=0)
        total = spec.water_thickness_nm * np.maximum(1.0 - self._water_depth(rows, columns) ** 2, 0.0)
        if spec.water_rim_nm:
            to_edge = ndimage.distance_transform_edt(total > 0.0) * spec.pixel_size_nm
            inside = np.minimum(inside, to_edge - spec.water_rim_nm)
        mask = ((inside > 0.0) & (total > 0.0)).astype(np.uint8)
        wedge = np.clip(inside / spec.ice_edge_nm, 0.0, 1.0)
        ice = np.minimum(spec.ice_thickness_nm * wedge * (2.0 - wedge), total)
        absorbed = (total - ice) / spec.water_mfp_nm + ice / spec.ice_mfp_nm
        phase = INTERACTION_RAD_PER_V_NM * (WATER_POTENTIAL_V * total + ICE_STEP_V * ice)

        transmitted = np.exp(-absorbed) * self._fresnel(phase)
        transmitted *= 1.0 - spec.bend_strength * self._bend_bands(rows, columns, second) * wedge
        shift = (drift_row / spec.pixel_size_nm, drift_column / spec.pixel_size_nm)
        transmitted *= ndimage.shift(self._film, shift, order=1, mode="nearest")
        return transmitted * self._light, mask

    def _place_crystals(self, rng: np.random.Generator) -> list[Outline]:
        spec = self.spec
        angle = np.deg2rad(spec.orientation_deg)
        row, column = rng.normal(0.0, 0.03 * spec.aperture_radius_nm, 2)
        edges = [reach(spec.shape, spec.elongation, spec.departure, spec.roughness, rng) for _ in range(2)]
        if spec.shape != "two":
            return [Outline(row, column, angle, edges[0])]
        separation = 0.78 * spec.ice_radius_nm * spec.departure
        y, x = separation * np.sin(angle), separation * np.cos(angle)
        across = angle + np.pi / 2.0
        return [
            Outline(row - y, column - x, across, edges[0]),
            Outline(row + y, column + x, across + rng.normal(0.0, 0.4), edges[1]),
        ]

    def _water_around(self, crystal: Outline, rng: np.random.Generator) -> Outline:
        spec = self.spec
        orientation = crystal.orientation + np.deg2rad(spec.water_turn_deg)
        away = spec.water_shift * spec.ice_radius_nm
        return Outline(
            crystal.row + away * np.sin(orientation),
            crystal.column + away * np.cos(orientation),
            orientation,
            reach("round", spec.water_elongation or spec.elongation, 0.0, 0.02, rng),
        )

    def _water_depth(self, rows: Array, columns: Array) -> Array:
        """0 in the middle of the water and 1 at its edge, which runs around all crystals together."""
        largest = max(self.spec.ice_radius_nm, float(self.radii_nm.max())) / np.sqrt(len(self._crystals))
        extent = largest * self.spec.water_extent
        depths = [np.maximum(water.depth(rows, columns), 1e-3) / extent for water in self._water_outlines]
        combined_depth = np.sum([depth**-4 for depth in depths], axis=0) ** -0.25
        middle_row = np.mean([crystal.row for crystal in self._crystals])
        middle_column = np.mean([crystal.column for crystal in self._crystals])
        angle = np.arctan2(rows - middle_row, columns - middle_column)
        return combined_depth / (1.0 + around(self._water_wave, angle))

    def _fresnel(self, phase: Array) -> Array:
        """Edge fringes by the transport of intensity, to first order in the defocus."""
        curvature = ndimage.laplace(phase, mode="nearest") / self.spec.pixel_size_nm**2
        change = -WAVELENGTH_NM * self.spec.defocus_um * 1e3 / (2.0 * np.pi) * curvature
        return np.clip(1.0 + change, 0.5, 1.5)  # first order holds no further

    def _bend_bands(self, rows: Array, columns: Array, second: int) -> Array:
        """Bands along which the bent lattice meets a Bragg condition; they move as the bending changes."""
        spec = self.spec
        along = columns * np.cos(self._band_direction) + rows * np.sin(self._band_direction)
        across = rows * np.cos(self._band_direction) - columns * np.sin(self._band_direction)
        tilt = (along + self._band_bow * across**2 / spec.ice_radius_nm) / spec.ice_radius_nm
        tilt = tilt + self._band_phase + spec.bend_speed_per_s * (second + 0.5)
        bands = np.zeros_like(tilt)
        for position, width in self._bands:
            bands += np.exp(-(((tilt - position) / width) ** 2))
        return np.minimum(bands, 1.0)

    def _illumination(self, rim_wave: Array) -> Array:
        """The beam and the aperture's rim; neither moves with the sample."""
        spec = self.spec
        angle = np.deg2rad(spec.illumination_direction_deg)
        half_field = spec.size_px * spec.pixel_size_nm / 2.0
        slope = (self._columns * np.cos(angle) + self._rows * np.sin(angle)) / half_field
        rim_shift = around(rim_wave, np.arctan2(self._rows, self._columns))
        outside = np.hypot(self._rows, self._columns) - spec.aperture_radius_nm * (1.0 + rim_shift)
        opening = SURROUND + (1.0 - SURROUND) / (1.0 + np.exp(np.clip(outside / 1.5, -50.0, 50.0)))
        rim = 1.0 + 0.12 * np.exp(-(((outside + 6.0) / 4.0) ** 2))
        return opening * rim * (1.0 + spec.illumination_gradient * slope)

    def _texture(self, rng: np.random.Generator) -> Array:
        """Mottle of the window at three scales, standard deviation 1."""
        total = np.zeros_like(self._rows)
        for scale_nm in (3.0, 12.0, 45.0):
            noise = rng.standard_normal(total.shape)
            smooth = ndimage.gaussian_filter(noise, scale_nm / self.spec.pixel_size_nm, mode="wrap")
            total += smooth / smooth.std()
        return total / total.std()

    def _debris(self, rng: np.random.Generator) -> Array:
        """A few dark specks on the window."""
        total = np.zeros_like(self._rows)
        axis = self._columns[0]
        for _ in range(rng.poisson(8.0)):
            distance = self.spec.aperture_radius_nm * rng.uniform(0.6, 0.95)
            angle, size_nm = rng.uniform(0.0, 2.0 * np.pi), rng.uniform(2.0, 5.0)
            row, column = distance * np.sin(angle), distance * np.cos(angle)
            near = tuple(
                slice(
                    *np.searchsorted(axis, [centre - SPECK_REACH * size_nm, centre + SPECK_REACH * size_nm])
                )
                for centre in (row, column)
            )
            squared = (self._rows[near] - row) ** 2
            squared = squared + (self._columns[near] - column) ** 2
            total[near] += rng.uniform(0.05, 0.3) * np.exp(-squared / (2.0 * size_nm**2))
        return np.minimum(total, 0.5)


def _arm(rng: np.random.Generator) -> Array:
    """Relative rise of the water's reach, by angle, where it is drawn out towards the aperture."""
    towards, width = rng.uniform(0.0, 2.0 * np.pi), rng.uniform(0.1, 0.4)
    away = np.abs(np.angle(np.exp(1j * (np.arange(N_ANGLES) * (2.0 * np.pi / N_ANGLES) - towards))))
    return rng.uniform(0.3, 1.2) * np.exp(-away / width)


def _wave(amplitudes: Sequence[float], first_order: int, rng: np.random.Generator) -> Array:
    """Sum of waves of random phase around the circle, at evenly spaced angles."""
    angles = np.arange(N_ANGLES) * (2.0 * np.pi / N_ANGLES)
    total = np.zeros(N_ANGLES)
    for order, amplitude in enumerate(amplitudes, first_order):
        total += amplitude * np.cos(order * angles + rng.uniform(0.0, 2.0 * np.pi))
    return total
