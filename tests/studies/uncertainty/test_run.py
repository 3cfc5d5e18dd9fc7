"""The whole study with a tiny ensemble of random weights: every table, figure and number is there."""

import json

import pytest

from icefloe.datasets.dataset import DatasetInfo, load_datasets
from icefloe.errors import IcefloeError
from icefloe.imaging.preprocess import Preprocessing
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.spec import ExperimentSpec
from icefloe.simulate.workspace import write_dataset
from studies.uncertainty import run
from studies.uncertainty.run import Subject, run_uncertainty
from studies.writing import Circumstances, write_study


@pytest.fixture(scope="module")
def subject(make_ensemble):
    benchmark = ({"dataset": "A", "stem": "composite_001", "index": 1},)
    small = Preprocessing(size=32)
    return Subject(make_ensemble(name="EA-T9", preprocessing=small, temperature=1.5, benchmark=benchmark))


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    spec = ExperimentSpec(size_px=64, pixel_size_nm=7.5, n_composites=3)
    for seed, name in enumerate(("A", "B")):
        info = DatasetInfo(name=name, experiment=name)
        write_dataset(simulate_experiment(spec, seed), data / name, info, labelled=True)
    return load_datasets(data)


@pytest.mark.integration
def test_the_study_has_every_table_figure_and_number(subject, datasets, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "N_SHIFTED", 1)
    told = []
    study = run_uncertainty(
        subject, datasets, earlier=[subject], n_experiments=20, progress=lambda *state: told.append(state)
    )
    page = write_study(study, tmp_path, Circumstances("icefloe study uncertainty", "abc", 1.0))

    text = page.read_text(encoding="utf-8")
    for name in study.figures():
        assert f"(uncertainty-{name}.png)" in text
        assert (tmp_path / f"uncertainty-{name}.png").stat().st_size > 5000
    for line in study.verdicts():
        assert f"- {line}" in text
    numbers = json.loads((tmp_path / "uncertainty.json").read_text(encoding="utf-8"))
    assert "NaN" not in (tmp_path / "uncertainty.json").read_text(encoding="utf-8")
    assert [row["where"] for row in numbers["splits"]][:4] == ["fresh experiments", "A", "B", "dose"]
    assert [row["n_images"] for row in numbers["splits"]][:4] == [120, 1, 3, 6]
    assert len(numbers["checks"]) == 2
    assert {row["level"] for row in numbers["methods"]} == {0.8, 0.9, 0.95}
    assert told[-1] == ("fresh experiments", 19, 20)


def test_too_few_experiments_are_refused(subject, datasets):
    with pytest.raises(IcefloeError, match="19 experiments: half of them must allow 90 % intervals"):
        run_uncertainty(subject, datasets, n_experiments=19)
