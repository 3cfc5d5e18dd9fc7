"""What the gate is allowed to assume, and the errors it is allowed to make."""

from pydantic import BaseModel, ConfigDict, Field

from icefloe.statistics.predictive import SpreadPrior


class Spread(BaseModel):
    """Variation of one quantity between experiments of one kind, assumed until the benchmark shows its own.

    Attributes
    ----------
    scale : float
        Standard deviation between experiments, of the natural logarithm (of the standardised intensities for
        the distribution: there the root mean square over its quantiles).
    dimensions : float
        Independent directions it varies in; above 1 for the intensity distribution only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scale: float = Field(gt=0)
    dimensions: float = Field(1.0, ge=1)


class GateConfig(BaseModel):
    """Settings of the drift gate.

    Attributes
    ----------
    alpha : float
        Probability that a new experiment of the benchmark's kind is called anything but accepted.
    min_images : int
        Fewer images with a finite score are inconclusive.
    uncertainty : str
        Score column that decides; others are reported beside it. At equal sizes of the crystal the mean over
        pixels and the sum per foreground pixel are one and the same.
    prior_experiments : float
        How many experiments' worth of knowledge the spreads below are: with K reference experiments, the
        variation found among them gets the weight K - 1 against this.
    uncertainty_spread ... facets_spread : Spread
        Chosen on simulated experiments of one kind, which `icefloe study gate` draws anew and shows beside
        them. That of uncertainty includes the step from the experiments that the ensemble was trained on, on
        whose unseen frames it is lower.
    noise_margin : float
        A noisy dataset's contrast-to-noise ratio is below that of the benchmark's poorest experiment by this
        factor.
    readable_length_px : float
        A noisy dataset's edges can't be seen over this length (Rose's criterion, contrast-to-noise ratio
        times length below 5): a labeler couldn't place the boundary to that accuracy, so labels wouldn't
        help.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    alpha: float = Field(0.05, gt=0, lt=0.5)
    min_images: int = Field(5, ge=2)
    uncertainty: str = "uq_mean"
    prior_experiments: float = Field(12.0, gt=0)
    uncertainty_spread: Spread = Spread(scale=0.27)
    noise_spread: Spread = Spread(scale=0.033)
    contrast_spread: Spread = Spread(scale=0.075)
    sharpness_spread: Spread = Spread(scale=0.04)
    intensity_spread: Spread = Spread(scale=0.07, dimensions=1.5)
    spikes_spread: Spread = Spread(scale=0.15)
    lines_spread: Spread = Spread(scale=0.04)
    boundary_contrast_spread: Spread = Spread(scale=0.11)
    boundary_sharpness_spread: Spread = Spread(scale=0.035)
    elongation_spread: Spread = Spread(scale=0.22)
    facets_spread: Spread = Spread(scale=0.2)
    noise_margin: float = Field(2.0, gt=1)
    readable_length_px: float = Field(4.0, gt=0)

    def prior(self, spread: Spread) -> SpreadPrior:
        """The spread as the predictive test takes it."""
        return SpreadPrior(spread.scale, self.prior_experiments, spread.dimensions)

    @property
    def readable_snr(self) -> float:
        """Contrast-to-noise ratio below which an edge of `readable_length_px` can't be told from noise."""
        return ROSE_CRITERION / self.readable_length_px


ROSE_CRITERION = 5.0
"""Signal-to-noise ratio over its whole area at which a feature is seen reliably (A. Rose, JOSA 38, 1948)."""
