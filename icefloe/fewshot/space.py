"""The space in which chips are compared: directions from the support image's mean."""

from dataclasses import dataclass

import numpy as np

from icefloe.fewshot.prototypes import Float64Array
from icefloe.typing import FloatArray


@dataclass(frozen=True, eq=False)
class Space:
    """Embeddings less their mean, brought to length 1 (CL2N, Wang et al. 2019, SimpleShot).

    Features of bright chips are larger in every channel. Without this their spread decides the temperature,
    and on a dark image with bright particles every chip is unsure.

    Attributes
    ----------
    centre : float64, shape (F,)
        Mean embedding of the support image's chips; it stays for other images, whose mixture may differ.
    """

    centre: Float64Array

    @classmethod
    def of(cls, embeddings: FloatArray) -> "Space":
        """Of all chips of the support image, float32 (N, F)."""
        return cls(embeddings.mean(axis=0, dtype=np.float64))

    def vectors(self, embeddings: FloatArray) -> Float64Array:
        """Chips, float32 (N, F), in this space: float64, shape (N, F); one at the centre stays there."""
        away = embeddings.astype(np.float64) - self.centre
        lengths = np.linalg.norm(away, axis=1, keepdims=True)
        return away / np.maximum(lengths, np.finfo(np.float64).tiny)
