"""Diversity of the errors of an ensemble's members.

Pairwise measures follow Kuncheva and Whitaker 2003 (Machine Learning 51:181); each is a function of how often
two members are right and wrong together.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icefloe.errors import IcefloeError
from icefloe.typing import IGNORE, MaskArray

FloatMatrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ErrorCounts:
    """Pixels that members get wrong, alone and together; those of several images add up.

    Attributes
    ----------
    n_pixels
        Number of pixels that are not ignored.
    both_wrong : int64, shape (M, M)
        Pixels that two members both get wrong; on the diagonal, those that one gets wrong.
    """

    n_pixels: int
    both_wrong: NDArray[np.int64]

    @classmethod
    def of_masks(cls, reference: MaskArray, masks: MaskArray) -> "ErrorCounts":
        """Count the errors of members' masks on one image.

        Parameters
        ----------
        reference : uint8, shape (H, W)
            Reference mask of 0 and 1; 255 is left out.
        masks : uint8, shape (M, H, W)
            Predicted masks of M >= 2 members.

        Raises
        ------
        IcefloeError
            If there are fewer than two members.
        """
        if len(masks) < 2:
            raise IcefloeError("Diversity needs at least two members; there is one. Train or keep another.")
        counted = reference != IGNORE
        wrong = (masks != reference)[:, counted].astype(np.float32)  # BLAS; exact to 2^24 pixels an image
        return cls(int(counted.sum()), (wrong @ wrong.T).round().astype(np.int64))

    def __add__(self, other: "ErrorCounts") -> "ErrorCounts":
        return ErrorCounts(self.n_pixels + other.n_pixels, self.both_wrong + other.both_wrong)

    @property
    def disagreement(self) -> FloatMatrix:
        """Share of pixels that just one of two members gets right (Skalak 1996), shape (M, M).

        With two classes these are the pixels on which their masks differ.
        """
        return (self._only_first + self._only_first.T) / self.n_pixels

    @property
    def double_fault(self) -> FloatMatrix:
        """Share of pixels that both get wrong (Giacinto and Roli 2001), shape (M, M)."""
        return self.both_wrong / self.n_pixels

    @property
    def error_correlation(self) -> FloatMatrix:
        """Pearson's correlation of being wrong, phi, shape (M, M); NaN where a member never errs."""
        wrong = np.diag(self.both_wrong).astype(np.float64)
        spread = np.sqrt(wrong * (self.n_pixels - wrong))
        covariance = self.n_pixels * self.both_wrong - np.outer(wrong, wrong)
        with np.errstate(invalid="ignore"):
            return np.asarray(covariance / np.outer(spread, spread))

    @property
    def q_statistic(self) -> FloatMatrix:
        """Yule's Q, shape (M, M): 0 for independent errors, 1 for the same; NaN where it is 0/0."""
        both_right = self.n_pixels - self.both_wrong - self._only_first - self._only_first.T
        together = both_right.astype(np.float64) * self.both_wrong
        apart = self._only_first.astype(np.float64) * self._only_first.T
        with np.errstate(invalid="ignore"):
            return np.asarray((together - apart) / (together + apart))

    @property
    def _only_first(self) -> NDArray[np.int64]:
        """Pixels that the member of the row gets wrong and that of the column right, shape (M, M)."""
        return np.diag(self.both_wrong)[:, None] - self.both_wrong
