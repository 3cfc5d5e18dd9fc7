"""Pipelines that can't run: told before anything starts. And how those that ran end."""

import shutil
from types import SimpleNamespace
from typing import get_args

import numpy as np
import pytest
import tifffile

from icefloe.cli.pipelines import EXIT_CODES
from icefloe.datasets.dataset import DatasetInfo
from icefloe.datasets.labels import write_mask
from icefloe.drift.report import GateReport, Outcome
from icefloe.errors import IcefloeError


@pytest.fixture
def add_dataset(workspace, rng):
    def add(name, labels="masks"):
        folder = workspace / "data" / name
        (folder / "images").mkdir(parents=True)
        for index in range(3):
            image = rng.integers(0, 60_000, (64, 64)).astype(np.uint16)
            tifffile.imwrite(folder / "images" / f"stack_{index}.tif", image)
            if labels:
                write_mask(folder / labels / f"stack_{index}.png", (image > 30_000).astype(np.uint8))
        DatasetInfo(name=name, experiment=name).save(folder)

    return add


@pytest.fixture
def refusal(cli, workspace, files_in):
    """Run a pipeline; the error, after checking that no run was begun."""

    def run(*arguments):
        before = files_in(workspace)
        message = cli("-C", workspace, "pipeline", "run", *arguments).refusal
        assert files_in(workspace) == before
        assert not (workspace / ".icefloe" / "runs").exists()
        return message

    return run


def test_without_any_dataset(refusal, workspace):
    assert refusal("train") == (
        f"{workspace / 'data'}: no dataset here. "
        "Make some with `icefloe data simulate` or `icefloe data import`."
    )


def test_without_any_label(refusal, workspace, add_dataset):
    add_dataset("D1", labels=None)

    for pipeline in ("train", "loop"):
        assert refusal(pipeline) == (
            f"{workspace / 'data'}: no dataset has labels, so nothing can be trained. "
            "Import labels with the images."
        )


@pytest.mark.parametrize(
    "arguments", [("train", "-d", "D9"), ("drift_check", "-d", "D9"), ("loop", "--arriving", "D9")]
)
def test_an_unknown_dataset(refusal, workspace, add_dataset, arguments):
    add_dataset("D1")
    add_dataset("D3", labels="truth")

    assert refusal(*arguments) == f"{workspace / 'data' / 'D9'}: no such dataset. There are: D1, D3."


@pytest.mark.parametrize("pipeline", ["drift_check", "retrain", "fewshot"])
@pytest.mark.parametrize("named", [(), ("-d", "D1", "-d", "D3")], ids=["none", "two"])
def test_not_one_new_dataset(refusal, add_dataset, pipeline, named):
    add_dataset("D1")
    add_dataset("D3", labels="truth")

    assert refusal(pipeline, *named) == (f"{pipeline}: one new dataset is needed. Name it: --dataset D3.")


def test_a_version_is_named_for_fewshot_only(refusal, add_dataset):
    add_dataset("D1")

    assert refusal("train", "--version", "FS-T1") == "train: --version is for fewshot. Leave it out."


def test_a_loop_with_nobody_to_label(refusal, workspace, add_dataset):
    add_dataset("D1")

    assert refusal("loop") == (
        f"{workspace / 'data'}: no dataset has labels held back, and the loop needs one. "
        "Import one with `icefloe data import DIR --name D2 --hold-labels`."
    )


def test_an_unknown_preset(refusal, workspace, add_dataset):
    add_dataset("D1")

    assert refusal("train", "--preset", "big") == (
        f"{workspace / 'params.yaml'}: no preset 'big'. "
        "There are: demo, small, study, light, paper, nanoparticles."
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("presets: {demo: [", "not valid YAML"),
        ("presets: {demo: {training: {members: []}}}", "presets.demo.training.members: "),
    ],
)
def test_broken_parameters(refusal, workspace, add_dataset, text, words):
    add_dataset("D1")
    (workspace / "params.yaml").write_text(text)

    assert refusal("train", "--preset", "demo").startswith(f"{workspace / 'params.yaml'}: {words}")


def test_a_time_for_a_preset_that_says_itself_how_long_it_trains(refusal, workspace, add_dataset):
    add_dataset("D1")

    assert refusal("train", "--preset", "demo", "--minutes", "5") == (
        "--minutes is for the preset auto, and demo says itself how long it trains. Leave one of the two out."
    )


def test_data_that_are_in_no_version_yet(refusal, workspace, add_dataset):
    add_dataset("D1")

    assert refusal("train") == (
        f"{workspace}: no data version yet. Make one with `icefloe data commit -m MESSAGE`."
    )


def test_no_champion_yet(cli, tmp_path, rng):
    workspace, images = tmp_path / "workspace", tmp_path / "camera"
    images.mkdir()
    tifffile.imwrite(images / "a.tif", rng.integers(0, 60_000, (64, 64)).astype(np.uint16))
    for command in (
        ("init", workspace),
        ("-C", workspace, "data", "import", images, "--name", "D3"),
        ("-C", workspace, "data", "commit", "-m", "D3"),
    ):
        assert cli(*command).code == 0

    for pipeline in ("drift_check", "retrain"):
        assert cli("-C", workspace, "pipeline", "run", pipeline, "-d", "D3").refusal == (
            "icefloe-ea: there is no champion yet. "
            "No version is registered; train one with `icefloe pipeline run train`."
        )
    assert not (workspace / ".icefloe" / "runs").exists()


