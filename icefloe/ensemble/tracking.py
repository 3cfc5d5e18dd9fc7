"""Logging an ensemble to MLflow."""

from importlib.metadata import version
from pathlib import Path

import mlflow

from icefloe.ensemble.manifest import Manifest

MODEL_CODE = Path(__file__).with_name("pyfunc.py")


def log_ensemble(directory: Path, name: str = "model") -> str:
    """Log a saved ensemble as a pyfunc model, in the active run if there is one.

    Parameters
    ----------
    directory
        A saved ensemble.
    name
        Name of the logged model.

    Returns
    -------
    str
        Model URI, for `mlflow.pyfunc.load_model` and `mlflow.register_model`.

    Raises
    ------
    IcefloeError
        If the directory is no ensemble.
    """
    manifest = Manifest.load(directory)
    logged = mlflow.pyfunc.log_model(
        name=name,
        python_model=MODEL_CODE,
        artifacts={"ensemble": str(directory)},
        # Named, because finding them out would load the model in a process of its own.
        pip_requirements=[f"icefloe=={version('icefloe')}"],
        metadata={
            "ensemble": manifest.name,
            "members": [member.spec.name for member in manifest.members],
            **manifest.provenance.model_dump(),
        },
    )
    uri: str = logged.model_uri
    return uri
