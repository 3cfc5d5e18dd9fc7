import json
import shutil
import time

import pytest

from icefloe.datasets.dataset import DatasetInfo
from icefloe.datasets.versions import commit, init_workspace
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.spec import ExperimentSpec
from icefloe.simulate.workspace import write_dataset

TINY = """presets:
  tiny:
    training:
      members:
        - {encoder: mobilenet_v2, decoder_channels: [8, 8, 8], seed: 0}
        - {encoder: mobilenet_v2, decoder_channels: [8, 8, 8], seed: 1}
      preprocessing: {size: 64}
      epochs: 3
      draws_per_epoch: 16
      learning_rate: 3.0e-3
      retraining: {epochs: 1, learning_rate: 3.0e-3}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    workspace = tmp_path_factory.mktemp("label-cost") / "workspace"
    init_workspace(workspace, TINY)
    for seed, (name, labelled) in enumerate((("A", True), ("C", False))):
        spec = ExperimentSpec(size_px=64, pixel_size_nm=7.5, n_composites=8)
        info = DatasetInfo(name=name, experiment=name, pixel_size_nm=7.5)
        write_dataset(simulate_experiment(spec, seed), workspace / "data" / name, info, labelled=labelled)
    commit(workspace, "tiny")
    return workspace


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        (["--seconds", "two"], "--seconds two: not whole numbers. Write them like 15,30,60."),
        (
            ["--seconds", "40,20"],
            "Seconds 40, 20: not rising from 1 or more. "
            "Name how long is labelled by the end of each round, such as 15,30,60.",
        ),
        (
            ["--strategy", "random-draw"],
            "'random-draw' is not a sampling strategy. There are: entropy, foreground-random, mean-uq, "
            "mutual-information, random, uncertainty-diversity, uncertainty-typical.",
        ),
        (["--arriving", "A"], "A: no standard dataset but itself. Name one with --standard."),
    ],
)
def test_what_cannot_be_replayed_is_one_line(made, cli, options, refusal):
    assert cli("-C", made, "study", "label-cost", "--preset", "tiny", *options).refusal == refusal
    assert not (made / ".icefloe" / "checkpoints").exists()


@pytest.mark.integration
def test_the_study_is_written_and_run_again_it_trains_nothing(made, cli, tmp_path):
    shutil.copytree(made, tmp_path / "workspace")
    options = ["--preset", "tiny", "--seconds", "20,40", "--seeds", "2"]

    def run(output):
        outcome = cli("-C", tmp_path / "workspace", "study", "label-cost", *options, "--output", output)
        assert outcome.code == 0, outcome.err
        return outcome.out, json.loads((output / "label-cost.json").read_text())

    out, first = run(tmp_path / "first")
    assert "Seconds saved against foreground-random, of 20:" in out
    assert {path.suffix for path in (tmp_path / "first").iterdir()} == {".md", ".json", ".png"}
    newest = max(
        path.stat().st_mtime for path in (tmp_path / "workspace" / ".icefloe").rglob("best.safetensors")
    )
    time.sleep(0.01)
    _, second = run(tmp_path / "second")
    assert newest == max(
        path.stat().st_mtime for path in (tmp_path / "workspace" / ".icefloe").rglob("best.safetensors")
    )
    assert first.pop("measured") != second.pop("measured")
    assert first == second
