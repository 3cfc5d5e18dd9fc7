"""An MLflow server that is stopped and started again while members train."""

import time

import pytest
from mlflow.tracking import MlflowClient

from icefloe.errors import IcefloeError
from icefloe.training import tracking
from icefloe.training.records import EpochRecord
from icefloe.training.tracking import member_runs
from tests.mlflow_server import Server
from tests.ray_cluster import free_port
from tests.stores import new_store

AWAY_SECONDS = 30.0
N_EPOCHS = 20


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    made = Server(tmp_path, new_store(tmp_path), str(tmp_path / "artifacts"))
    made.start()
    yield made
    made.stop()


def record(epoch: int) -> EpochRecord:
    return EpochRecord(epoch, 1 / epoch, 2 / epoch, 0.9, 0.8, 0.85, 1e-3, 1.5)


@pytest.mark.integration
def test_training_goes_on_while_mlflow_is_away_and_curves_are_complete_afterwards(server, spec, config):
    slowest = 0.0
    with member_runs(server.address, "study", {spec.name: config}) as runs:
        for epoch in range(1, N_EPOCHS + 1):
            if epoch == 5:
                server.stop()
                stopped = time.monotonic()
            began = time.monotonic()
            runs.on_epoch(spec.name, record(epoch))
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(1)
        time.sleep(max(0.0, stopped + AWAY_SECONDS - time.monotonic()))
        server.start()
    assert slowest < 0.5  # nobody waits for it
    client = MlflowClient(server.address)
    study = client.get_experiment_by_name("study")
    runs = client.search_runs([study.experiment_id], f"tags.`mlflow.runName` = '{spec.name}'")
    assert len(runs) == 1
    for curve in ("train_loss", "val_iou"):
        history = client.get_metric_history(runs[0].info.run_id, curve)
        assert sorted(metric.step for metric in history) == list(range(1, N_EPOCHS + 1))
    assert {run.info.status for run in client.search_runs([study.experiment_id])} == {"FINISHED", "RUNNING"}


def test_an_mlflow_that_does_not_come_back_is_told_in_one_line(spec, config, tmp_path, monkeypatch):
    monkeypatch.setattr(tracking, "PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(tracking, "RETRY_SECONDS", 0.1)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("MLFLOW_RUN_ID", "0" * 32)
    address = f"http://127.0.0.1:{free_port()}"
    with (
        pytest.raises(IcefloeError, match=f"^{address}: MLflow did not take the training's curves") as error,
        member_runs(address, "study", {spec.name: config}) as runs,
    ):
        runs.on_epoch(spec.name, record(1))
    assert "\n" not in str(error.value)
