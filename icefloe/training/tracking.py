"""Tracking of training in MLflow: a parent run, and in it a run for each member with its curves."""

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from queue import Queue
from threading import Thread

from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME
from mlflow.utils.time import get_current_time_millis

from icefloe.errors import IcefloeError
from icefloe.experiment import RUN_ID_VARIABLE, open_experiment, run_name
from icefloe.training.config import TrainingConfig
from icefloe.training.records import EpochRecord, MemberReceipt

logger = logging.getLogger(__name__)

RETRY_SECONDS = 2.0
PATIENCE_SECONDS = 600.0
"""How long training that is done waits for an MLflow that is away."""

_PASSING = ("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "DEADLINE_EXCEEDED")
_LONGEST = 200

_CURVES = ("train_loss", "val_loss", "new_loss", "val_pca", "val_iou", "val_dice", "lr", "seconds")
_SCORES = ("val_pca", "val_iou", "val_dice", "val_brier", "val_ece", "val_loss", "best_epoch", "seconds")


class MemberRuns:
    """Member runs nested in one parent run; a `Listener`.

    What it is told is written by a thread, in order, and again and again while MLflow is away: training does
    not wait for it. Runs of an earlier call that was killed are gone on with.

    Parameters
    ----------
    client
        MLflow's client.
    parent_id
        The run that the members' are nested in.
    configs
        Training options of each member, logged as its parameters.
    """

    def __init__(self, client: MlflowClient, parent_id: str, configs: Mapping[str, TrainingConfig]) -> None:
        self._client, self._parent_id, self._configs = client, parent_id, configs
        self._runs: dict[str, str] = {}
        self._n_logged: dict[str, int] = {}
        self._waiting: Queue[Callable[[], None] | None] = Queue()
        self._failure: Exception | None = None
        self._give_up_at = float("inf")
        self._thread = Thread(target=self._write, name="mlflow", daemon=True)
        self._thread.start()

    def on_epoch(self, name: str, record: EpochRecord) -> None:
        """Add the epoch to the member's curves."""
        self._later(partial(self._log_epoch, name, record, get_current_time_millis()))

    def on_finished(self, name: str, receipt: MemberReceipt) -> None:
        """Add the receipt and close the member's run."""
        self._later(partial(self._log_receipt, name, receipt, get_current_time_millis()))

    def close(self, seconds: float) -> None:
        """Wait until all is written, for so long at most.

        Raises
        ------
        IcefloeError
            If MLflow did not come back.
        """
        self._give_up_at = time.monotonic() + seconds
        self._waiting.put(None)
        self._thread.join()
        self._raise_failure()

    def close_unfinished(self, status: str) -> None:
        """Close the runs of members that did not come to their end."""
        for run_id in self._runs.values():
            if self._client.get_run(run_id).info.status == "RUNNING":
                self._client.set_terminated(run_id, status)

    def _later(self, write: Callable[[], None]) -> None:
        self._raise_failure()
        self._waiting.put(write)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            reason = " ".join(str(self._failure).split())[:_LONGEST]
            raise IcefloeError(
                f"{self._client.tracking_uri}: MLflow did not take the training's curves ({reason}). "
                "Run again when it does; what is trained is not trained again."
            ) from self._failure

    def _write(self) -> None:
        while (write := self._waiting.get()) is not None:
            while True:
                try:
                    write()
                    break
                except Exception as error:
                    if not _may_pass(error) or time.monotonic() > self._give_up_at:
                        self._failure = error
                        return
                    logger.warning("MLflow is away; the curves are written when it is back.")
                    time.sleep(RETRY_SECONDS)

    def _log_epoch(self, name: str, record: EpochRecord, now: int) -> None:
        run_id = self._run_of(name)
        if record.epoch <= self._n_logged[name]:
            return
        values = record.to_dict()
        curves = [
            Metric(curve, values[curve], now, record.epoch) for curve in _CURVES if values[curve] is not None
        ]
        self._client.log_batch(run_id, metrics=curves)

    def _log_receipt(self, name: str, receipt: MemberReceipt, now: int) -> None:
        run_id = self._run_of(name)
        values = receipt.to_dict()
        tags = [
            RunTag("icefloe.init_sha256", receipt.init_sha256),
            RunTag("icefloe.weights_sha256", receipt.weights_sha256),
            RunTag("icefloe.started_from", receipt.started_from or "scratch"),
        ]
        metrics = [Metric(f"best.{score}", values[score], now, 0) for score in _SCORES]
        self._client.log_batch(run_id, metrics=metrics, tags=tags)
        self._client.log_dict(run_id, values, "receipt.json")
        self._client.set_terminated(run_id, "FINISHED")

    def _run_of(self, name: str) -> str:
        if name not in self._runs:
            experiment = self._client.get_run(self._parent_id).info.experiment_id
            mine = (
                f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{self._parent_id}' AND tags.`{MLFLOW_RUN_NAME}` = '{name}'"
            )
            found = self._client.search_runs([experiment], mine)
            if found:
                run_id = found[0].info.run_id
                logged = self._client.get_metric_history(run_id, "train_loss")
                self._n_logged[name] = max((metric.step for metric in logged), default=0)
            else:
                tags = {MLFLOW_PARENT_RUN_ID: self._parent_id, MLFLOW_RUN_NAME: name}
                run_id = self._client.create_run(experiment, tags=tags).info.run_id
                self._n_logged[name] = 0
            self._client.log_batch(run_id, params=_parameters(name, self._configs[name]))
            self._runs[name] = run_id
        return self._runs[name]


def _may_pass(error: Exception) -> bool:
    """Whether MLflow may take the same later: it is away, or busy."""
    return isinstance(error, MlflowException) and error.error_code in _PASSING


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

    Raises
    ------
    IcefloeError
        If MLflow does not take what it is to log, or was away at the end and did not come back.
    """
    client = MlflowClient(tracking_uri)
    inherited = os.environ.get(RUN_ID_VARIABLE)
    parent_id = inherited or _new_run(client, experiment, artifact_uri)
    runs = MemberRuns(client, parent_id, configs)
    try:
        yield runs
        runs.close(PATIENCE_SECONDS)
    except BaseException as error:
        status = "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED"
        with suppress(MlflowException):  # the error itself is what is to be told
            with suppress(IcefloeError):
                runs.close(0)
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
