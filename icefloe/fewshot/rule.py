"""What a classification was asked for."""

from pydantic import BaseModel, ConfigDict, Field

from icefloe.fewshot.intervals import RESAMPLES


class Rule(BaseModel):
    """When a chip is unsure, and how sure intervals are.

    Attributes
    ----------
    max_risk
        Highest risk, 1 - the most probable class's probability, with which a chip counts for that class.
    confidence
        Level of the counts' intervals.
    n_resamples, seed
        Of the bootstrap.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_risk: float = Field(0.2, ge=0, le=1)
    confidence: float = Field(0.95, gt=0, lt=1)
    n_resamples: int = Field(RESAMPLES, ge=20, le=2000)
    seed: int = Field(0, ge=0)
