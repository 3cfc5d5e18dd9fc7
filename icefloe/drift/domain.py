"""A domain of the gate: a table of quantities, a table of causes, and how to measure an image.

The gate itself names no quantity and no cause; `icefloe.drift.ice` is the domain of melting ice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from numpy.typing import ArrayLike

from icefloe.drift.config import GateConfig
from icefloe.drift.patterns import UNKNOWN, AttributionModel
from icefloe.drift.quantities import Quantity
from icefloe.errors import IcefloeError
from icefloe.typing import MaskArray

Ratios = Mapping[str, float]
"""Quantity: new / benchmark."""

Words = str | Callable[[Ratios], str]
"""A template such as `edges are {sharpness:.2g} times as sharp`, or a function of the ratios.

A ratio that was not measured reads as 1.
"""

Measure = Callable[[ArrayLike, MaskArray | None], Mapping[str, float]]
"""Image of shape (H, W) at native resolution and the ensemble's mask of it, or None -> column: number."""

SCORE_WORDS: Mapping[str, str] = {
    "uq_mean": "uncertainty over all pixels",
    "uq_boundary": "uncertainty per boundary pixel",
    "uq_foreground": "uncertainty per foreground pixel",
    "entropy": "entropy over all pixels",
}
"""Scores of an ensemble that measure its uncertainty, and their names in a sentence."""


@dataclass(frozen=True)
class Cause:
    """One row of a domain's table of causes.

    Attributes
    ----------
    name : str
        Key of the cause in the domain's model file.
    group : str
        Part of the microscope to look at; causes that are looked at together share it.
    brief : str or function of the ratios
        A few words to follow "most likely", such as "a different defocus".
    words : str or function of the ratios
        A sentence without its full stop: what moved, by how much, and what to check.
    """

    name: str
    group: str
    brief: Words
    words: Words


@dataclass(frozen=True)
class NoiseRule:
    """Quantities from which the gate decides that images are too noisy to be labelled.

    Attributes
    ----------
    snr : str
        Column of the contrast-to-noise ratio at an edge, for one pixel.
    higher, lower : tuple of str
        Quantities; one of the first must be significantly higher than the benchmark's, or one of the second
        lower.
    """

    snr: str
    higher: tuple[str, ...]
    lower: tuple[str, ...]


@dataclass(frozen=True)
class Domain:
    """Domain of the gate: one kind of images.

    Attributes
    ----------
    name : str
        Kind of specimen, such as "melting ice".
    uncertainty : Quantity
        Read from the prediction; an alarm when it is larger.
    evidence : tuple of Quantity
        Read from the images, so that they move even where the ensemble is sure and wrong.
    causes : tuple of Cause
        Causes that the gate can name for a shift.
    model_file : Path
        The fitted `AttributionModel`, YAML.
    measure : function
        Gives the columns of the evidence, and of the noise rule, of one image.
    noise : NoiseRule or None
        Rule that sets a dataset aside as noisy; None: no dataset is.
    dice_file : Path or None
        The fitted `DiceModels`, YAML; None: Dice is not predicted.
    """

    name: str
    uncertainty: Quantity
    evidence: tuple[Quantity, ...]
    causes: tuple[Cause, ...]
    model_file: Path
    measure: Measure
    noise: NoiseRule | None = None
    dice_file: Path | None = None

    def __post_init__(self) -> None:
        for kind, names in (
            ("quantity", [quantity.name for quantity in self.quantities]),
            ("cause", [UNKNOWN, *(cause.name for cause in self.causes)]),
        ):
            repeated = [name for i, name in enumerate(names) if name in names[:i]]
            if repeated:
                raise IcefloeError(
                    f"Domain {self.name}: there are two of the {kind} `{repeated[0]}`. Rename one of them."
                )
        rule = (*self.noise.higher, *self.noise.lower) if self.noise else ()
        self._require("noise rule", rule, [quantity.name for quantity in self.evidence], "quantity")

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """Uncertainty, then the evidence."""
        return (self.uncertainty, *self.evidence)

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Names of causes by what a microscopist would look at."""
        groups: dict[str, tuple[str, ...]] = {}
        for cause in self.causes:
            groups[cause.group] = (*groups.get(cause.group, ()), cause.name)
        return groups

    @property
    def model(self) -> AttributionModel:
        """The fitted model.

        Raises
        ------
        IcefloeError
            If it knows other causes than the table, or a quantity that the table lacks.
        """
        model = AttributionModel.load(self.model_file)
        causes = [cause.name for cause in self.causes]
        self._require(self.model_file.name, model.causes, causes, "cause")
        self._require("table of causes", causes, list(model.causes), f"cause in {self.model_file.name}")
        self._require(self.model_file.name, model.quantities, [q.name for q in self.quantities], "quantity")
        return model

    def deciding(self, config: GateConfig) -> tuple[Quantity, ...]:
        """The quantities with the settings' spreads and score.

        Raises
        ------
        IcefloeError
            If the settings give a spread to a quantity that the domain lacks.
        """
        known = {name for q in self.quantities for name in (q.name, q.formerly)}
        unknown = [name for name in config.spreads if name not in known]
        if unknown:
            raise IcefloeError(
                f"Settings of the drift gate: there is no quantity `{unknown[0]}` to give a spread to. "
                f"There are: {', '.join(q.name for q in self.quantities)}."
            )
        score = config.uncertainty
        uncertainty = self.uncertainty if score is None else self._scored(score)
        if not config.spreads:
            return (uncertainty, *self.evidence)
        return tuple(self._with_spread(q, config) for q in (uncertainty, *self.evidence))

    def other_scores(self, config: GateConfig, measured: Iterable[str]) -> tuple[Quantity, ...]:
        """Other scores of the prediction among the columns measured: they are shown and do not decide."""
        decides = self.deciding(config)[0]
        measured = set(measured)
        return tuple(
            replace(self._scored(column), name=column, spread=decides.spread)
            for column in SCORE_WORDS
            if column in measured and column not in decides.columns
        )

    def fill_in(self, words: Words, ratios: Ratios) -> str:
        """A template filled in with ratios."""
        known = _Ratios(ratios)
        return words(known) if callable(words) else words.format_map(known)

    def _scored(self, column: str) -> Quantity:
        if column in self.uncertainty.columns:
            return self.uncertainty
        return replace(self.uncertainty, words=SCORE_WORDS.get(column, column), columns=(column,))

    def _with_spread(self, quantity: Quantity, config: GateConfig) -> Quantity:
        spread = config.spreads.get(quantity.name) or config.spreads.get(quantity.formerly)
        return replace(quantity, spread=spread) if spread else quantity

    def _require(self, table: str, names: Iterable[str], known: Iterable[str], kind: str) -> None:
        missing = [name for name in names if name not in known]
        if missing:
            raise IcefloeError(
                f"Domain {self.name}: the {table} names `{missing[0]}`, and there is no such {kind}. "
                "Correct one of the two."
            )


class _Ratios(dict[str, float]):
    def __missing__(self, name: str) -> float:
        return 1.0
