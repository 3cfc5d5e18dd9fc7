"""The rule by which a challenger may replace the champion."""

from pydantic import BaseModel, ConfigDict, Field

METRICS = {"dice": "Dice", "pca": "pCA", "ece": "ECE", "uq": "UQ"}
"""Column of the evaluation's per-image table -> the name people read; the one that weighs most first."""

HIGHER_IS_BETTER = frozenset({"dice", "pca"})


class PromotionRule(BaseModel):
    """Margins and confidence of the promotion gate, for differences of per-image means.

    A pass must be shown on every dataset and metric, so a challenger worse by more than a margin passes with
    a probability of at most `1 - confidence`, whatever the number of datasets.

    Attributes
    ----------
    confidence
        Probability that a finding must have: better, worse beyond the margin, or not. Intervals leave
        `1 - confidence` on each side.
    dice_margin, pca_margin, ece_margin
        How much worse the mean over a dataset's images may become before it counts as forgetting.
    uq_margin
        The same for mean UQ; None: UQ is reported and decides nothing, because an ensemble may grow more
        certain while it grows worse (three of four ERs of Baskaran et al. 2022 do on D4).
    min_improvement
        Dice that the new dataset must gain at least.
    n_resamples, block_length, seed
        Of the bootstrap over time that judges a first version beside the trivial baselines: number of
        resamples; images in a block (None: the cube root of their number; 1: they are independent); seed.
    min_images
        A first version's dataset with fewer images is decided by the t interval's assumption of normal
        differences, and the report warns: no distribution-free test of 5 pairs reaches a two-sided 5 %.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_resamples: int = Field(10_000, ge=1000)
    confidence: float = Field(0.95, gt=0.5, lt=1)
    block_length: int | None = Field(None, ge=1)
    dice_margin: float = Field(0.02, ge=0)
    pca_margin: float = Field(0.01, ge=0)
    ece_margin: float = Field(0.02, ge=0)
    uq_margin: float | None = Field(None, ge=0)
    min_improvement: float = Field(0.0, ge=0)
    min_images: int = Field(6, ge=2)
    seed: int = 0

    def margin(self, metric: str) -> float | None:
        """Margin of a column of `METRICS`."""
        margin: float | None = getattr(self, f"{metric}_margin")
        return margin
