"""The study's experiment in MLflow, where training and the registry put their runs."""

import os
from datetime import UTC, datetime
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE as MLFLOW_EXPERIMENT_NOTE  # one key for both

from icefloe.relocation import follow_workspace, sqlite_path

RUN_ID_VARIABLE = "MLFLOW_RUN_ID"
"""Names the run that those made in this process are nested in."""

KIND_TAG = "mlflow.experimentKind"
MODEL_TRAINING = "custom_model_development"
ABOUT = "Icefloe: runs of the pipelines, the members they trained, and the versions made of them."


def connect(tracking_uri: str) -> MlflowClient:
    """A client of the tracking store and of the registry in it.

    On a new SQLite file this creates MLflow's tables, which takes 3 s.
    """
    if database := sqlite_path(tracking_uri):
        database.parent.mkdir(parents=True, exist_ok=True)
        follow_workspace(database)
    # MLflow would draw a bar on the terminal for every small document it fetches.
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    # Both named, because the registry would else follow MLflow's process-wide setting.
    return MlflowClient(tracking_uri, registry_uri=tracking_uri)


def open_experiment(client: MlflowClient, name: str, artifact_uri: str | None) -> str:
    """Id of the experiment, which is made if it is not there, and marked as one of model training.

    Without the mark MLflow's pages take an experiment for one of generative AI and show nothing of its runs.
    Those of 3.5 and 3.9 go by the mark; those of 3.17 go by the browser's own switch, or by an address as
    `run_page` gives it.

    Parameters
    ----------
    client
        Client of the tracking store.
    name
        Name of the experiment.
    artifact_uri
        Where a new experiment puts its artifacts; None: where the server chooses.
    """
    found: Any = client.get_experiment_by_name(name)
    if found is None:
        try:
            made: str = client.create_experiment(
                name,
                artifact_location=artifact_uri,
                tags={KIND_TAG: MODEL_TRAINING, MLFLOW_EXPERIMENT_NOTE: ABOUT},
            )
            return made
        except MlflowException:
            found = client.get_experiment_by_name(name)
            if found is None:  # not a race with another process that made it
                raise
    identifier: str = found.experiment_id
    if not _kind_was_chosen(found.tags.get(KIND_TAG, "")):
        client.set_experiment_tag(identifier, KIND_TAG, MODEL_TRAINING)
        if MLFLOW_EXPERIMENT_NOTE not in found.tags:
            client.set_experiment_tag(identifier, MLFLOW_EXPERIMENT_NOTE, ABOUT)
    return identifier


def _kind_was_chosen(kind: str) -> bool:
    """Whether a person chose it; MLflow's pages note what they only infer."""
    return kind not in ("", "no_inferred_type") and not kind.endswith("_inferred")


def run_name(what: str) -> str:
    """`train 2026-11-29 14:03`: a name that a list of runs can be read by, in this machine's time."""
    return f"{what} {datetime.now(UTC).astimezone():%Y-%m-%d %H:%M}"


def run_page(experiment_id: str, run_id: str, artifact: str = "") -> str:
    """Address of a run, or of one of its artifacts, within MLflow's pages for model training."""
    page = f"#/experiments/{experiment_id}/runs/{run_id}"
    return f"{page}{f'/artifacts/{artifact}' if artifact else ''}?workflowType=machine_learning"
