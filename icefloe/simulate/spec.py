"""Specification of an experiment: sample, optics, temperature programme and camera, lengths in nm."""

from typing import Literal, Self

from pydantic import Field, model_validator

from icefloe.errors import IcefloeError
from icefloe.simulate.camera import Camera
from icefloe.simulate.checked import CheckedModel
from icefloe.simulate.kinetics import melting_point_c
from icefloe.simulate.outline import Shape


class ExperimentSpec(CheckedModel):
    """One experiment, except for its random numbers (`seed` of `simulate_experiment`).

    Attributes
    ----------
    shape, departure
        Habit of the ice and how far the outline goes from an ellipse (0) towards that habit (1).
    kinetics
        Direction in which the front moves; the temperature programme has to agree.
    n_composites
        Length of the experiment in seconds.
    size_px, pixel_size_nm
        Edge of the square image and size of a pixel at the sample.
    aperture_radius_nm
        Radius of the round aperture, in nm.
    ice_radius_nm, elongation, orientation_deg, roughness
        Equivalent radius of all ice at the start, long over short axis, angle of the long axis, relative
        undulation of the edge.
    ice_thickness_nm, ice_edge_nm
        Thickness of the ice and width of the wedge at its edge.
    water_thickness_nm, water_extent
        Thickness of water and ice together in the middle, and radius of the water over the ice's largest.
    water_elongation, water_turn_deg, water_shift
        Long over short axis of the water (empty: as the ice's), angle of its long axis from the ice's, and
        how far its middle lies from the ice's along that axis, in ice radii.
    water_arms, water_rim_nm
        Number of arms by which the water clings to the aperture, and the least width of the water around the
        ice where it has melted least: ice that would reach further follows the water's edge.
    water_mfp_nm, ice_mfp_nm
        Mean free path between scattering out of the objective aperture; the difference is the contrast.
    bend_contours, bend_strength, bend_speed_per_s
        Number of diffraction bands in the ice, the share of the beam that one takes away where the ice is
        thickest, and their motion in ice radii per second.
    defocus_um
        Positive is underfocus; the sign decides which side of an edge is bright.
    illumination_gradient, illumination_direction_deg
        Relative rise of the beam from the image's middle to its edge, and its direction.
    film_texture
        Relative standard deviation of the window's transmission.
    start_c, rate_c_per_s, kinetic_coefficient_nm_per_s_k
        Temperature programme and the law of `icefloe.simulate.kinetics.radii`.
    camera
        Camera and electron beam.
    """

    shape: Shape = "round"
    departure: float = Field(default=1.0, ge=0, le=1)
    kinetics: Literal["melt", "grow"] = "melt"
    n_composites: int = Field(default=30, ge=1, le=1000)
    size_px: int = Field(default=256, ge=32, le=4096)
    pixel_size_nm: float = Field(default=2.0, gt=0)
    aperture_radius_nm: float = Field(default=240.0, gt=0)
    ice_radius_nm: float = Field(default=125.0, gt=0)
    elongation: float = Field(default=1.1, ge=1, le=4)
    orientation_deg: float = 0.0
    roughness: float = Field(default=0.02, ge=0, le=0.1)
    ice_thickness_nm: float = Field(default=80.0, gt=0)
    ice_edge_nm: float = Field(default=10.0, gt=0)
    water_thickness_nm: float = Field(default=180.0, gt=0)
    water_extent: float = Field(default=1.5, ge=0.5, le=4)
    water_elongation: float | None = Field(default=None, ge=1, le=4)
    water_turn_deg: float = 0.0
    water_shift: float = Field(default=0.0, ge=0, le=4)
    water_arms: int = Field(default=0, ge=0, le=6)
    water_rim_nm: float = Field(default=0.0, ge=0)
    water_mfp_nm: float = Field(default=320.0, gt=0)
    ice_mfp_nm: float = Field(default=250.0, gt=0)
    bend_contours: int = Field(default=2, ge=0, le=20)
    bend_strength: float = Field(default=0.12, ge=0, le=1)
    bend_speed_per_s: float = 0.02
    defocus_um: float = Field(default=1.5, ge=-20, le=20)
    illumination_gradient: float = Field(default=0.05, ge=0, le=0.8)
    illumination_direction_deg: float = 0.0
    film_texture: float = Field(default=0.012, ge=0, le=0.2)
    start_c: float = Field(default=0.5, ge=-100, le=50)
    rate_c_per_s: float = Field(default=0.1, ge=-10, le=10)
    kinetic_coefficient_nm_per_s_k: float = Field(default=0.7, gt=0)
    camera: Camera = Camera()

    @model_validator(mode="after")
    def _temperature_agrees_with_kinetics(self) -> Self:
        melting_point = melting_point_c(self.ice_radius_nm)
        if self.kinetics == "melt" and min(self.start_c, self.end_c) < melting_point:
            contradiction = "`melt` below"
        elif self.kinetics == "grow" and max(self.start_c, self.end_c) > melting_point:
            contradiction = "`grow` above"
        else:
            return self
        raise IcefloeError(
            f"ExperimentSpec: {contradiction} the crystal's melting point of {melting_point:.2f} degC "
            f"({self.temperature_programme}). Change the kinetics or the temperature programme."
        )

    @property
    def end_c(self) -> float:
        """Temperature at the end of the programme, in degC."""
        return self.start_c + self.rate_c_per_s * self.n_composites

    @property
    def temperature_programme(self) -> str:
        """In words, for `dataset.yaml`."""
        ramp = f"{self.start_c:.2f} to {self.end_c:.2f} degC at {self.rate_c_per_s:.3f} degC/s"
        return f"{self.kinetics}, {ramp}"
