"""The standard datasets D1-D5 and a noisy one, the distribution they are drawn from, and shifts from it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from icefloe.errors import IcefloeError
from icefloe.simulate.camera import Camera
from icefloe.simulate.kinetics import melting_point_c
from icefloe.simulate.spec import ExperimentSpec

Cause = Literal["dose", "contrast", "defocus", "magnification", "gain", "xrays", "shape"]


def random_standard_spec(
    rng: np.random.Generator, shape: Literal["round", "elongated"] | None = None
) -> ExperimentSpec:
    """A new experiment of the same kind as D1 and D2: the null hypothesis of the drift gate.

    Between experiments the crystal, the water, the window, the temperature programme and, within what an
    operator aims at, dose, focus and contrast differ; microscope and camera stay.

    Parameters
    ----------
    rng
        Random generator of the draw.
    shape
        Habit to draw within; None draws it too, half of the experiments being round.
    """
    if shape is None:
        shape = "round" if rng.random() < 0.5 else "elongated"
    elongation = rng.uniform(1.0, 1.2) if shape == "round" else rng.uniform(1.5, 2.0)
    n_composites = 30
    radius = rng.uniform(115.0, 135.0)
    left = rng.uniform(0.5, 0.7)
    start_c, rate = rng.uniform(0.2, 1.0), rng.uniform(0.08, 0.2)
    mean_overheating = start_c + rate * n_composites / 2.0 - melting_point_c(radius)
    return ExperimentSpec(
        shape=shape,
        n_composites=n_composites,
        ice_radius_nm=radius,
        elongation=elongation,
        orientation_deg=rng.uniform(0.0, 180.0),
        roughness=rng.uniform(0.01, 0.03),
        ice_thickness_nm=rng.uniform(75.0, 85.0),
        ice_edge_nm=rng.uniform(9.0, 12.0),
        water_thickness_nm=rng.uniform(170.0, 190.0),
        water_extent=rng.uniform(1.4, 1.6),
        ice_mfp_nm=rng.uniform(235.0, 255.0),
        bend_contours=int(rng.integers(1, 4)),
        bend_strength=rng.uniform(0.08, 0.14),
        bend_speed_per_s=rng.normal(0.0, 0.02),
        defocus_um=rng.uniform(1.3, 1.7),
        illumination_gradient=rng.uniform(0.0, 0.08),
        illumination_direction_deg=rng.uniform(0.0, 360.0),
        film_texture=rng.uniform(0.010, 0.014),
        start_c=start_c,
        rate_c_per_s=rate,
        kinetic_coefficient_nm_per_s_k=(1.0 - left) * radius / (mean_overheating * n_composites),
        camera=Camera(dose_e_per_A2=rng.uniform(0.7, 0.9)),
    )


def shifted_spec(cause: Cause, strength: float, rng: np.random.Generator) -> ExperimentSpec:
    """A standard experiment with one thing changed, for measuring what the drift gate detects.

    Parameters
    ----------
    cause
        Name of the condition that is changed.
    strength
        0 changes nothing, 1 is about the size of the shifts of D3-D5; in between it is continuous.
    rng
        Source of the standard experiment.

    Raises
    ------
    IcefloeError
        If the cause is unknown or the strength is not in [0, 1].
    """
    if cause not in _SHIFTS:
        raise IcefloeError(f"Shift {cause!r}: unknown. Choose one of {', '.join(get_args(Cause))}.")
    if not 0.0 <= strength <= 1.0:
        raise IcefloeError(f"Strength {strength} of shift {cause!r}: not in [0, 1]. Choose one that is.")
    return _SHIFTS[cause](random_standard_spec(rng), strength)


def describe_shift(cause: Cause, strength: float) -> str:
    """The size of the shift of `shifted_spec`, in the units of the property it changes."""
    before = ExperimentSpec()
    after = _SHIFTS[cause](before, strength)
    camera, old = after.camera, before.camera
    match cause:
        case "dose":
            return f"{camera.dose_e_per_A2 / old.dose_e_per_A2:.2g} of the dose"
        case "contrast":
            left = (1 / after.ice_mfp_nm - 1 / after.water_mfp_nm) / (
                1 / before.ice_mfp_nm - 1 / before.water_mfp_nm
            )
            return f"ice-water difference times {left:.2g}"
        case "defocus":
            return f"defocus {after.defocus_um - before.defocus_um:+.2g} um"
        case "magnification":
            return f"pixels {after.pixel_size_nm / before.pixel_size_nm:.2f} times as large"
        case "gain":
            pixels, columns = camera.gain_variation, camera.column_variation
            return f"gain uneven by {100 * pixels:.2g} % (columns {100 * columns:.2g} %)"
        case "xrays":
            return f"{camera.xrays_per_frame:.2g} X-rays a frame"
        case "shape":
            return f"{100 * after.departure:.0f} % of the way to a hexagon, elongation {after.elongation:.2g}"


def _between(first: float, last: float, strength: float) -> float:
    """Geometric interpolation, as doses and magnifications are compared by ratio."""
    return float(first * (last / first) ** strength)


def _shift_dose(spec: ExperimentSpec, strength: float) -> ExperimentSpec:
    dose = spec.camera.dose_e_per_A2
    return spec.changed(camera=spec.camera.changed(dose_e_per_A2=dose * _between(1.0, 1 / 40, strength)))


def _shift_contrast(spec: ExperimentSpec, strength: float) -> ExperimentSpec:
    """From darker than water to brighter than water."""
    difference = 1.0 / spec.ice_mfp_nm - 1.0 / spec.water_mfp_nm
    left = (1.0 - 2.0 * strength) * difference
    return spec.changed(ice_mfp_nm=1.0 / (1.0 / spec.water_mfp_nm + left))


def _shift_defocus(spec: ExperimentSpec, strength: float) -> ExperimentSpec:
    return spec.changed(defocus_um=spec.defocus_um * (1.0 - 2.5 * strength))


def _shift_magnification(spec: ExperimentSpec, strength: float) -> ExperimentSpec:
    return spec.changed(pixel_size_nm=spec.pixel_size_nm * _between(1.0, 2.0, strength))


def _shift_gain(spec: ExperimentSpec, strength: float) -> ExperimentSpec:
    camera = spec.camera
    return spec.changed(
        camera=camera.changed(
            gain_variation=camera.gain_variation + 0.07 * strength,
            column_variation=camera.column_variation + 0.045 * strength,
        )
    )


def _shift_xrays(spec: ExperimentSpec, strength: float) -> ExperimentSpec:
    camera = spec.camera
    return spec.changed(camera=camera.changed(xrays_per_frame=camera.xrays_per_frame + 20.0 * strength))


def _shift_shape(spec: ExperimentSpec, strength: float) -> ExperimentSpec:
    """Towards a long hexagonal prism seen from its side."""
    elongation = _between(spec.elongation, 2.6, strength)
    return spec.changed(shape="faceted", departure=strength, elongation=elongation)


_SHIFTS: dict[Cause, Callable[[ExperimentSpec, float], ExperimentSpec]] = {
    "dose": _shift_dose,
    "contrast": _shift_contrast,
    "defocus": _shift_defocus,
    "magnification": _shift_magnification,
    "gain": _shift_gain,
    "xrays": _shift_xrays,
    "shape": _shift_shape,
}


@dataclass(frozen=True)
class StandardDataset:
    """One of the datasets of the demo.

    Attributes
    ----------
    name
        Name of the dataset and of its folder.
    spec
        Specification of the experiment.
    labelled
        Whether the masks are given; otherwise they are kept back as truth.
    shifts
        How it departs from the standard, by property, for `dataset.yaml`.
    notes
        Purpose of the dataset, for `dataset.yaml`.
    """

    name: str
    spec: ExperimentSpec
    labelled: bool
    shifts: dict[str, str]
    notes: str


def standard_datasets(seed: int = 0) -> tuple[StandardDataset, ...]:
    """D1, D2 (standard), D3, D4, D5 (shifted) and `noisy`, as `seed` draws them."""
    rngs = [
        np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(index,))))
        for index in range(6)
    ]
    low_dose = random_standard_spec(rngs[5])
    return (
        StandardDataset(
            "D1", random_standard_spec(rngs[0], "round"), True, {}, "Standard experiment, round crystal."
        ),
        StandardDataset(
            "D2",
            random_standard_spec(rngs[1], "elongated"),
            True,
            {},
            "Standard experiment, elongated crystal.",
        ),
        StandardDataset(
            "D3",
            random_standard_spec(rngs[2]).changed(
                shape="faceted", elongation=1.3, ice_mfp_nm=305.0, bend_contours=7, bend_strength=0.35
            ),
            False,
            {
                "shape": "faceted crystal instead of a round or elongated one",
                "contrast": "ice scatters little more than water (mean free path 305 nm, standard 235-255)",
                "bend contours": "seven strong bands (35 % of the beam), standard 1-3 of 8-14 %",
            },
            "Shifted experiment: faceted crystal, faint and crossed by bend contours.",
        ),
        StandardDataset(
            "D4",
            random_standard_spec(rngs[3]).changed(
                shape="two",
                pixel_size_nm=2.6,
                aperture_radius_nm=320.0,
                ice_radius_nm=145.0,
                ice_mfp_nm=270.0,
                defocus_um=-4.0,
                illumination_gradient=0.3,
            ),
            False,
            {
                "shape": "two crystals instead of one",
                "magnification": "2.6 nm per pixel, standard 2.0",
                "contrast": "ice a little darker than water (mean free path 270 nm, standard 235-255 nm)",
                "defocus": "4 um overfocus, standard 1.3-1.7 um underfocus: fringes inverted and wide",
                "illumination": "rises by 30 % to one side, standard at most 8 %",
            },
            "Shifted experiment: two crystals, other magnification, fringes inverted, uneven beam.",
        ),
        StandardDataset(
            "D5",
            random_standard_spec(rngs[4]).changed(
                shape="lens",
                kinetics="grow",
                elongation=1.6,
                ice_radius_nm=80.0,
                ice_edge_nm=50.0,
                start_c=-1.5,
                rate_c_per_s=-0.1,
                kinetic_coefficient_nm_per_s_k=0.6,
                ice_mfp_nm=250.0,
                camera=Camera(serial=2, gain_variation=0.08, column_variation=0.05, xrays_per_frame=40.0),
            ),
            False,
            {
                "shape": "lens with a wedge of 50 nm, standard a plate with an edge of 9-12 nm",
                "kinetics": "grows under cooling, standard melts",
                "camera": "another camera, its gain uneven by 8 % (standard 1 %), 40 X-rays a frame (0.2)",
            },
            "Shifted experiment: growing lens, edge thin and faint, another camera.",
        ),
        StandardDataset(
            "noisy",
            low_dose.changed(camera=low_dose.camera.changed(dose_e_per_A2=0.015)),
            False,
            {"dose": "0.015 e/A^2 a composite, standard 0.7-0.9"},
            "A standard experiment with too few electrons to be of use: to be set aside.",
        ),
    )
