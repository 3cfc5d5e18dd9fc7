"""What `benchmarks/fit_attribution.py` makes of experiments whose causes are known."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from icefloe.drift.patterns import AttributionModel

from .conftest import MOVED

SCRIPT = runpy.run_path(str(Path(__file__).parents[3] / "benchmarks" / "fit_attribution.py"))


def test_a_model_fitted_on_a_world_finds_its_effects_and_is_read_back(world, tmp_path):
    benchmark, measured = world
    model = SCRIPT["fit_attribution"](benchmark, measured, "a test")
    names = list(model.quantities)

    for cause, moved in MOVED.items():
        full = dict(zip(names, model.causes[cause].effects[-1], strict=True))
        assert full.pop(moved) == pytest.approx(np.log(4), abs=0.15)
        assert np.abs(list(full.values())).max() < 0.15
    SCRIPT["write_model"](model, tmp_path / "model.yaml")
    assert len((tmp_path / "model.yaml").read_text()) < 20_000
    assert AttributionModel.load(tmp_path / "model.yaml") == model
