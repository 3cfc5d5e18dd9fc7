"""A real small ensemble that takes images as they are."""

import pytest

from icefloe.ensemble.ensemble import Ensemble
from icefloe.imaging.preprocess import Preprocessing


@pytest.fixture(scope="session")
def ensemble(make_ensemble) -> Ensemble:
    return make_ensemble(preprocessing=Preprocessing(size=64, region=False))
