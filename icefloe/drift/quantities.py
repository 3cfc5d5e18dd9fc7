"""The quantities the gate compares, each with its transformation and its direction of alarm."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icefloe.drift.benchmark import ImageRecord
from icefloe.drift.config import GateConfig, Spread
from icefloe.drift.evidence import QUANTILE_COLUMNS
from icefloe.drift.statistics import Alternative
from icefloe.errors import IcefloeError


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
    """

    name: str
    words: str
    columns: tuple[str, ...]
    alternative: Alternative
    spread: Spread

    @property
    def is_ratio(self) -> bool:
        """Whether effects are ratios; otherwise they are distances between intensity distributions."""
        return len(self.columns) == 1

    def values(self, records: Iterable[ImageRecord]) -> NDArray[np.float64]:
        """Transformed values, shape (n, L); images without a usable number are left out."""
        raw = np.array([[r.features.get(c, np.nan) for c in self.columns] for r in records], dtype=np.float64)
        raw = raw.reshape(-1, len(self.columns))
        with np.errstate(divide="ignore", invalid="ignore"):
            # Over sqrt(L), the length of a difference is the root mean square over quantiles: a Wasserstein-2
            # distance.
            transformed = np.log(raw) if self.is_ratio else raw / np.sqrt(len(self.columns))
        return np.asarray(transformed[np.isfinite(transformed).all(axis=1)])


def deciding_quantities(config: GateConfig) -> tuple[Quantity, ...]:
    """Uncertainty (alarm when larger) and the four kinds of input evidence (alarm either way)."""
    return (
        Quantity(
            "uncertainty",
            UNCERTAINTY_WORDS.get(config.uncertainty, config.uncertainty),
            (config.uncertainty,),
            "greater",
            config.uncertainty_spread,
        ),
        Quantity("noise", "noise level", ("noise",), "two-sided", config.noise_spread),
        Quantity("contrast", "contrast", ("contrast",), "two-sided", config.contrast_spread),
        Quantity("sharpness", "sharpness", ("sharpness",), "two-sided", config.sharpness_spread),
        Quantity(
            "intensity", "intensity distribution", QUANTILE_COLUMNS, "two-sided", config.intensity_spread
        ),
    )


def reported_quantities(config: GateConfig, columns: Iterable[str]) -> tuple[Quantity, ...]:
    """The other uncertainty scores in the table; they are shown and don't decide."""
    return tuple(
        Quantity(column, words, (column,), "greater", config.uncertainty_spread)
        for column, words in UNCERTAINTY_WORDS.items()
        if column in columns and column != config.uncertainty
    )


UNCERTAINTY_WORDS: Mapping[str, str] = {
    "uq_mean": "uncertainty over all pixels",
    "uq_boundary": "uncertainty per boundary pixel",
    "uq_foreground": "uncertainty per foreground pixel",
}
"""Image scores that stand for uncertainty, and their names in a sentence."""


def require_columns(records: Iterable[ImageRecord], quantities: Iterable[Quantity], whose: str) -> None:
    """Refuse a table in which a deciding quantity was never measured."""
    present = {name for record in records for name in record.features}
    for quantity in quantities:
        missing = [column for column in quantity.columns if column not in present]
        if missing:
            raise IcefloeError(
                f"{whose}: the column `{missing[0]}` that the {quantity.words} is read from is missing. "
                "Predict the images again and add their input evidence."
            )
