"""What the steps of a pipeline run keep together, in a real MLflow store on SQLite."""

from itertools import count
from types import SimpleNamespace

import pytest

from icefloe.errors import IcefloeError
from icefloe.experiment import connect, open_experiment
from icefloe.registry.runs import RunRecord, list_runs
from tests.stores import new_store

STUDIES = count()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One SQLite store for the module; each test has its own study."""
    folder = tmp_path_factory.mktemp("mlflow")
    return {"tracking_uri": new_store(folder), "artifact_uri": (folder / "files").as_uri()}


@pytest.fixture
def settings(store):
    return SimpleNamespace(**store, registered_model="icefloe-ea", experiment=f"study-{next(STUDIES)}")


def test_what_one_step_writes_another_reads_by_the_runs_id(settings):
    started = RunRecord.start(settings, "loop")
    started.write_json("gate/D3.json", {"outcome": "shifted", "p": 1e-5, "reason": "µ"})
    started.write_png("selection/D3.png", b"\x89PNG")

    later = RunRecord(settings, started.run_id)

    assert later.name == "loop"
    assert later.read_json("gate/D3.json") == {"outcome": "shifted", "p": 1e-5, "reason": "µ"}
    assert later.read_bytes("selection/D3.png") == b"\x89PNG"


def test_a_folder_is_read_by_name_and_pictures_are_left_out(settings):
    record = RunRecord.start(settings, "loop")
    for name in ("D4", "D3"):
        record.write_json(f"selection/{name}.json", {"dataset": name})
        record.write_png(f"selection/{name}.png", b"picture")

    assert list(record.read_folder("selection")) == ["D3", "D4"]
    assert record.read_folder("selection")["D4"] == {"dataset": "D4"}
    assert record.read_folder("gate") == {}


def test_writing_again_replaces(settings):
    record = RunRecord.start(settings, "loop")
    record.write_json("gate/D3.json", {"outcome": "accept", "long": "x" * 1000})
    record.write_json("gate/D3.json", {"outcome": "shifted"})

    assert record.read_json("gate/D3.json") == {"outcome": "shifted"}


def test_runs_are_listed_newest_first_with_their_status(settings):
    first, second = RunRecord.start(settings, "train"), RunRecord.start(settings, "drift_check")
    third = RunRecord.start(settings, "retrain")
    first.finish()
    second.finish(succeeded=False)

    assert [(run["id"], run["pipeline"], run["status"]) for run in list_runs(settings)] == [
        (third.run_id, "retrain", "RUNNING"),
        (second.run_id, "drift_check", "FAILED"),
        (first.run_id, "train", "FINISHED"),
    ]


def test_a_run_that_kubeflow_opened_is_the_parent_of_ours(settings, monkeypatch):
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    outer = RunRecord.start(settings, "kubeflow").run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", outer)

    inner = RunRecord.start(settings, "train").run_id

    client = connect(settings.tracking_uri)
    assert client.get_run(inner).data.tags["mlflow.parentRunId"] == outer
    assert "mlflow.parentRunId" not in client.get_run(outer).data.tags


def test_a_study_that_never_ran_lists_nothing(settings):
    assert list_runs(settings) == []


def test_runs_that_are_no_pipelines_are_not_listed(settings):
    client = connect(settings.tracking_uri)
    experiment = open_experiment(client, settings.experiment, settings.artifact_uri)
    client.create_run(experiment, run_name="EA-T1")

    assert list_runs(settings) == []


def test_an_unknown_run_or_document_is_told_in_one_line(settings):
    record = RunRecord.start(settings, "loop")

    with pytest.raises(IcefloeError) as missing:
        record.read_json("gate/D9.json")
    with pytest.raises(IcefloeError) as unknown:
        RunRecord(settings, "nope").read_folder("gate")

    assert str(missing.value) == (
        f"run {record.run_id}: it holds no gate/D9.json. Check the run's id with `icefloe runs`."
    )
    assert str(unknown.value) == (
        "run nope: the tracking store has no such run. List them with `icefloe runs`."
    )
