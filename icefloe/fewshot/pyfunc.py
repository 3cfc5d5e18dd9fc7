"""A few-shot model as an MLflow pyfunc model from code, as `icefloe.ensemble.pyfunc` is of an ensemble."""

from pathlib import Path
from typing import Any

import mlflow
from mlflow.pyfunc.model import PythonModelContext

from icefloe.ensemble.pyfunc import ARTIFACT, EnsembleModel
from icefloe.fewshot.model import FewShotModel


class FewShotPyfunc(EnsembleModel):
    """Segments images through MLflow's common interface."""

    _ensemble: Any

    def load_context(self, context: PythonModelContext) -> None:
        """Load the model, checking every hash."""
        self._ensemble = FewShotModel.load(Path(context.artifacts[ARTIFACT]))


mlflow.models.set_model(FewShotPyfunc())