def test_compiling_writes_a_package_for_each_pipeline(cli, workspace, tmp_path):
    outcome = cli("-C", workspace, "pipeline", "compile", "--output", tmp_path / "packages")

    assert (outcome.code, outcome.err) == (0, "")
    assert {path.stem for path in (tmp_path / "packages").iterdir()} == {
        *("train", "drift_check", "retrain", "loop", "fewshot")
    }


def test_compiling_with_an_unknown_preset_writes_nothing(cli, workspace, tmp_path):
    command = ("pipeline", "compile", "--preset", "big", "--output", tmp_path / "packages")

    assert "no preset 'big'" in cli("-C", workspace, *command).refusal
    assert not (tmp_path / "packages").exists()


@pytest.fixture
def ran(monkeypatch):
    """Pipelines are not run; the arguments that one would have been run with."""
    arguments = []

    def note(pipeline, given, *_, **__):
        arguments.append(given)
        raise IcefloeError("this test runs nothing.")

    monkeypatch.setattr("pipelines.local.run_locally", note)
    return arguments


def test_data_that_differ_from_the_committed_version_are_told_of_in_one_line(
    cli, empty_workspace, tmp_path, add_dataset, workspace, ran
):
    folder = tmp_path / "study"
    shutil.copytree(empty_workspace, folder)
    add_dataset("D1")
    shutil.move(workspace / "data" / "D1", folder / "data" / "D1")
    cli("-C", folder, "data", "commit", "-m", "D1")

    committed = cli("-C", folder, "pipeline", "run", "train", "--preset", "small")
    assert committed.refusal == "this test runs nothing."
    (folder / "data" / "D1" / "masks" / "stack_2.png").unlink()
    changed = cli("-C", folder, "pipeline", "run", "train", "--preset", "small")

    assert changed.err.splitlines() == [
        f"warning: {folder / 'data'}: it differs from the committed data version, which runs use. "
        "Take the changes in with `icefloe data commit -m ...`.",
        "error: this test runs nothing.",
    ]
    assert len(ran) == 2


def test_every_outcome_of_the_drift_gate_has_an_exit_code_of_its_own():
    assert set(EXIT_CODES) == set(get_args(Outcome))
    assert len(set(EXIT_CODES.values())) == len(EXIT_CODES)
    assert EXIT_CODES["accept"] == 0
    assert not {1, 2, 130} & set(EXIT_CODES.values())


def test_a_drift_check_ends_with_its_sentence_and_the_outcomes_exit_code(
    cli, workspace, add_dataset, tmp_path, monkeypatch
):
    add_dataset("D3")
    found = GateReport(
        outcome="inconclusive",
        dataset="D3",
        decided_by=(),
        evidence=(),
        noise=None,
        n_images=3,
        reference_experiments=("D1",),
        alpha=0.05,
        reason="3 images are too few [5]",
    )
    kept = {"gate/D3.json": found.model_dump(mode="json")}
    (tmp_path / "report").touch()
    ran = SimpleNamespace(
        directory=tmp_path / "20260301-drift-check",
        log=tmp_path / "log.txt",
        seconds=3.0,
        artifacts=lambda name: [tmp_path / name],
        record=lambda where: SimpleNamespace(read_json=kept.get),
    )
    monkeypatch.setattr("pipelines.run.check_ready", lambda *_: None)
    monkeypatch.setattr("pipelines.local.run_locally", lambda *_, **__: ran)
    outcome = cli("-C", workspace, "pipeline", "run", "drift_check", "-d", "D3")

    assert (found.outcome, outcome.code, outcome.err) == ("inconclusive", 5, "")
    assert outcome.out.splitlines()[-1] == found.sentence()


def test_a_training_ends_with_the_champion(cli, workspace, add_dataset, tmp_path, monkeypatch):
    add_dataset("D1")
    (tmp_path / "report").touch()
    ran = SimpleNamespace(
        **{"directory": tmp_path / "20260301-train", "log": tmp_path / "log.txt", "seconds": 3.0},
        artifacts=lambda name: [tmp_path / name],
    )
    monkeypatch.setattr("pipelines.run.check_ready", lambda *_: None)
    monkeypatch.setattr("pipelines.local.run_locally", lambda *_, **__: ran)
    outcome = cli("-C", workspace, "pipeline", "run", "train", "--preset", "small")
    assert (outcome.code, outcome.out.splitlines()[-1]) == (0, "There is no champion yet.")


@pytest.mark.parametrize("pipeline", ["train", "loop"])
def test_a_single_member_is_refused_before_anything_trains(refusal, workspace, add_dataset, pipeline):
    add_dataset("D1")
    add_dataset("D3", labels="truth")
    presets = "presets: {one: {training: {members: [{encoder: resnet18}]}}}"
    (workspace / "params.yaml").write_text(presets)
    assert refusal(pipeline, "--preset", "one") == (
        "An ensemble needs at least two members, but only resnet18-unet-s0 would be trained. "
        "Add another encoder to `members`, or the same one with another seed."
    )


def test_the_exit_codes_are_in_the_help(cli):
    words = " ".join(cli("pipeline", "run", "--help").out.replace("│", " ").split())

    assert ", ".join(f"{code} {outcome}" for outcome, code in EXIT_CODES.items()) in words
