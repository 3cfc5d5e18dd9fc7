"""Registration: a challenger's files into an MLflow run of its own, and from there a version."""

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from mlflow.entities import Metric
from mlflow.entities.model_registry import ModelVersion
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME
from pydantic import BaseModel

from icefloe.evaluation.columns import mean_scores
from icefloe.evaluation.evaluate import Evaluation
from icefloe.registry.admission import file_hashes
from icefloe.registry.documents import (
    EVALUATION_FILE,
    HASHES_FILE,
    LINEAGE_FILE,
    PROVISIONAL_FILE,
    PROVISIONAL_TAG,
    Hashes,
)
from icefloe.registry.files import RunFiles
from icefloe.registry.lineage import Lineage
from icefloe.registry.package import package
from icefloe.registry.paths import metric_name
from icefloe.registry.provisional import Provisional
from icefloe.registry.store import CHALLENGER, VersionStore

MODEL_FOLDER = "model"
HASHES_TAG = "manifest.sha256"
WEIGHTS_TAG = "icefloe.weights_sha256"
"""Of a member's run, as training leaves it."""


def registered(store: VersionStore, folder: Path) -> ModelVersion | None:
    """The version that has exactly these files; None if there is none."""
    digest = _digest(file_hashes(folder))
    return next((version for version in store.versions() if version.tags.get(HASHES_TAG) == digest), None)


def make_version(
    store: VersionStore,
    folder: Path,
    lineage: Lineage,
    evaluation: Evaluation,
    parent_run: str | None,
    provisional: Provisional,
) -> ModelVersion:
    """Write files and documents to a run, make the next version of them, and set the alias challenger.

    Parameters
    ----------
    store
        Versions of the family, in MLflow.
    folder
        The challenger's files.
    lineage, evaluation
        Data, code and parent of the version, and its scores.
    parent_run
        MLflow run to nest the version's run under; None: under none.
    provisional
        Why it is only provisional, as far as it is known before it is judged.
    """
    files = file_hashes(folder)
    with _run(store, parent_run) as run_id:
        documents: dict[str, BaseModel] = {
            LINEAGE_FILE: lineage,
            EVALUATION_FILE: evaluation,
            HASHES_FILE: Hashes(files),
            PROVISIONAL_FILE: provisional,
        }
        _write_files(store, run_id, folder, documents, evaluation)
        tags = {
            "dvc.rev": lineage.data.rev,
            "dvc.md5": lineage.data.md5,
            "git.sha": lineage.git_sha,
            "parent": lineage.parent.name if lineage.parent else "",
            HASHES_TAG: _digest(files),
            PROVISIONAL_TAG: provisional.sentence(),
        }
        version = store.create_version(run_id, MODEL_FOLDER, tags)
    # For readers of MLflow's own pages; here the name follows from the number.
    name = store.name_of(version)
    store.tag(version, {"ensemble_version": name})
    store.client.set_tag(run_id, MLFLOW_RUN_NAME, name)
    if parent_run is not None:
        _name_members(store, parent_run, name, lineage)
    store.set_alias(CHALLENGER, name)
    return version


def _digest(files: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


@contextmanager
def _run(store: VersionStore, parent: str | None) -> Iterator[str]:
    run_id = store.create_run("register", {MLFLOW_PARENT_RUN_ID: parent} if parent else {})
    try:
        yield run_id
    except BaseException:
        store.client.set_terminated(run_id, "FAILED")
        raise
    store.client.set_terminated(run_id)


def _write_files(
    store: VersionStore,
    run_id: str,
    folder: Path,
    documents: Mapping[str, BaseModel],
    evaluation: Evaluation,
) -> None:
    client = store.client
    with tempfile.TemporaryDirectory() as scratch:
        package(store.family, folder, Path(scratch, MODEL_FOLDER), len(evaluation.classes))
        client.log_artifacts(run_id, str(Path(scratch, MODEL_FOLDER)), MODEL_FOLDER)
    files = RunFiles(client, run_id)
    for name, document in documents.items():
        files.write(name, document.model_dump_json(indent=1))
    client.log_batch(run_id, metrics=mean_metrics(evaluation))


def mean_metrics(evaluation: Evaluation, step: int = 0) -> list[Metric]:
    """`D1/dice` and the like: means over held-out images, as MLflow's metrics at a step."""
    time = round(datetime.now(UTC).timestamp() * 1000)
    return [
        Metric(metric_name(f"{dataset}/{metric}"), mean, time, step)
        for dataset, means in mean_scores(evaluation).items()
        for metric, mean in means.items()
    ]


def _name_members(store: VersionStore, parent_run: str, version: str, lineage: Lineage) -> None:
    """Rename the runs of the version's members after it: `EA-T2 resnet18-unet-s0`."""
    members = {digest: member for member, digest in lineage.weights_sha256.items()}
    experiment = store.client.get_run(parent_run).info.experiment_id
    trained = store.client.search_runs([experiment], f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{parent_run}'")
    for run in trained:
        member = members.get(run.data.tags.get(WEIGHTS_TAG, ""))
        if member is not None:
            store.client.set_tag(run.info.run_id, MLFLOW_RUN_NAME, f"{version} {member}")
