"""An experiment's measurements as files: a table for a spreadsheet, everything for a program."""

import io
from pathlib import Path

import h5py
import numpy as np

from icefloe.files import write_bytes_atomic, write_text_atomic
from icefloe.physics.experiment import ExperimentPhysics
from icefloe.physics.image import ImagePhysics
from icefloe.physics.quantity import CONFIDENCE, Quantity
from icefloe.physics.rates import Rate, Slope


def write_csv(experiment: ExperimentPhysics, path: Path, confidence: float = CONFIDENCE) -> None:
    """The table of `ExperimentPhysics.to_frame`; an empty cell is a value that is not known."""
    write_text_atomic(path, experiment.to_frame(confidence).to_csv(index=False))


def write_hdf5(experiment: ExperimentPhysics, path: Path, confidence: float = CONFIDENCE) -> None:
    """Everything measured, units as attributes; NaN is a value that is not known.

    ::

        /                                attributes: name, pixel_size_nm, confidence, notes ...
        /image, /time_s, /flags          (T,)
        /quantities/<name>/              value, std, low, high (T,), members (M, T)
        /front/                          angle_rad (N,); value, std, low, high (T, N), members (M, T, N)
        /rates/<name>/overall/           value, std, member_std, residual_std, low, high () or (N,), members
        /rates/<name>/local/             the same, (T,) or (T, N)
        /boundaries/<index>/<number>/    points (P, 2), arc_length, curvature, curvature_std (P,)

    `std` of a rate has the members' and the scatter's part. `members` is first by member, in the ensemble's
    order.
    """
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs["name"] = experiment.name
        file.attrs["length_unit"] = experiment.length_unit
        if experiment.pixel_size_nm is not None:
            file.attrs["pixel_size_nm"] = experiment.pixel_size_nm
        file.attrs["confidence"] = confidence
        file.attrs["notes"] = "\n".join(experiment.notes)
        for key, text in experiment.provenance.items():
            file.attrs[f"provenance.{key}"] = text
        _strings(file, "image", [image.name for image in experiment.images])
        _strings(file, "flags", ["; ".join(image.flags) for image in experiment.images])
        file.create_dataset("time_s", data=experiment.times_s).attrs["unit"] = "s"
        for quantity in experiment.quantities.values():
            _quantity(file.create_group(f"quantities/{quantity.name}"), quantity, confidence)
        front = file.create_group("front")
        _quantity(front, experiment.front, confidence)
        front.create_dataset("angle_rad", data=experiment.angles_rad).attrs["unit"] = "rad"
        for name, rate in experiment.rates.items():
            _rate(file.create_group(f"rates/{name}"), rate, confidence)
        for index, image in enumerate(experiment.images):
            _boundaries(file.create_group(f"boundaries/{index}"), image, experiment.length_unit)
    write_bytes_atomic(path, buffer.getvalue())


def _strings(group: h5py.Group, name: str, texts: list[str]) -> None:
    group.create_dataset(name, data=np.array(texts, dtype=object), dtype=h5py.string_dtype())


def _quantity(group: h5py.Group, quantity: Quantity, confidence: float) -> None:
    group.attrs["unit"] = quantity.unit
    low, high = quantity.interval(confidence)
    arrays = {"value": quantity.values, "std": quantity.std, "low": low, "high": high}
    for name, array in {**arrays, "members": quantity.members}.items():
        group.create_dataset(name, data=array)


def _rate(group: h5py.Group, rate: Rate, confidence: float) -> None:
    group.attrs["unit"] = rate.unit
    group.attrs["window_s"] = rate.window_s
    _slope(group.create_group("overall"), rate.overall, confidence)
    _slope(group.create_group("local"), rate.local, confidence)


def _slope(group: h5py.Group, slope: Slope, confidence: float) -> None:
    low, high = slope.interval(confidence)
    arrays = {
        "value": slope.values,
        "std": slope.std,
        "member_std": slope.member_std,
        "residual_std": slope.residual_std,
        "low": low,
        "high": high,
        "members": slope.members,
    }
    for name, array in arrays.items():
        group.create_dataset(name, data=array)


def _boundaries(group: h5py.Group, image: ImagePhysics, unit: str) -> None:
    for number, (boundary, std) in enumerate(
        zip(image.ensemble.boundaries, image.curvature_std, strict=True)
    ):
        outline = group.create_group(str(number))
        outline.create_dataset("points", data=boundary.points_nm).attrs["unit"] = unit
        outline.create_dataset("arc_length", data=boundary.arc_length_nm).attrs["unit"] = unit
        outline.create_dataset("curvature", data=boundary.curvature_per_nm).attrs["unit"] = f"per_{unit}"
        outline.create_dataset("curvature_std", data=std).attrs["unit"] = f"per_{unit}"
