"""An ensemble directory as an MLflow pyfunc model, put together without loading it.

`mlflow.pyfunc.save_model` would run the model's code, and so import torch, only to look for type hints.
"""

import shutil
from importlib.metadata import version
from pathlib import Path

from mlflow.models import Model
from mlflow.pyfunc import add_to_model

import icefloe.ensemble

ENSEMBLE_FOLDER = "artifacts/ensemble"
MODEL_CODE = Path(icefloe.ensemble.__path__[0], "pyfunc.py")


def package(ensemble: Path, folder: Path) -> None:
    """Write the model's folder: `MLmodel`, its code, its requirements and the ensemble's own files.

    Parameters
    ----------
    ensemble
        A saved ensemble.
    folder
        Where to write; its parent must exist.
    """
    shutil.copytree(ensemble, folder / ENSEMBLE_FOLDER)
    shutil.copyfile(MODEL_CODE, folder / MODEL_CODE.name)
    (folder / "requirements.txt").write_text(f"icefloe=={version('icefloe')}\n", encoding="utf-8")
    model = Model()
    add_to_model(
        model,
        loader_module="mlflow.pyfunc.loaders.code_model",
        model_code_path=MODEL_CODE.name,
        artifacts={"ensemble": {"path": ENSEMBLE_FOLDER, "uri": ENSEMBLE_FOLDER}},
    )
    model.save(str(folder / "MLmodel"))
