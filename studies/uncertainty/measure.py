"""What the study keeps of each image: numbers of the frame, and some of its pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icefloe.ensemble.prediction import Prediction
from icefloe.ensemble.samples import LabelledSample
from icefloe.ensemble.segmenter import Segmenter
from icefloe.scoring.conformal import highest_safe_doubt, labelled_areas
from icefloe.scoring.metrics import pixel_scores
from icefloe.typing import IGNORE, MaskArray

PIXELS_A_FRAME = 1000
"""Pixels drawn from a frame for the risk-coverage curves of pixels."""

DOUBTS = np.concatenate([[0.0], np.geomspace(1e-4, 1.0, 200)])
"""Doubts at which it is kept what share of a frame's pixels reaches them."""


@dataclass(frozen=True, eq=False)
class MeasuredFrame:
    """One image of an experiment with its reference; shares are of the image's labelled pixels.

    Attributes
    ----------
    numbers
        Those of `Prediction.scores`, and `doubt`, its mean; and

        * `true`, `expected`: share of the first foreground class, in the reference, and the mean of its
          probability; `open_share`: the area's uncertainty (`conformal.labelled_areas`); `member_spread`: the
          standard deviation over members of their expected shares;
        * `error`, `dice` of the mask; `safe_doubt` (`conformal.highest_safe_doubt`).
    abstained : float64, shape (len(DOUBTS),)
        Share of the pixels that would be abstained from at each of `DOUBTS`.
    pixels : dict of float32, each of shape (PIXELS_A_FRAME,)
        At pixels drawn at random: `wrong` (0 or 1) and the scores that may rank them.
    """

    numbers: dict[str, float]
    abstained: NDArray[np.float64]
    pixels: dict[str, NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class MeasuredExperiment:
    """An experiment's frames."""

    frames: tuple[MeasuredFrame, ...]

    def column(self, name: str) -> NDArray[np.float64]:
        """One of the numbers of every frame, float64 of shape (n,)."""
        return np.array([frame.numbers[name] for frame in self.frames])


def measure(
    segmenter: Segmenter, samples: Sequence[LabelledSample], max_error: float, rng: np.random.Generator
) -> MeasuredExperiment:
    """Predict an experiment's images and keep what the study needs of them.

    The segmenter has members, which can disagree; `max_error` is the share of an image's pixels that may be
    wrong and kept; `rng` draws pixels.
    """
    predicted = segmenter.predict(samples, keep_members=True)
    frames = (_frame(sample.reference(), prediction, max_error, rng) for sample, prediction in predicted)
    return MeasuredExperiment(tuple(frames))


def _frame(
    mask: MaskArray, prediction: Prediction, max_error: float, rng: np.random.Generator
) -> MeasuredFrame:
    counted, mean = mask != IGNORE, prediction.mean
    n_classes = 2 if mean.ndim == 2 else len(mean)
    quality = pixel_scores(mask, prediction.mask, n_classes)
    members = prediction.member_probabilities
    assert members is not None  # the members were asked for
    of_class = members if members.ndim == 3 else members[:, 1]
    true, expected, open_share = labelled_areas(mask, mean)
    doubt, wrong = prediction.doubt[counted], (prediction.mask != mask)[counted]
    drawn = rng.integers(0, doubt.size, PIXELS_A_FRAME)
    maps = {
        "doubt": prediction.doubt,
        "1 - max p": 1 - (np.maximum(mean, 1 - mean) if n_classes == 2 else mean.max(axis=0)),
        "entropy": prediction.entropy,
        "aleatoric entropy": prediction.aleatoric,
        "mutual information": prediction.mutual_information,
        "std (UQ)": prediction.std,
    }
    numbers = {
        **prediction.scores(),
        "doubt": float(doubt.mean(dtype=np.float64)),
        "true": float(true[0]),
        "expected": float(expected[0]),
        "open_share": float(open_share[0]),
        "member_spread": float(of_class[:, counted].mean(axis=1, dtype=np.float64).std()),
        "error": 1 - quality.accuracy,
        "dice": quality.dice,
        "safe_doubt": highest_safe_doubt(doubt, wrong, max_error),
    }
    pixels = {name: values[counted][drawn] for name, values in maps.items()}
    return MeasuredFrame(
        numbers=numbers,
        abstained=1 - np.searchsorted(np.sort(doubt), DOUBTS) / doubt.size,
        pixels={"wrong": wrong[drawn].astype(np.float32)} | pixels,
    )
