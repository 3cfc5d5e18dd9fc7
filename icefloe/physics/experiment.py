"""A whole experiment: every quantity over time, its rate, and notes for the reader."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from icefloe.errors import IcefloeError
from icefloe.physics.crystal import Crystal
from icefloe.physics.image import CRYSTALS, ImagePhysics
from icefloe.physics.outlines import PixelSize
from icefloe.physics.quantity import CONFIDENCE, Quantity, significant
from icefloe.physics.rates import Rate, rate_of
from icefloe.typing import FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

Array = NDArray[np.float64]
Value = Callable[[Crystal], Any]

_POSITIVE, _FREE = (0.0, np.inf), (-np.inf, np.inf)

MEASURES: Mapping[str, tuple[str, Value, tuple[float, float]]] = {
    "area": ("{unit}2", lambda crystal: crystal.area_nm2, _POSITIVE),
    "centre_row": ("{unit}", lambda crystal: crystal.centre_nm[0], _FREE),
    "centre_column": ("{unit}", lambda crystal: crystal.centre_nm[1], _FREE),
    "equivalent_radius": ("{unit}", lambda crystal: crystal.equivalent_radius_nm, _POSITIVE),
    "perimeter": ("{unit}", lambda crystal: crystal.perimeter_nm, _POSITIVE),
    "mean_front": ("{unit}", lambda crystal: crystal.mean_front_nm, _POSITIVE),
    "mean_curvature": ("per_{unit}", lambda crystal: crystal.mean_curvature_per_nm, _FREE),
    "max_curvature": ("per_{unit}", lambda crystal: crystal.curvature_range_per_nm[1], _FREE),
    "min_curvature": ("per_{unit}", lambda crystal: crystal.curvature_range_per_nm[0], _FREE),
}
"""Quantities of one map: unit, how to take it, and its least and greatest possible value."""

RATED = ("area", "equivalent_radius", "mean_front")
"""Quantities over time whose rate is in the table; that of each line's front is stored separately."""


@dataclass(frozen=True, eq=False)
class ExperimentPhysics:
    """Measurements of an experiment, in nm and s.

    Attributes
    ----------
    name
        Name of the experiment.
    images
        Measurements of each image, in time order.
    pixel_size_nm
        Edge of a pixel, or height and width; None where it is not known, and lengths are in px.
    quantities
        Quantities over time, by name: those of `MEASURES`, and phase_fraction.
    front : Quantity of shape (T, N)
        Front position along each radial line.
    rates
        Rates by the quantity's name: those of `RATED`, and `front`.
    notes
        Remarks on the experiment: missing units, images that need care.
    provenance
        Version, data version and commands that the numbers come from.
    """

    name: str
    images: tuple[ImagePhysics, ...]
    pixel_size_nm: PixelSize | None
    quantities: Mapping[str, Quantity]
    front: Quantity
    rates: Mapping[str, Rate]
    notes: tuple[str, ...]
    provenance: Mapping[str, str]

    @classmethod
    def from_images(
        cls,
        name: str,
        images: Sequence[ImagePhysics],
        *,
        pixel_size_nm: PixelSize | None,
        window_s: float | None = None,
        widening: float = 1.0,
        notes: Sequence[str] = (),
        provenance: Mapping[str, str] | None = None,
    ) -> ExperimentPhysics:
        """Gather images into series and take their rates.

        Parameters
        ----------
        name
            Name of the experiment.
        images
            Measurements in time order, all with as many members and radial lines.
        pixel_size_nm
            That the images were measured with; None where they were measured in px.
        window_s
            Width of the fits behind local rates; None: a third of the images.
        widening
            Factor on every interval, such as labelled images ask for; see `Agreement`.
        notes
            Notes to put before those that follow from the images.
        provenance
            Where the measurements come from, by name; kept unchanged.

        Raises
        ------
        IcefloeError
            If there is no image, time does not increase from image to image, or the widening is not
            positive.
        """
        if not images:
            raise IcefloeError(f"{name}: no image to measure. Name a dataset or folder that has some.")
        times = np.array([image.time_s for image in images], np.float64)
        if (np.diff(times) <= 0).any():
            raise IcefloeError(f"{name}: times do not increase from image to image. Put the images in order.")
        if not widening > 0:
            raise IcefloeError(f"Widening {widening:g}: not positive. Give a factor, 1 for none.")
        unit = _unit(pixel_size_nm)
        quantities = {
            measured: _series(images, measured, of.format(unit=unit), value, limits, widening)
            for measured, (of, value, limits) in MEASURES.items()
        }
        quantities["phase_fraction"] = _phase_fraction(quantities["area"], images)
        front = _series(images, "front", unit, lambda crystal: crystal.front_nm, _POSITIVE, widening)
        present = quantities["area"].values > 0
        rates = {rated: rate_of(quantities[rated], times, present, window_s) for rated in RATED}
        rates["front"] = rate_of(front, times, present, window_s)
        all_notes = (*notes, *_notes(images, unit, widening))
        return cls(
            name, tuple(images), pixel_size_nm, quantities, front, rates, all_notes, dict(provenance or {})
        )

    @property
    def length_unit(self) -> str:
        """`nm`, or `px` where no pixel size is known."""
        return _unit(self.pixel_size_nm)

    @property
    def times_s(self) -> Array:
        """When the images were taken, float64 of shape (T,)."""
        return np.array([image.time_s for image in self.images], np.float64)

    @property
    def n_members(self) -> int:
        """Members that were measured; 0 for masks."""
        return len(self.images[0].members)

    @property
    def angles_rad(self) -> Array:
        """Directions of the radial lines, float64 of shape (N,)."""
        return self.images[0].ensemble.angles_rad

    def to_frame(self, confidence: float = CONFIDENCE) -> DataFrame:
        """One row per image: each quantity and local rate with `_std`, `_low` and `_high`, and the flags."""
        from pandas import DataFrame

        columns: dict[str, Any] = {"image": [image.name for image in self.images], "time_s": self.times_s}
        for quantity in self.quantities.values():
            low, high = quantity.interval(confidence)
            columns[quantity.label] = quantity.values
            columns |= _spread_columns(quantity.label, quantity.std, low, high)
        columns[f"area_threshold_effect_{self.length_unit}2"] = [i.threshold_effect_nm2 for i in self.images]
        for name in RATED:
            rate = self.rates[name]
            low, high = rate.local.interval(confidence)
            label = f"{name}_rate_{rate.unit}"
            columns[label] = rate.local.values
            columns |= _spread_columns(label, rate.local.std, low, high)
        columns["flags"] = ["; ".join(image.flags) for image in self.images]
        return DataFrame(columns)

    def to_dict(self, confidence: float = CONFIDENCE) -> dict[str, Any]:
        """JSON-ready: overall rates with intervals, the table of `to_frame`, notes and provenance."""
        frame = self.to_frame(confidence)
        return {
            "name": self.name,
            "pixel_size_nm": self.pixel_size_nm,
            "length_unit": self.length_unit,
            "n_members": self.n_members,
            "confidence": confidence,
            "rates": {name: self.overall_rate(name, confidence) for name in RATED},
            "images": frame.astype(object).where(frame.notna(), None).to_dict(orient="records"),
            "notes": list(self.notes),
            "provenance": dict(self.provenance),
        }

    def plot_series(self) -> Figure:
        """Quantities and rates over time; see `series_figure`."""
        from icefloe.physics.figures import series_figure

        return series_figure(self)

    def plot_fronts(self) -> Figure:
        """Fronts by direction and time; see `fronts_figure`."""
        from icefloe.physics.figures import fronts_figure

        return fronts_figure(self)

    def plot_outlines(self, image: FloatArray) -> Figure:
        """Outlines over an image, and curvature along them; see `outlines_figure`."""
        from icefloe.physics.figures import outlines_figure

        return outlines_figure(self, image)

    def sentences(self) -> list[str]:
        """Area in the first and last image, and the overall rates, with their intervals."""
        area = self.quantities["area"]
        low, high = area.interval()
        whole = [
            f"{significant(area.values[i])} ({significant(low[i])} to {significant(high[i])}) "
            f"{area.unit} at {self.times_s[i]:g} s"
            for i in sorted({0, len(self.images) - 1})
        ]
        sentences = [f"{self.name}: area {', '.join(whole)}."]
        for name in RATED:
            rate = self.overall_rate(name)
            if rate["value"] is not None:
                sentences.append(
                    f"Rate of the {name.replace('_', ' ')}: {significant(rate['value'])} "
                    f"({significant(rate['low'])} to {significant(rate['high'])}) "
                    f"{rate['unit'].replace('_per_', '/')}."
                )
        return sentences

    def overall_rate(self, name: str, confidence: float = CONFIDENCE) -> dict[str, Any]:
        """Rate over the whole experiment of one of `RATED`; None if it could not be estimated."""
        rate = self.rates[name]
        low, high = rate.overall.interval(confidence)
        numbers = {
            "value": rate.overall.values,
            "std": rate.overall.std,
            "low": low,
            "high": high,
            "member_std": rate.overall.member_std,
            "residual_std": rate.overall.residual_std,
        }
        known = {key: float(number) if np.isfinite(number) else None for key, number in numbers.items()}
        return {"unit": rate.unit, **known}


