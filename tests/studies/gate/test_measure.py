"""Simulated experiments measured with a real small ensemble, and the whole study."""

import json
import re
import sys

import pytest

from icefloe.cli import context
from icefloe.cli.main import main
from icefloe.datasets.dataset import Dataset
from icefloe.datasets.versions import commit, init_workspace
from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.rows import ImageRow
from icefloe.errors import IcefloeError
from icefloe.params import DEFAULT_PARAMS
from icefloe.progress import Silent
from icefloe.simulate.workspace import simulate_workspace
from studies.gate.design import plan
from studies.gate.measure import SimulatedRows, reference_rows
from studies.gate.result import GateResult

BENCHMARK = [ImageRow(name, f"composite_{i:03d}", i, {}) for name in ("D1", "D2") for i in (8, 16, 24)]


@pytest.fixture(scope="module")
def directory(make_ensemble, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ensemble") / "EA-T1"
    make_ensemble(benchmark=tuple(BENCHMARK)).save(folder)
    return folder


class Told(Silent):
    def __init__(self):
        self.calls = []

    def advance(self, what, done, total=None, detail=""):
        self.calls.append((what, done, total))


def test_what_was_measured_is_read_the_next_time(directory, tmp_path):
    scenarios = plan(0, 0, 1, (1.0,), 1)[:2]
    first = SimulatedRows(directory, tmp_path, 2).measure(scenarios, before := Told())
    (kept,) = tmp_path.rglob(f"{scenarios[1].name}-*.json")
    changed = ImageRow("changed", "s0", 0, {"noise": 1.0})
    kept.write_text(json.dumps([changed.flat()]))
    told = Told()

    second = SimulatedRows(directory, tmp_path, 2).measure(scenarios, told)

    assert before.calls == [("Simulated experiments", done, 2) for done in (1, 2)]
    assert [len(rows) for rows in first.values()] == [2, 2]
    assert {"uq_mean", "noise", "spikes"} < set(first[scenarios[0]][0].values)
    assert second[scenarios[0]] == first[scenarios[0]]
    assert second[scenarios[1]] == [changed]
    assert told.calls == []


def test_another_ensemble_reads_nothing_of_it(make_ensemble, directory, tmp_path):
    make_ensemble(seeds=(2, 3)).save(other := tmp_path / "other")

    fingerprints = {
        SimulatedRows(folder, tmp_path, 2).fingerprint() for folder in (directory, directory, other)
    }

    assert len(fingerprints) == 2


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "workspace"
    init_workspace(folder, params_text=DEFAULT_PARAMS.read_text(encoding="utf-8"))
    simulate_workspace(folder / "data", names=("D1", "D2", "D5"))
    commit(folder, "Simulated")
    return folder


def test_the_benchmark_is_measured_again_from_its_images(directory, workspace):
    rows = reference_rows(Ensemble.load(directory, device="cpu"), workspace / "data")

    assert [row.key for row in rows] == [row.key for row in BENCHMARK]
    assert all(row.values["lines"] > 0 for row in rows)


def test_a_workspace_without_the_benchmarks_images_is_refused(directory, workspace, tmp_path):
    for name in ("D1", "D2"):
        (tmp_path / name).symlink_to(workspace / "data" / name)
    ensemble = Ensemble.load(directory, device="cpu")
    ensemble = ensemble.with_benchmark([*BENCHMARK, ImageRow("D2", "composite_099", 99, {})])

    with pytest.raises(IcefloeError, match=r"D2: image composite_099 of the benchmark is not here"):
        reference_rows(ensemble, tmp_path)


@pytest.mark.integration
def test_the_command_writes_a_page_with_its_figures_and_numbers(directory, workspace, tmp_path, monkeypatch):
    command = ["-C", workspace, "study", "gate", "--ensemble", directory, "--standard", 11, "--repeats", 2]
    monkeypatch.setattr(sys, "argv", ["icefloe", *map(str, command), "--output", str(tmp_path)])
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        context.use_workspace(None)

    assert not ended.value.code
    page = re.sub(" +", " ", (tmp_path / "gate.md").read_text())
    content = (tmp_path / "gate.json").read_text()
    numbers = json.loads(content)
    assert {path.name for path in tmp_path.glob("*.png")} == {
        *("gate-power.png", "gate-groups.png", "gate-causes.png")
    }
    assert "| D1 and D2 | " in page
    assert "| D5 | shifted |" in page
    standard = [r for r in numbers["rates"] if r["cause"] is None and r["n_images"] == 10]
    assert [(r["evidence"], r["rate"]["total"]) for r in standard] == [("all", 11), ("older benchmark", 11)]
    assert sum(map(sum, numbers["groups"]["counts"])) == 11 + 7 * 3 * 2
    assert GateResult.model_validate_json(content).page() == (tmp_path / "gate.md").read_text()
    assert len(Dataset.load(workspace / "data" / "D1").samples) == 30
