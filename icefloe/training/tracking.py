"""Tracking of training in MLflow: a parent run, and in it a run for each member with its curves."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from mlflow.entities import Metric, Param, RunTag
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME
from mlflow.utils.time import get_current_time_millis

from icefloe.experiment import RUN_ID_VARIABLE, open_experiment, run_name
from icefloe.training.config import TrainingConfig
from icefloe.training.records import EpochRecord, MemberReceipt

_CURVES = ("train_loss", "val_loss", "new_loss", "val_pca", "val_iou", "val_dice", "lr", "seconds")
_SCORES = ("val_pca", "val_iou", "val_dice", "val_brier", "val_ece", "val_loss", "best_epoch", "seconds")


class MemberRuns:
    """Member runs nested in one parent run; a `Listener`."""

    def __init__(self, client: MlflowClient, parent_id: str, configs: Mapping[str, TrainingConfig]) -> None:
        self._client, self._parent_id, self._configs = client, parent_id, configs
        self._experiment_id = client.get_run(parent_id).info.experiment_id
        self._runs: dict[str, str] = {}

    def on_epoch(self, name: str, record: EpochRecord) -> None:
        """Add the epoch to the member's curves."""
        now = get_current_time_millis()
        values = record.to_dict()
        curves = [
            Metric(curve, values[curve], now, record.epoch) for curve in _CURVES if values[curve] is not None
        ]
        self._client.log_batch(self._run_of(name), metrics=curves)

    def on_finished(self, name: str, receipt: MemberReceipt) -> None:
        """Add the receipt and close the member's run."""
        run_id = self._run_of(name)
        values = receipt.to_dict()
        now = get_current_time_millis()
        tags = [
            RunTag("icefloe.init_sha256", receipt.init_sha256),
            RunTag("icefloe.weights_sha256", receipt.weights_sha256),
            RunTag("icefloe.started_from", receipt.started_from or "scratch"),
        ]
        metrics = [Metric(f"best.{score}", values[score], now, 0) for score in _SCORES]
        self._client.log_batch(run_id, metrics=metrics, tags=tags)
        self._client.log_dict(run_id, values, "receipt.json")
        self._client.set_terminated(run_id, "FINISHED")

    def close_unfinished(self, status: str) -> None:
        """Close the runs of members that did not come to their end."""
        for run_id in self._runs.values():
            if self._client.get_run(run_id).info.status == "RUNNING":
                self._client.set_terminated(run_id, status)

    def _run_of(self, name: str) -> str:
        if name not in self._runs:
            tags = {MLFLOW_PARENT_RUN_ID: self._parent_id, MLFLOW_RUN_NAME: name}
            run = self._client.create_run(self._experiment_id, tags=tags)
            self._runs[name] = run.info.run_id
            self._client.log_batch(run.info.run_id, params=_parameters(name, self._configs[name]))
        return self._runs[name]


@contextmanager
def member_runs(
    tracking_uri: str,
    experiment: str,
    configs: Mapping[str, TrainingConfig],
    artifact_uri: str | None = None,
) -> Iterator[MemberRuns]:
    """Member runs in the run that `MLFLOW_RUN_ID` names, or in a new one of the experiment.

    Parameters
    ----------
    tracking_uri
        URI of MLflow's tracking store.
    experiment
        MLflow experiment, made if it does not exist; ignored when `MLFLOW_RUN_ID` is set.
    configs
        Training options of each member, logged as its parameters.
    artifact_uri
        Where a newly made experiment keeps its artifacts.
    """
    client = MlflowClient(tracking_uri)
    inherited = os.environ.get(RUN_ID_VARIABLE)
    parent_id = inherited or _new_run(client, experiment, artifact_uri)
    runs = MemberRuns(client, parent_id, configs)
    try:
        yield runs
    except BaseException as error:
        status = "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED"
        runs.close_unfinished(status)
        if not inherited:
            client.set_terminated(parent_id, status)
        raise
    if not inherited:  # a run that another process began is ended by that process
        client.set_terminated(parent_id, "FINISHED")


def _new_run(client: MlflowClient, experiment: str, artifact_uri: str | None) -> str:
    experiment_id = open_experiment(client, experiment, artifact_uri)
    return client.create_run(experiment_id, run_name=run_name("train")).info.run_id


def _parameters(name: str, config: TrainingConfig) -> list[Param]:
    (spec,) = (spec for spec in config.members if spec.name == name)
    values = {"decoder_channels": spec.channels} | spec.model_dump(exclude={"decoder_channels"})
    values = {f"member.{name}": value for name, value in values.items()}
    for name, value in config.model_dump(exclude={"members"}).items():
        parts = value.items() if isinstance(value, dict) else [("", value)]
        values |= {f"{name}.{part}".rstrip("."): entry for part, entry in parts}
    return [Param(name, str(value)) for name, value in values.items()]
