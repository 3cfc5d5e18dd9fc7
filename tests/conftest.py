"""Fixtures that every test may use."""

import os
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def real_data() -> Path:
    """The real micrographs beside the project; tests that need them are skipped where they are absent."""
    folder = Path(os.environ.get("ICEFLOE_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the real micrographs are not on this machine (set ICEFLOE_REAL_DATA)")
    return folder
