import os

import pytest
from mlflow.tracking import MlflowClient

from icefloe.training.records import EpochRecord, MemberReceipt
from icefloe.training.tracking import MemberRuns, member_runs
from tests.stores import new_store

RECORDS = [EpochRecord(epoch, 1 / epoch, 2 / epoch, 0.9, 0.8, 0.85, 1e-3, 1.5) for epoch in (1, 2)]


@pytest.fixture
def tracking_uri(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    return new_store(tmp_path)


def receipt_of(spec) -> MemberReceipt:
    return MemberReceipt(
        **{"name": spec.name, "spec": spec.model_dump(mode="json"), "val_pca": 0.9, "val_iou": 0.8},
        **{
            "val_dice": 0.85,
            "val_brier": 0.1,
            "val_ece": 0.02,
            "val_loss": 1.0,
            "best_epoch": 2,
            "epochs": 2,
        },
        **{"seconds": 3.0, "n_parameters": 10, "started_from": None, "init_sha256": "a", "threads": 1},
        **{"weights_sha256": "b", "device": "cpu", "precision": "fp32"},
    )


def test_a_members_curves_parameters_and_receipt_are_in_a_run_nested_in_the_one_that_goes_on(
    tracking_uri, config, spec, tmp_path, monkeypatch
):
    client = MlflowClient(tracking_uri)
    experiment = client.create_experiment("study", artifact_location=(tmp_path / "artifacts").as_uri())
    parent = client.create_run(experiment).info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", parent)
    with member_runs(tracking_uri, "ignored", {spec.name: config}) as runs:
        for record in RECORDS:
            runs.on_epoch(spec.name, record)
        runs.on_finished(spec.name, receipt_of(spec))
    (run,) = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{parent}'")
    history = client.get_metric_history(run.info.run_id, "val_loss")
    assert [(metric.step, metric.value) for metric in history] == [(1, 2.0), (2, 1.0)]
    assert run.data.params["member.encoder"] == "mobilenet_v2"
    assert run.data.params["preprocessing.size"] == "64"
    assert run.data.metrics["best.val_iou"] == 0.8
    assert run.data.tags["icefloe.weights_sha256"] == "b"
    assert run.info.status == "FINISHED"
    assert [file.path for file in client.list_artifacts(run.info.run_id)] == ["receipt.json"]
    assert client.get_run(parent).info.status == "RUNNING"  # its owner ends it


def test_without_a_run_going_on_one_is_made_and_a_failure_is_seen_in_it(tracking_uri, config, spec, tmp_path):
    artifacts = (tmp_path / "artifacts").as_uri()

    def train_until_memory_runs_out():
        with member_runs(tracking_uri, "study", {spec.name: config}, artifacts) as runs:
            runs.on_epoch(spec.name, RECORDS[0])
            raise MemoryError

    with pytest.raises(MemoryError):
        train_until_memory_runs_out()
    client = MlflowClient(tracking_uri)
    experiment = client.get_experiment_by_name("study")
    assert experiment.artifact_location == artifacts
    found = client.search_runs([experiment.experiment_id])
    assert {run.info.status for run in found} == {"FAILED"}
    assert len(found) == 2


def test_a_step_that_is_started_again_goes_on_with_the_runs_of_the_first(
    tracking_uri, config, spec, tmp_path, monkeypatch
):
    client = MlflowClient(tracking_uri)
    experiment = client.create_experiment("study", artifact_location=(tmp_path / "artifacts").as_uri())
    monkeypatch.setenv("MLFLOW_RUN_ID", client.create_run(experiment).info.run_id)
    killed = MemberRuns(client, os.environ["MLFLOW_RUN_ID"], {spec.name: config})
    killed.on_epoch(spec.name, RECORDS[0])
    killed.close(60)
    with member_runs(tracking_uri, "ignored", {spec.name: config}) as runs:
        for record in RECORDS:
            runs.on_epoch(spec.name, record)
        runs.on_finished(spec.name, receipt_of(spec))
    (run,) = client.search_runs([experiment], f"tags.`mlflow.runName` = '{spec.name}'")
    history = client.get_metric_history(run.info.run_id, "val_loss")
    assert [metric.step for metric in history] == [1, 2]
    assert run.info.status == "FINISHED"
