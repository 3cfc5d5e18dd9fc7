"""The quantities the gate compares, each with its transformation and its direction of alarm."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icefloe.drift.config import GateConfig, Spread
from icefloe.drift.evidence import QUANTILE_COLUMNS
from icefloe.drift.size import Sized
from icefloe.ensemble.rows import ImageRow, columns
from icefloe.errors import IcefloeError
from icefloe.scoring.uncertainty import MINIMUM_FOREGROUND
from icefloe.statistics.predictive import Alternative


@dataclass(frozen=True)
class Quantity:
    """One quantity of an image: the columns it is read from and how two experiments' means of it are
    compared.

    Attributes
    ----------
    name, words : str
        Key in reports, and how a sentence calls it.
    columns : tuple of str
        One column (compared as a logarithm, so effects are ratios) or the quantile columns (compared as they
        are).
    alternative : "greater" or "two-sided"
    spread : Spread
    with_size : bool
        Whether it changes with the size of the crystal, so that images are compared at equal sizes.
    required : bool
        Whether a benchmark without its columns is refused; otherwise the quantity is left out.
    """

    name: str
    words: str
    columns: tuple[str, ...]
    alternative: Alternative
    spread: Spread
    with_size: bool = False
    required: bool = True

    @property
    def is_ratio(self) -> bool:
        """Whether effects are ratios; otherwise they are distances between intensity distributions."""
        return len(self.columns) == 1

    @property
    def of_boundary(self) -> bool:
        """Whether an image without a boundary has no value of it."""
        return self.name.startswith("boundary")

    def of(self, rows: Iterable[ImageRow]) -> Sized:
        """Transformed values, and the logarithm of the size; images without a usable number are left out."""
        raw = columns(rows, (*self.columns, SIZE_COLUMN))
        with np.errstate(divide="ignore", invalid="ignore"):
            # Over sqrt(L), the length of a difference is the root mean square over quantiles: a Wasserstein-2
            # distance.
            values = np.log(raw[:, :-1]) if self.is_ratio else raw[:, :-1] / np.sqrt(len(self.columns))
        usable = np.isfinite(values).all(axis=1)
        return Sized(values[usable], np.log(np.maximum(raw[usable, -1], MINIMUM_FOREGROUND)))

    def values(self, rows: Iterable[ImageRow]) -> NDArray[np.float64]:
        """Transformed values, shape (n, L); images without a usable number are left out."""
        return self.of(rows).values

    def is_measured(self, rows: Iterable[ImageRow]) -> bool:
        """Whether any of the images has all its columns."""
        return any(all(column in row.values for column in self.columns) for row in rows)


def deciding_quantities(config: GateConfig) -> tuple[Quantity, ...]:
    """Uncertainty (alarm when larger) and the kinds of input evidence (alarm either way)."""
    words = UNCERTAINTY_WORDS.get(config.uncertainty, config.uncertainty)
    return (
        Quantity("uncertainty", words, (config.uncertainty,), "greater", config.uncertainty_spread, True),
        Quantity("noise", "noise level", ("noise",), "two-sided", config.noise_spread),
        Quantity("contrast", "contrast", ("contrast",), "two-sided", config.contrast_spread),
        Quantity("sharpness", "sharpness", ("sharpness",), "two-sided", config.sharpness_spread),
        Quantity(
            "intensity", "intensity distribution", QUANTILE_COLUMNS, "two-sided", config.intensity_spread
        ),
        *(
            Quantity(name, words, (name,), "two-sided", spread, required=False)
            for name, words, spread in (
                ("spikes", "rate of bright spikes", config.spikes_spread),
                ("lines", "unevenness of columns or rows", config.lines_spread),
                ("boundary_contrast", "contrast across the boundary", config.boundary_contrast_spread),
                ("boundary_sharpness", "sharpness of the boundary", config.boundary_sharpness_spread),
                ("boundary_elongation", "elongation of the outline", config.elongation_spread),
                ("boundary_facets", "facetting of the outline", config.facets_spread),
            )
        ),
    )


def reported_quantities(config: GateConfig, measured: Iterable[str]) -> tuple[Quantity, ...]:
    """The other uncertainty scores in the table; they are shown and don't decide."""
    return tuple(
        Quantity(column, words, (column,), "greater", config.uncertainty_spread, True)
        for column, words in UNCERTAINTY_WORDS.items()
        if column in measured and column != config.uncertainty
    )


SIZE_COLUMN = "foreground_fraction"
"""The crystal's size: the predicted foreground's share of the image."""

UNCERTAINTY_WORDS: Mapping[str, str] = {
    "uq_mean": "uncertainty over all pixels",
    "uq_boundary": "uncertainty per boundary pixel",
    "uq_foreground": "uncertainty per foreground pixel",
    "entropy": "entropy over all pixels",
}
"""Image scores that stand for uncertainty, and their names in a sentence."""


def require_columns(rows: Iterable[ImageRow], quantities: Iterable[Quantity], whose: str) -> None:
    """Refuse a table in which a deciding quantity was never measured."""
    present = {name for row in rows for name in row.values}
    for quantity in quantities:
        missing = [column for column in quantity.columns if column not in present]
        if missing:
            raise IcefloeError(
                f"{whose}: the column `{missing[0]}` that the {quantity.words} is read from is missing. "
                "Predict the images again and add their input evidence."
            )
