"""The whole loop through the real engines, small: KFP's local runner, Ray, MLflow, DVC, on simulated ice.

Asserted is what the engines left behind, not what they said of themselves.
"""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from icefloe.active.queue import open_queue
from icefloe.datasets.dataset import Dataset, DatasetInfo
from icefloe.datasets.versions import current_version, diff, is_clean
from icefloe.drift.report import GateReport
from icefloe.registry.registry import Registry
from icefloe.registry.runs import RunRecord, list_runs
from icefloe.settings import load_settings
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.standard import random_standard_spec, shifted_spec
from icefloe.simulate.workspace import write_dataset

pytestmark = pytest.mark.integration

DECODER = [16, 16, 8, 8, 8]
TINY = {
    "training": {
        "members": [
            {"encoder": "mobilenet_v2", "decoder_channels": DECODER},
            {"encoder": "efficientnet-b0", "decoder_channels": DECODER},
        ],
        "preprocessing": {"size": 64},
        "epochs": 20,
        "patience": 20,
        "draws_per_epoch": 32,
        "learning_rate": 3e-3,
        "precision": "fp32",
        "retraining": {"epochs": 3, "patience": 3},
    },
    "pruning": {"min_accuracy": 0.5},
    # Six held-out images at this size give wide intervals; what a verdict means is tested elsewhere.
    "promotion": {"n_resamples": 1000, "confidence": 0.55},
}
PRESETS = {
    "tiny": TINY,
    # The same training, so that the checkpoints of `tiny` serve it.
    "strict": {**TINY, "pruning": {"min_accuracy": 0.99999, "keep_best": 0}},
    "pretrained": {
        **TINY,
        "training": {
            **TINY["training"],
            "members": [{"encoder": "resnet18", "weights": "imagenet", "seed": seed} for seed in (0, 1)],
        },
    },
}


