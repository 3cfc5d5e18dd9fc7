"""The ensemble as an MLflow pyfunc model from code: MLflow stores this file and runs it on loading.

The one artifact, `ensemble`, is the ensemble's directory; nothing is pickled. What goes in and out is the
version's signature, `icefloe.registry.signature`.
"""

from pathlib import Path
from typing import Any

import mlflow
import numpy as np
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.prediction import SCORES
from icefloe.errors import IcefloeError
from icefloe.typing import FloatArray

ARTIFACT = "ensemble"
INPUT = "image"


class EnsembleModel(PythonModel):
    """Segments images through MLflow's common interface."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the ensemble, checking every hash."""
        self._ensemble = Ensemble.load(Path(context.artifacts[ARTIFACT]))

    # Without a type hint for the input, from which MLflow would derive a schema: it knows none for images.
    def predict(  # type: ignore[no-untyped-def]
        self, context: PythonModelContext, model_input, params: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Segment images.

        Parameters
        ----------
        context
            Ignored; part of MLflow's interface.
        model_input : array (H, W) or (N, H, W), or a dict with the entry `image` of one
            Any intensity units.
        params
            Ignored; part of MLflow's interface.

        Returns
        -------
        dict of arrays
            `mask` uint8 (N, H, W); `mean` float32 (N, H, W) or (N, C, H, W); `std` float32 (N, H, W); and the
            images' numbers, float64 (N,), by the names of `icefloe.ensemble.prediction.SCORES`.

        Raises
        ------
        IcefloeError
            If the input is none of these, or an image cannot be used.
        """
        predictions = list(self._ensemble.predict_images(as_images(model_input)))
        scores = [prediction.scores() for prediction in predictions]
        return {
            "mask": np.stack([prediction.mask for prediction in predictions]),
            "mean": np.stack([prediction.mean for prediction in predictions]),
            "std": np.stack([prediction.std for prediction in predictions]),
            **{name: np.array([image[name] for image in scores]) for name in SCORES},
        }


def as_images(model_input: Any) -> FloatArray:
    """Images, float32 of shape (N, H, W), from any of the inputs that `EnsembleModel.predict` takes."""
    images = np.asarray(model_input[INPUT] if isinstance(model_input, dict) else model_input, np.float32)
    if images.ndim == 2:
        images = images[None]
    if images.ndim != 3 or not images.size:
        raise IcefloeError(f"Images are arrays (N, H, W); these are {images.shape}. Send at least one.")
    return images


mlflow.models.set_model(EnsembleModel())