def _unit(pixel_size_nm: PixelSize | None) -> str:
    return "px" if pixel_size_nm is None else "nm"


def _spread_columns(label: str, std: Array, low: Array, high: Array) -> dict[str, Array]:
    return {f"{label}_std": std, f"{label}_low": low, f"{label}_high": high}


def _series(
    images: Sequence[ImagePhysics],
    name: str,
    unit: str,
    value: Value,
    limits: tuple[float, float],
    widening: float,
) -> Quantity:
    values = np.array([value(image.ensemble) for image in images], np.float64)
    members = np.array([[value(member) for member in image.members] for image in images], np.float64)
    members = members.reshape(len(images), -1, *values.shape[1:])
    return Quantity(name, unit, values, np.moveaxis(members, 0, 1), limits, widening)


def _phase_fraction(area: Quantity, images: Sequence[ImagePhysics]) -> Quantity:
    """Share of the two-phase region that is ice; its spread is the ice's, the region has none."""
    region = np.array([image.region_area_nm2 for image in images], np.float64)
    known = np.isfinite(region)
    if known.any():  # where no ice is left there is no telling the region: as large as in the others
        region[~known] = np.median(region[known])
    return Quantity(
        "phase_fraction", "", area.values / region, area.members / region, (0.0, 1.0), area.widening
    )


def _notes(images: Sequence[ImagePhysics], unit: str, widening: float) -> list[str]:
    n_members = len(images[0].members)
    notes = []
    if unit == "px":
        notes.append("The pixel size is not known: lengths are in px, areas in px2.")
    if n_members == 0:
        notes.append("Measured on masks: there are no members, so quantities have no spread.")
    elif n_members < 6:
        notes.append(f"Only {n_members} members: they say little about a spread, so intervals are wide.")
    if widening != 1.0:
        notes.append(f"The members' spread is widened by a factor of {widening:g} in every interval.")
    flags = Counter(flag for image in images for flag in image.flags)
    several = sum(flags.pop(flag) for flag in list(flags) if flag.endswith(CRYSTALS))
    for flag, count in (*flags.items(), ("several crystals", several)):
        if count:
            notes.append(f"{count} of {len(images)} images: {flag}.")
    return notes
