"""Settings of the drift gate: assumed variation, and error rates."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from icefloe.statistics.predictive import SpreadPrior


class Spread(BaseModel):
    """Prior variation of one quantity between experiments of one kind.

    Attributes
    ----------
    scale : float
        Standard deviation between experiments, of the natural logarithm; for a distribution, the root mean
        square over its columns in their own unit.
    dimensions : float
        Independent directions it varies in; above 1 for a distribution only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scale: float = Field(gt=0)
    dimensions: float = Field(1.0, ge=1)


class GateConfig(BaseModel):
    """Settings of the drift gate, whatever the domain.

    A key `<name>_spread`, as settings of earlier versions have it, is read as an entry of `spreads`.

    Attributes
    ----------
    alpha : float
        Probability that a new experiment of the benchmark's kind is called anything but accepted.
    min_images : int
        Fewer images with a finite score are inconclusive.
    uncertainty : str or None
        Score column that decides, one of `icefloe.ensemble.prediction.SCORES`; None: the domain's own. Others
        are reported beside it. At equal sizes of the foreground the mean over pixels and the sum per
        foreground pixel are one and the same.
    prior_experiments : float
        Number of experiments that the prior spreads count as: with K reference experiments, the variation
        found among them gets the weight K - 1 against this.
    spreads : mapping of str to Spread
        Variation between experiments by name of a quantity, to use instead of the domain's own.
    noise_margin : float
        A noisy dataset's contrast-to-noise ratio is below that of the benchmark's poorest experiment by this
        factor.
    readable_length_px : float
        Length in pixels over which an edge of a noisy dataset cannot be seen (Rose's criterion,
        contrast-to-noise ratio times length below 5): a labeler could not place the boundary to that
        accuracy, so labels would not help.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    alpha: float = Field(0.05, gt=0, lt=0.5)
    min_images: int = Field(5, ge=2)
    uncertainty: str | None = None
    prior_experiments: float = Field(12.0, gt=0)
    spreads: Mapping[str, Spread] = Field(default_factory=dict)
    noise_margin: float = Field(2.0, gt=1)
    readable_length_px: float = Field(4.0, gt=0)

    @model_validator(mode="before")
    @classmethod
    def _read_former_keys(cls, content: Any) -> Any:
        if not isinstance(content, Mapping):
            return content
        former = {key: spread for key, spread in content.items() if key.endswith("_spread")}
        if not former:
            return content
        others = {key: value for key, value in content.items() if key not in former}
        named = {key.removesuffix("_spread"): spread for key, spread in former.items()}
        return others | {"spreads": named | dict(content.get("spreads", {}))}

    def prior(self, spread: Spread) -> SpreadPrior:
        """The spread as the predictive test takes it."""
        return SpreadPrior(spread.scale, self.prior_experiments, spread.dimensions)

    @property
    def readable_snr(self) -> float:
        """Contrast-to-noise ratio below which an edge of `readable_length_px` is lost in noise."""
        return ROSE_CRITERION / self.readable_length_px


ROSE_CRITERION = 5.0
"""Signal-to-noise ratio over its whole area at which a feature is seen reliably (A. Rose, JOSA 38, 1948)."""
