"""Attribution of a shift to a property of the acquisition, from the pattern of all effects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import BaseModel, model_validator

from icefloe.drift.domain import Domain
from icefloe.drift.ice import ICE
from icefloe.drift.patterns import UNKNOWN, AttributionModel
from icefloe.drift.results import FROZEN
from icefloe.tables import Table

UNKNOWN_WORDS = "several or unknown"

_CLEAR = 0.5


class Attribution(BaseModel):
    """Causes by probability, and the domain's description of the likeliest.

    Attributes
    ----------
    probabilities : mapping of str to float
        Cause, or `UNKNOWN` for several at once or another one: probability; highest first, summing to 1.
    ratios : mapping of str to float
        By quantity: its mean in the new dataset divided by the benchmark's.
    groups : mapping of str to float
        Probability of each group of causes (what a microscopist would look at, or `UNKNOWN`), highest first.
    cause : str
        The likeliest cause of the clear group; `UNKNOWN` where no group is clear.
    brief, words : str
        That cause in a few words and in a sentence; empty where no group is clear.
    """

    model_config = FROZEN

    probabilities: Mapping[str, float]
    ratios: Mapping[str, float]
    groups: Mapping[str, float]
    cause: str
    brief: str
    words: str

    @classmethod
    def of(
        cls, probabilities: Mapping[str, float], ratios: Mapping[str, float], domain: Domain
    ) -> Attribution:
        """With the domain's groups and words.

        Parameters
        ----------
        probabilities : mapping of str to float
            Probability of each cause, highest first.
        ratios : mapping of str to float
            By quantity: its mean in the new dataset divided by the benchmark's.
        domain : Domain
            The specimen's causes of drift.
        """
        sums = {
            group: sum(probabilities.get(cause, 0.0) for cause in causes)
            for group, causes in domain.groups.items()
        }
        sums[UNKNOWN] = probabilities.get(UNKNOWN, 0.0)
        groups = dict(sorted(sums.items(), key=lambda item: -item[1]))
        likely = domain.groups.get(_clear(groups), ())
        found = max(
            (cause for cause in domain.causes if cause.name in likely),
            key=lambda cause: probabilities.get(cause.name, 0.0),
            default=None,
        )
        return cls(
            probabilities=probabilities,
            ratios=ratios,
            groups=groups,
            cause=found.name if found else UNKNOWN,
            brief=domain.fill_in(found.brief, ratios) if found else "",
            words=domain.fill_in(found.words, ratios) if found else "",
        )

    @model_validator(mode="before")
    @classmethod
    def _read_former_results(cls, content: Any) -> Any:
        """Reports of earlier versions are of melting ice, and have no words of their own."""
        if not isinstance(content, Mapping) or "groups" in content or "probabilities" not in content:
            return content
        return Attribution.of(content["probabilities"], content.get("ratios", {}), ICE).model_dump()

    @property
    def group(self) -> str:
        """The group that is more likely than all else together; `UNKNOWN` where none is."""
        return _clear(self.groups)

    @property
    def is_clear(self) -> bool:
        """Whether a group is more likely than all else together."""
        return self.group != UNKNOWN

    @property
    def _candidates(self) -> str:
        return " and ".join([name for name in self.groups if name != UNKNOWN][:2])

    def summary(self) -> str:
        """The likeliest cause, to end a sentence: `most likely another defocus (97%)`."""
        if not self.is_clear:
            return f"no single cause is clear, look at {self._candidates} first"
        return f"most likely {self.brief} ({self.groups[self.group]:.0%})"

    def sentence(self) -> str:
        """The likeliest cause, in one sentence."""
        if not self.is_clear:
            return (
                "What changed is not clear: several properties at once, or one that was never simulated; "
                f"look at {self._candidates} first."
            )
        return f"{self.words} (probability {self.groups[self.group]:.0%})."

    def table(self) -> Table:
        """Probability of every cause, highest first."""
        return Table.of(
            [
                {"cause": UNKNOWN_WORDS if name == UNKNOWN else name, "probability": probability}
                for name, probability in self.probabilities.items()
            ],
            {"probability": ".0%"},
        )

    def to_markdown(self) -> str:
        """The sentence and the table."""
        return f"**What changed.** {self.sentence()}\n\n{self.table().markdown()}"


def attribute(
    effects: Mapping[str, tuple[float, float]], domain: Domain = ICE, model: AttributionModel | None = None
) -> Attribution:
    """Causes of the effects that the gate measured.

    Parameters
    ----------
    effects : mapping of str to (float, float)
        Quantity: logarithm of the ratio new / benchmark, and its standard deviation between experiments;
        quantities that the model does not know are ignored.
    domain : Domain
        Causes of drift of this kind of specimen, and the model that distinguishes them.
    model : AttributionModel, optional
        The model to use instead of the domain's own.
    """
    model = model or domain.model
    known = {name: effect for name, effect in effects.items() if name in model.quantities}
    ranked = sorted(model.probabilities(known).items(), key=lambda item: -item[1])
    return Attribution.of(
        dict(ranked), {name: float(np.exp(shift)) for name, (shift, _) in known.items()}, domain
    )


def _clear(groups: Mapping[str, float]) -> str:
    name, probability = next(iter(groups.items()))
    return name if probability > _CLEAR else UNKNOWN
