"""A version's folder as an MLflow pyfunc model, put together without loading it.

`mlflow.pyfunc.save_model` would run the model's code, and so import torch, only to look for type hints.
"""

import shutil
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from mlflow.models import Model
from mlflow.pyfunc import add_to_model

from icefloe.registry.families import Family
from icefloe.scratch import copy_tree

FILES_FOLDER = "artifacts/ensemble"
"""Folder of a version's own files in the model's folder, for all families."""


def package(family: Family, folder: Path, model_folder: Path, n_classes: int) -> None:
    """Write the model's folder: `MLmodel`, its code, its requirements and the version's own files.

    Parameters
    ----------
    family
        Has the code that serves the version.
    folder
        The version's files, such as those of a saved ensemble.
    model_folder
        Folder to write; its parent must exist.
    n_classes
        Number of classes that the version knows, background included.
    """
    copy_tree(folder, model_folder / FILES_FOLDER)
    shutil.copyfile(family.model_code, model_folder / family.model_code.name)
    (model_folder / "requirements.txt").write_text(f"icefloe=={version('icefloe')}\n", encoding="utf-8")
    model = Model(signature=family.signature(n_classes) if family.signature else None)
    add_flavor: Callable[..., None] = add_to_model  # MLflow gives it no types
    add_flavor(
        model,
        loader_module="mlflow.pyfunc.loaders.code_model",
        model_code_path=family.model_code.name,
        artifacts={"ensemble": {"path": FILES_FOLDER, "uri": FILES_FOLDER}},
    )
    model.save(str(model_folder / "MLmodel"))