def icefloe(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command line as a process of its own, as a person starts it."""
    return subprocess.run(
        [sys.executable, "-c", "from icefloe.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def succeed(*arguments: object) -> str:
    ended = icefloe(*arguments)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def fill_workspace(folder: Path) -> None:
    """D1, D2 standard and labelled; D3 through a camera of uneven gain, its truth kept back."""
    succeed("init", folder)
    (folder / "params.yaml").write_text(yaml.safe_dump({"presets": PRESETS}), encoding="utf-8")
    small = {"size_px": 128, "pixel_size_nm": 4.0}
    specs = {
        "D1": random_standard_spec(np.random.default_rng(1), "round"),
        "D2": random_standard_spec(np.random.default_rng(2), "elongated"),
        "D3": shifted_spec("gain", 1.0, np.random.default_rng(3)),
    }
    for seed, (name, spec) in enumerate(specs.items()):
        experiment = simulate_experiment(spec.changed(**small), seed)
        info = DatasetInfo(name=name, experiment=name, preprocessing=["stacked"])
        write_dataset(experiment, folder / "data" / name, info, labelled=name != "D3")


def make_workspace(folder: Path) -> Path:
    """A workspace with D1 to D3 as its first data version."""
    fill_workspace(folder)
    succeed("-C", folder, "data", "commit", "-m", "D1 to D3")
    return folder


@pytest.fixture(scope="module")
def looped(tmp_path_factory) -> Path:
    """A workspace after `loop`: EA-T1 of D1 and D2, then D3 comes."""
    folder = make_workspace(tmp_path_factory.mktemp("loop") / "workspace")
    print(succeed("-C", folder, "pipeline", "run", "loop", "--preset", "tiny"))
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """Another workspace with the same data and seeds after `train`."""
    folder = make_workspace(tmp_path_factory.mktemp("train") / "workspace")
    succeed("-C", folder, "pipeline", "run", "train", "--preset", "tiny")
    return folder


@pytest.fixture
def registry(looped) -> Registry:
    return Registry(load_settings(looped))


@pytest.fixture
def record(looped) -> RunRecord:
    settings = load_settings(looped)
    (run,) = list_runs(settings)
    return RunRecord(settings, run["id"])


def test_two_versions_are_registered_and_the_champion_is_one_that_passed(registry):
    first, second = registry.list()

    assert (first.name, second.name) == ("EA-T1", "EA-T2")
    assert first.verdict == "pass"
    assert registry.champion().verdict == "pass"
    assert ("champion" in second.aliases) == (second.verdict == "pass")
    assert second.compared_with == "EA-T1"


def test_the_first_version_has_seen_nothing_of_the_new_dataset(registry):
    seen = registry.show("EA-T1").lineage.keys()

    assert {key.split("/")[0] for key in seen} == {"D1", "D2"}
    assert set(registry.evaluation("EA-T1").datasets) == {"D1", "D2"}


def test_the_second_version_starts_from_the_firsts_weights_on_other_data_and_names_both(registry):
    """Acceptance check 9 of the ensemble spec."""
    first, second = registry.show("EA-T1").lineage, registry.show("EA-T2").lineage

    assert second.start_sha256
    assert second.start_sha256 == {name: first.weights_sha256[name] for name in second.weights_sha256}
    assert all(second.weights_sha256[name] != digest for name, digest in second.start_sha256.items())
    assert second.data.md5 != first.data.md5
    assert second.parent.name == "EA-T1"
    assert second.parent.data == first.data
    assert second.data.rev != first.data.rev


def test_the_start_is_the_file_that_the_registry_holds(registry, tmp_path):
    from icefloe.files import sha256_file

    folder = registry.download("EA-T1", tmp_path / "EA-T1")
    start = registry.show("EA-T2").lineage.start_sha256

    assert {name: sha256_file(folder / f"{name}.safetensors") for name in start} == start


def test_the_second_version_is_trained_on_the_two_new_labels_and_says_by_whom(registry, looped):
    images = {i.key: i for i in registry.show("EA-T2").lineage.images if i.key.startswith("D3/")}
    labelled = Dataset.load(looped / "data" / "D3").labelled

    assert len(labelled) == 2
    assert set(images) == {sample.key for sample in labelled}
    assert {(image.role, image.author, image.source) for image in images.values()} == {
        ("train", "truth", "simulation")
    }


def test_the_gate_called_the_new_dataset_shifted_on_evidence(record):
    (gate,) = (GateReport.model_validate(content) for content in record.read_folder("gate").values())

    assert (gate.dataset, gate.outcome, gate.n_images) == ("D3", "shifted", 30)
    assert gate.decided_by
    assert gate.reference_experiments == ("D1", "D2")


def test_the_chosen_images_went_through_the_queue_into_the_data(record, looped):
    queue = open_queue(load_settings(looped))
    chosen = record.read_json("selection/D3.json")["items"]
    items = queue.items()

    assert [(item.stem, item.state, item.round) for item in items] == [
        (selected["stem"], "imported", "EA-T1") for selected in chosen
    ]
    assert all(item.data_version == current_version(looped).rev for item in items)
    assert record.read_json("labels/D3.json")["keys"] == [item.key for item in items]
    with (looped / "data" / "D3" / "labels.csv").open() as file:
        assert {row["stem"] for row in csv.DictReader(file)} == {item.stem for item in items}


def test_the_new_data_version_differs_by_the_two_labels_and_nothing_else(looped, registry):
    first, second = registry.get("EA-T1"), registry.get("EA-T2")
    changes = diff(looped, first.data_rev, second.data_rev)

    assert len(changes.labels_added) == 2
    assert {key.split("/")[0] for key in changes.labels_added} == {"D3"}
    assert changes.images_added == changes.images_changed == changes.images_removed == ()
    assert changes.labels_changed == changes.labels_removed == ()
    assert is_clean(looped)


def test_both_versions_are_compared_on_the_same_images_none_of_them_trained_on(record, registry):
    after = record.read_json("evaluation/EA-T2.json")
    before = record.read_json("before/EA-T2.json")

    def images(evaluation):
        return [f"{image['dataset']}/{image['stem']}" for image in evaluation["images"]]

    assert before["version"] == "EA-T1"
    assert images(before["evaluation"]) == images(after)
    assert not set(images(after)) & set(registry.show("EA-T2").lineage.keys())
    assert sum(key.startswith("D3/") for key in images(after)) == 28


def test_the_report_holds_the_run_and_needs_no_other_file(looped):
    (report,) = (looped / "reports").glob("*.html")
    text = report.read_text(encoding="utf-8")

    for words in ("EA-T1", "EA-T2", "all background", "Otsu", "Label cost: 2", "is shifted"):
        assert words in text
    assert 'src="http' not in text
    assert 'href="http' not in text


def test_every_run_is_closed(looped):
    assert [(run["pipeline"], run["status"]) for run in list_runs(load_settings(looped))] == [
        ("loop", "FINISHED")
    ]


def test_the_champion_segments_a_file_that_a_person_has(looped, tmp_path):
    image = next((looped / "data" / "D1" / "images").iterdir())
    succeed("-C", looped, "predict", image, "--output", tmp_path / "out")

    assert (tmp_path / "out" / f"{image.stem}_mask.png").is_file()


def test_the_champion_measures_an_experiment_of_the_workspace(looped, tmp_path):
    dataset = Dataset.load(looped / "data" / "D3")
    succeed("-C", looped, "physics", "D3", "--output", tmp_path / "out")
    content = json.loads((tmp_path / "out" / "physics.json").read_text(encoding="utf-8"))
    assert [row["image"] for row in content["images"]] == [sample.stem for sample in dataset.samples]
    assert content["pixel_size_nm"] == dataset.info.pixel_size_nm
    assert content["provenance"]["data_version"] == current_version(looped).md5


def test_a_calibrated_champion_gives_intervals_and_says_what_they_are_worth(looped, tmp_path):
    image = next((looped / "data" / "D1" / "images").iterdir())
    calibrated = succeed("-C", looped, "models", "calibrate", "champion", "--simulated", "9")
    predicted = succeed("-C", looped, "predict", image, "--output", tmp_path / "out")

    assert "Calibrated on 9 experiments (9 simulated)." in calibrated
    assert "Calibrated on 9 experiments (9 simulated)." in predicted
    (row,) = csv.DictReader((tmp_path / "out" / "scores.csv").open())
    low, expected, high = (float(row[f"area_ice{end}"]) for end in ("_low_90", "", "_high_90"))
    assert 0 <= low < expected < high <= 1
    assert (tmp_path / "out" / f"{image.stem}_abstain.png").is_file()


def test_the_same_seed_and_data_version_give_identical_metrics_and_weights(registry, trained):
    other = Registry(load_settings(trained))

    assert other.get("EA-T1").data_md5 == registry.get("EA-T1").data_md5
    assert other.show("EA-T1").lineage.weights_sha256 == registry.show("EA-T1").lineage.weights_sha256
    assert registry.evaluation("EA-T1") == other.evaluation("EA-T1")


def test_when_no_member_passes_pruning_the_table_is_printed_and_nothing_is_registered(trained):
    ended = icefloe("-C", trained, "pipeline", "run", "train", "--preset", "strict")

    first, *table = ended.stderr.strip().splitlines()
    assert ended.returncode == 2
    assert "none of 2 members passes pruning (the best, " in first
    assert first.endswith("Label more images, or keep the best two all the same (keep_best: 2).")
    assert any("mobilenet_v2-unet-s0" in line for line in table)
    assert any("efficientnet-b0-unet-s0" in line for line in table)
    assert "Traceback" not in ended.stderr
    assert [version.name for version in Registry(load_settings(trained)).list()] == ["EA-T1"]


def test_weights_that_can_not_be_had_are_told_in_one_line(trained, tmp_path):
    ended = icefloe(
        *("-C", trained, "pipeline", "run", "train", "--preset", "pretrained"),
        HF_HUB_OFFLINE="1",
        HF_HOME=str(tmp_path),
    )

    assert ended.returncode == 2
    assert ended.stderr.startswith("error: resnet18: its imagenet weights are not on this machine, and ")
    assert "set ICEFLOE_WEIGHTS_DIR to its folder, or use weights: none." in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert [version.name for version in Registry(load_settings(trained)).list()] == ["EA-T1"]
