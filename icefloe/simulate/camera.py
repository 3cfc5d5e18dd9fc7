"""A counting-statistics model of an electron camera.

Every step is float64 up to the last rounding, so that the bytes do not depend on the CPU's vector width.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from icefloe.simulate.checked import CheckedModel

SATURATION = 65535
"""Largest count of a 16-bit frame."""

Array = NDArray[np.float64]


class Camera(CheckedModel):
    """An electron camera and the beam that falls on it.

    Attributes
    ----------
    dose_e_per_A2
        Electrons per square angstrom in one second where nothing is in the way.
    frame_rate_hz
        Frames per second; a composite is the mean of one second's frames.
    counts_per_electron, offset_counts
        Counts of one electron, and the pedestal under every frame.
    read_noise_counts
        Standard deviation of the electronics' noise in one frame.
    gain_variation, column_variation
        Relative standard deviation, between pixels and between columns, of what is left of the sensitivity
        after the maker's gain correction.
    serial
        Serial number: the gain map is a property of the camera, so equal serials have equal gain maps.
    xrays_per_frame
        Mean number of X-ray hits in a frame.
    xray_counts
        Mean height of a hit (exponential distribution).
    drift_nm_per_s, jitter_nm
        Speed of the steady drift of the sample and standard deviation of its tremor between frames.
    blur_px
        Standard deviation of the detector's point spread.
    """

    dose_e_per_A2: float = Field(default=0.8, gt=0)  # noqa: N815 (the unit's own capital)
    frame_rate_hz: int = Field(default=25, ge=1, le=1000)
    counts_per_electron: float = Field(default=40.0, gt=0)
    offset_counts: float = Field(default=100.0, ge=0)
    read_noise_counts: float = Field(default=12.0, ge=0)
    gain_variation: float = Field(default=0.01, ge=0, le=0.5)
    column_variation: float = Field(default=0.005, ge=0, le=0.5)
    serial: int = Field(default=1, ge=0)
    xrays_per_frame: float = Field(default=0.2, ge=0)
    xray_counts: float = Field(default=3000.0, gt=0)
    drift_nm_per_s: float = Field(default=0.3, ge=0)
    jitter_nm: float = Field(default=0.8, ge=0)
    blur_px: float = Field(default=0.6, ge=0)

    def electrons_per_pixel(self, pixel_size_nm: float) -> float:
        """Electrons in one pixel and one second where nothing is in the way."""
        return self.dose_e_per_A2 * (10.0 * pixel_size_nm) ** 2

    def gain_map(self, size: int) -> Array:
        """Relative sensitivity of each pixel.

        Returns
        -------
        float64, shape (size, size)
            Mean close to 1, never negative.
        """
        rng = np.random.Generator(np.random.PCG64(self.serial))
        columns = self.column_variation * rng.standard_normal((1, size))
        pixels = self.gain_variation * rng.standard_normal((size, size))
        return np.maximum(1.0 + columns + pixels, 0.0)

    def displacements(self, direction: float, pixel_size_nm: float, rng: np.random.Generator) -> Array:
        """Displacement of the sample in each frame of a second, from its mean position in that second.

        Parameters
        ----------
        direction
            Angle of the drift in radians, from the columns' axis.
        pixel_size_nm
            Size of a pixel at the sample.
        rng
            Random generator of the tremor.

        Returns
        -------
        float64, shape (frame_rate_hz, 2)
            Row and column displacement in px; each column has mean 0.
        """
        n = self.frame_rate_hz
        along = self.drift_nm_per_s * (np.arange(n) + 0.5) / n
        steady = along[:, None] * np.array([np.sin(direction), np.cos(direction)])
        moved = (steady + self.jitter_nm * rng.standard_normal((n, 2))) / pixel_size_nm
        return moved - moved.mean(axis=0)

    def composite(
        self, scene: Array, gain: Array, displacements: Array, pixel_size_nm: float, rng: np.random.Generator
    ) -> NDArray[np.uint16]:
        """The mean of one second's frames, from the statistics of their sum.

        Sums of Poisson counts are Poisson and sums of normal noise are normal, so nothing is approximated
        but the rounding and clipping of single frames.

        Parameters
        ----------
        scene : float64, shape (H, W)
            Transmitted fraction of the beam.
        gain : float64, shape (H, W)
            `gain_map` of this camera.
        displacements : float64, shape (frame_rate_hz, 2)
            Displacement of the sample in each frame, in px.
        pixel_size_nm
            Size of a pixel at the sample.
        rng
            Random generator of all noise.

        Returns
        -------
        uint16, shape (H, W)
            Image in counts.
        """
        n = self.frame_rate_hz
        expected = self._mean_scene(scene, displacements) * self.electrons_per_pixel(pixel_size_nm) * gain
        counts = self.counts_per_electron * rng.poisson(expected) / n + self.offset_counts
        counts += self.read_noise_counts / n**0.5 * rng.standard_normal(scene.shape)
        counts += self._xrays(scene.shape, n, rng) / n
        return _quantised(counts)

    def expected_counts(self, scene: Array, displacements: Array, pixel_size_nm: float) -> Array:
        """Mean of `composite` over all noise, for an even gain and without X-rays; float64, shape (H, W)."""
        electrons = self._mean_scene(scene, displacements) * self.electrons_per_pixel(pixel_size_nm)
        return self.counts_per_electron * electrons / self.frame_rate_hz + self.offset_counts

    def frames(
        self, scene: Array, gain: Array, displacements: Array, pixel_size_nm: float, rng: np.random.Generator
    ) -> Iterator[NDArray[np.uint16]]:
        """The raw frames of one second, of the same arguments as `composite`; each is uint16, (H, W)."""
        electrons = self.electrons_per_pixel(pixel_size_nm) / self.frame_rate_hz
        for displacement in displacements:
            expected = self._mean_scene(scene, displacement[None]) * electrons * gain
            counts = self.counts_per_electron * rng.poisson(expected) + self.offset_counts
            counts += self.read_noise_counts * rng.standard_normal(scene.shape)
            counts += self._xrays(scene.shape, 1, rng)
            yield _quantised(counts)

    def _mean_scene(self, scene: Array, displacements: Array) -> Array:
        """Mean over frames of the displaced and blurred scene, exact: one product in Fourier space."""
        margin = 16  # mirrored, so that what leaves at one edge does not come back at the other
        padded = np.pad(scene, margin, mode="reflect")
        rows = np.fft.fftfreq(padded.shape[0])
        columns = np.fft.rfftfreq(padded.shape[1])
        row_phases = np.exp(-2j * np.pi * displacements[:, :1] * rows)
        column_phases = np.exp(-2j * np.pi * displacements[:, 1:] * columns)
        transfer = row_phases.T @ column_phases / len(displacements)
        squared = rows[:, None] ** 2 + columns**2
        transfer = transfer * np.exp(-2.0 * (np.pi * self.blur_px) ** 2 * squared)
        blurred = np.fft.irfft2(np.fft.rfft2(padded) * transfer, s=padded.shape)
        return np.maximum(blurred[margin:-margin, margin:-margin], 0.0)

    def _xrays(self, shape: tuple[int, ...], n_frames: int, rng: np.random.Generator) -> Array:
        """Counts that X-rays leave in the sum of `n_frames` frames."""
        hits = np.zeros(shape)
        n_hits = rng.poisson(self.xrays_per_frame * n_frames)
        pixels = tuple(rng.integers(0, size, n_hits) for size in shape)
        np.add.at(hits, pixels, self.xray_counts * rng.standard_exponential(n_hits))
        return hits


def _quantised(counts: NDArray[np.floating]) -> NDArray[np.uint16]:
    return np.clip(np.rint(counts), 0, SATURATION).astype(np.uint16)
