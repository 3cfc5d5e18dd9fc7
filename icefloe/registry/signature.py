"""What versions take and give through MLflow: tensors by name, which MLflow's servers check."""

from pathlib import Path

import numpy as np
from mlflow.models import ModelSignature
from mlflow.types.schema import Schema, TensorSpec

from icefloe.ensemble.manifest import Manifest
from icefloe.ensemble.prediction import SCORES

ANY = -1
IMAGES = (ANY, ANY, ANY)


def ensemble_signature(folder: Path) -> ModelSignature:
    """The signature of a saved ensemble.

    `image`, float32 (N, H, W), gives `mask`, uint8, `mean` and `std`, float32, of the same shape, `mean` with
    the classes as second axis where there are more than two, and the images' scores, float64 (N,).
    """
    n_classes = Manifest.load(folder).n_classes
    mean = IMAGES if n_classes == 2 else (ANY, n_classes, ANY, ANY)
    outputs = [
        TensorSpec(np.dtype(np.uint8), IMAGES, "mask"),
        TensorSpec(np.dtype(np.float32), mean, "mean"),
        TensorSpec(np.dtype(np.float32), IMAGES, "std"),
        *(TensorSpec(np.dtype(np.float64), (ANY,), name) for name in SCORES),
    ]
    images = TensorSpec(np.dtype(np.float32), IMAGES, "image")
    return ModelSignature(inputs=Schema([images]), outputs=Schema(outputs))
