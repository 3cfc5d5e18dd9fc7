"""What versions take and give through MLflow: tensors by name, which MLflow's servers check."""

import numpy as np
from mlflow.models import ModelSignature
from mlflow.types.schema import ColSpec, Schema, TensorSpec

from icefloe.ensemble.prediction import SCORES

ANY = -1
IMAGES = (ANY, ANY, ANY)


def ensemble_signature(n_classes: int) -> ModelSignature:
    """The signature of ensembles that know so many classes, background included.

    `image`, float32 (N, H, W), gives `mask`, uint8, `mean` and `std`, float32, of the same shape, `mean` with
    the classes as second axis where there are more than two, and the images' scores, float64 (N,).
    """
    mean = IMAGES if n_classes == 2 else (ANY, n_classes, ANY, ANY)
    outputs: list[ColSpec | TensorSpec] = [
        TensorSpec(np.dtype(np.uint8), IMAGES, "mask"),
        TensorSpec(np.dtype(np.float32), mean, "mean"),
        TensorSpec(np.dtype(np.float32), IMAGES, "std"),
        *(TensorSpec(np.dtype(np.float64), (ANY,), name) for name in SCORES),
    ]
    images: list[ColSpec | TensorSpec] = [TensorSpec(np.dtype(np.float32), IMAGES, "image")]
    return ModelSignature(inputs=Schema(images), outputs=Schema(outputs))
