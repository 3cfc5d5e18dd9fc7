"""Prediction of an ensemble for one image."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from icefloe.scoring.uncertainty import (
    ImageUncertainty,
    boundary_length,
    class_mask,
    doubt,
    image_uncertainty,
    mean_probability,
    mutual_information,
    predictive_entropy,
    predictive_std,
    total_variance,
    variation_ratio,
)
from icefloe.typing import FloatArray, MaskArray

SCORES = (
    "uq_mean",
    "uq_boundary",
    "uq_foreground",
    "entropy",
    "mutual_information",
    "aleatoric_entropy",
    "aleatoric_boundary",
    "epistemic_boundary",
    "aleatoric_variance",
    "epistemic_variance",
    "variation_ratio",
    "foreground_fraction",
)
"""Numbers of an image that follow from its maps alone; `uq_*` are explained at `ImageUncertainty`.

`entropy`, the total, is the sum of `aleatoric_entropy` and `mutual_information`, its epistemic part. These
two divided by the boundary's length are `aleatoric_boundary` and `epistemic_boundary`, as `uq_boundary` is of
`uq_mean`. The variances are the split's other form; see `icefloe.scoring.uncertainty`.
"""

MAPS = (
    "mean",
    "std",
    "entropy",
    "mutual_information",
    "variation_ratio",
    "mask",
    "member_probabilities",
    "uncalibrated",
)
"""Attributes of a prediction that have a value at each pixel."""


@dataclass(frozen=True)
class Prediction:
    """Mask, probability and uncertainty of one image, on its native grid.

    The members' probabilities are brought to the native grid (bilinear) before any statistic is taken: the
    mask's outline is then as smooth as the probability, and the standard deviation is that of the native
    probabilities, not an interpolated one.

    Attributes
    ----------
    mean : float32, shape (H, W), or (C, H, W) for C classes
        The ensemble's probability.
    std, entropy, mutual_information, variation_ratio : float32, shape (H, W)
        Uncertainty at each pixel; see `icefloe.scoring.uncertainty`. Entropies are in nats.
    mask : uint8, shape (H, W)
        Predicted class index of each pixel.
    features : float32, shape (F,)
        Encoder features averaged over the cells of a grid, all members' in their order.
    member_probabilities : float32, shape (M, H, W) or (M, C, H, W), or None
        Kept only when asked for.
    uncalibrated : float32, shape (H, W) or (C, H, W), or None
        The mean probability at temperature 1; kept only when asked for.
    n_members, n_left_out : int
        Number of members that the prediction is of, and of those left out because they were trained on the
        image. Of a single member all that measures disagreement is NaN.
    """

    mean: FloatArray
    std: FloatArray
    entropy: FloatArray
    mutual_information: FloatArray
    variation_ratio: FloatArray
    mask: MaskArray
    features: FloatArray
    member_probabilities: FloatArray | None = None
    uncalibrated: FloatArray | None = None
    n_members: int = 0
    n_left_out: int = 0

    @classmethod
    def from_members(
        cls, member_probabilities: FloatArray, threshold: float, features: FloatArray
    ) -> "Prediction":
        """Take all statistics of member probabilities, float32 of shape (M, H, W) or (M, C, H, W).

        Raises
        ------
        IcefloeError
            If there are fewer than two members.
        """
        mean = mean_probability(member_probabilities)
        return cls(
            mean=mean,
            std=predictive_std(member_probabilities),
            entropy=predictive_entropy(mean),
            mutual_information=mutual_information(member_probabilities),
            variation_ratio=variation_ratio(member_probabilities, threshold),
            mask=class_mask(mean, threshold),
            features=features,
            member_probabilities=member_probabilities,
            n_members=len(member_probabilities),
        )

    @classmethod
    def from_one(
        cls, member_probabilities: FloatArray, threshold: float, features: FloatArray
    ) -> "Prediction":
        """Of the only member not trained on the image; float32 of shape (1, H, W) or (1, C, H, W)."""
        mean = mean_probability(member_probabilities)
        mask = class_mask(mean, threshold)
        unknown = np.full(mask.shape, np.nan, np.float32)
        return cls(
            mean=mean,
            std=unknown,
            entropy=predictive_entropy(mean),
            mutual_information=unknown,
            variation_ratio=unknown,
            mask=mask,
            features=features,
            member_probabilities=member_probabilities,
            n_members=1,
        )

    @classmethod
    def from_bands(cls, bands: Iterable[tuple[slice, "Prediction"]], height: int) -> "Prediction":
        """Put an image of `height` rows together from predictions of its rows, kept one at a time."""
        maps: dict[str, Any] = {}
        for rows, band in bands:
            if rows == slice(0, height):
                return band
            for name in MAPS:
                part = getattr(band, name)
                if part is None:
                    continue
                if name not in maps:
                    maps[name] = np.empty((*part.shape[:-2], height, part.shape[-1]), part.dtype)
                maps[name][..., rows, :] = part
        return replace(band, **maps)

    def without_members(self) -> "Prediction":
        """The same without the members' maps, which are most of its memory."""
        return replace(self, member_probabilities=None)

    @property
    def aleatoric(self) -> FloatArray:
        """Aleatoric uncertainty: mean of the members' entropies, float32 of shape (H, W), in nats."""
        return np.maximum(self.entropy - self.mutual_information, np.float32(0))

    @property
    def doubt(self) -> FloatArray:
        """Probability that the mask is wrong at a pixel, as the ensemble sees it, float32 of shape (H, W)."""
        return doubt(self.mean, self.mask)

    @property
    def uncertainty(self) -> ImageUncertainty:
        """The image's uncertainty, over all pixels and per boundary and foreground."""
        return image_uncertainty(self.std, self.mask)

    def scores(self) -> dict[str, float]:
        """The numbers named in `SCORES`: maps are averaged over all pixels."""
        boundary = boundary_length(self.mask)
        aleatoric, epistemic = _mean(self.aleatoric), _mean(self.mutual_information)
        epistemic_variance = _mean(self.std.astype(np.float64) ** 2)
        return {
            **asdict(self.uncertainty),
            "entropy": _mean(self.entropy),
            "mutual_information": epistemic,
            "aleatoric_entropy": aleatoric,
            "aleatoric_boundary": aleatoric / boundary,
            "epistemic_boundary": epistemic / boundary,
            "aleatoric_variance": max(_mean(total_variance(self.mean)) - epistemic_variance, 0.0),
            "epistemic_variance": epistemic_variance,
            "variation_ratio": _mean(self.variation_ratio),
            "foreground_fraction": _mean(self.mask > 0),
        }


def _mean(values: np.ndarray) -> float:
    return float(values.mean(dtype=np.float64))
