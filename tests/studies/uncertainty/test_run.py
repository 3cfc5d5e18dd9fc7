"""The whole study with a tiny ensemble of random weights: every table, figure and number is there."""

import json

import pytest

from icefloe.datasets.dataset import DatasetInfo, load_datasets
from icefloe.ensemble.rows import ImageRow
from icefloe.errors import IcefloeError
from icefloe.imaging.preprocess import Preprocessing
from icefloe.progress import Silent
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.spec import ExperimentSpec
from icefloe.simulate.workspace import write_dataset
from studies.kit.study import write_study
from studies.uncertainty import run
from studies.uncertainty.run import TrainedEnsemble, measure_uncertainty


@pytest.fixture(scope="module")
def judged(make_ensemble):
    benchmark = (ImageRow("A", "composite_001", 1, {}),)
    small = Preprocessing(size=32)
    return TrainedEnsemble(
        make_ensemble(name="EA-T9", preprocessing=small, temperature=1.5, benchmark=benchmark)
    )


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    spec = ExperimentSpec(size_px=64, pixel_size_nm=7.5, n_composites=3)
    for seed, name in enumerate(("A", "B")):
        info = DatasetInfo(name=name, experiment=name)
        write_dataset(simulate_experiment(spec, seed), data / name, info, labelled=True)
    return load_datasets(data)


class Told(Silent):
    def advance(self, what, done, total=None, detail=""):
        self.last = (what, done, total)


@pytest.mark.integration
def test_the_study_has_every_table_figure_and_number(judged, datasets, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "N_SHIFTED", 1)
    told = Told()
    result = measure_uncertainty([judged, judged], datasets, n_experiments=20, progress=told)
    text = write_study(result, tmp_path).read_text(encoding="utf-8")

    assert set(result.figures()) == {"calibration", "coverage", "few", "shift", "risk-coverage", "abstain"}
    for name in result.figures():
        assert f"(uncertainty-{name}.png)" in text
        assert (tmp_path / f"uncertainty-{name}.png").stat().st_size > 5000
    for line in result.findings():
        assert f"- {line}" in text
    content = (tmp_path / "uncertainty.json").read_text(encoding="utf-8")
    numbers = json.loads(content)
    assert "NaN" not in content
    assert [row["group"] for row in numbers["decompositions"]][:4] == ["fresh experiments", "A", "B", "dose"]
    assert [row["n_images"] for row in numbers["decompositions"]][:4] == [120, 1, 3, 6]
    assert len(numbers["checks"]) == 2
    assert {row["level"] for row in numbers["methods"]} == {0.8, 0.9, 0.95}
    assert told.last == ("fresh experiments", 20, 20)


def test_too_few_experiments_are_refused(judged, datasets):
    with pytest.raises(IcefloeError, match="19 experiments: half of them must allow 90 % intervals"):
        measure_uncertainty([judged], datasets, n_experiments=19)
