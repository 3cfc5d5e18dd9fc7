"""A workspace with a real registry of its own, in a store that all tests share, and versions to put in it."""

import pytest

from icefloe.settings import load_settings
from tests.conftest import evaluation_of
from tests.icefloe.registry.conftest import (
    STUDIES,
    first,
    lineage_of,
    registry,
    retrain,
    save_ensemble,
    store,
)

__all__ = [
    "evaluation_of",
    "first",
    "lineage_of",
    "registry",
    "retrain",
    "save_ensemble",
    "settings",
    "store",
]


@pytest.fixture
def settings(store, tmp_path):
    folder = tmp_path / "workspace"
    (folder / "data").mkdir(parents=True)
    names = store | {"registered_model": f"study-{next(STUDIES)}", "experiment": f"runs-{next(STUDIES)}"}
    (folder / "icefloe.toml").write_text("".join(f'{name} = "{value}"\n' for name, value in names.items()))
    return load_settings(folder)
