"""The ensemble as an MLflow pyfunc model from code: MLflow stores this file and runs it on loading.

The one artifact, `ensemble`, is the ensemble's directory; nothing is pickled.
"""

from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.prediction import SCORES
from icefloe.errors import IcefloeError
from icefloe.typing import FloatArray

ARTIFACT = "ensemble"
IMAGE_COLUMN = "image"


class EnsembleModel(PythonModel):
    """Segments images through MLflow's common interface."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the ensemble, checking every hash."""
        self._ensemble = Ensemble.load(Path(context.artifacts[ARTIFACT]))

    # Without a type hint for the input, from which MLflow would derive a schema: it knows none for images.
    def predict(  # type: ignore[no-untyped-def]
        self, context: PythonModelContext, model_input, params: dict[str, Any] | None = None
    ) -> dict[str, list[Any]]:
        """Segment images.

        Parameters
        ----------
        context
            Ignored; part of MLflow's interface.
        model_input : array (H, W) or (N, H, W), list of arrays (H, W), or table with a column `image` of them
            Any intensity units; images of a list or table may differ in size. Nested lists, as JSON gives
            them, will do for arrays.
        params
            Ignored; part of MLflow's interface.

        Returns
        -------
        dict of lists, one entry per image
            `mask` uint8 (H, W); `mean` float32 (H, W) or (C, H, W); `std` float32 (H, W); and the image's
            numbers by the names of `icefloe.ensemble.prediction.SCORES`.

        Raises
        ------
        IcefloeError
            If the input is none of these, or an image cannot be used.
        """
        predictions = list(self._ensemble.predict_images(as_images(model_input)))
        scores = [prediction.scores() for prediction in predictions]
        return {
            "mask": [prediction.mask for prediction in predictions],
            "mean": [prediction.mean for prediction in predictions],
            "std": [prediction.std for prediction in predictions],
            **{name: [image[name] for image in scores] for name in SCORES},
        }


def as_images(model_input: Any) -> list[FloatArray]:
    """Images, each float32 of shape (H, W), from any of the inputs that `EnsembleModel.predict` takes."""
    if isinstance(model_input, pd.DataFrame):
        if IMAGE_COLUMN not in model_input:
            raise IcefloeError(
                f"The table to predict has no column {IMAGE_COLUMN}. "
                "Put one image, an array (H, W), in each row."
            )
        model_input = list(model_input[IMAGE_COLUMN])
    if isinstance(model_input, np.ndarray) and model_input.dtype != object and model_input.ndim == 2:
        model_input = model_input[None]
    images = [np.asarray(image, np.float32) for image in model_input]
    if images and images[0].ndim == 1:  # one image as a list of rows
        images = [np.stack(images)]
    return images


mlflow.models.set_model(EnsembleModel())
