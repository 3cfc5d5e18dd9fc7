"""The record of one pipeline run: the results of its steps, in one MLflow run.

Steps run in separate processes, on a cluster on separate machines; the run's id is all they share.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from mlflow.entities import Metric, Run, RunStatus
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NOTE, MLFLOW_USER
from pydantic import BaseModel

from icefloe.errors import IcefloeError
from icefloe.experiment import RUN_ID_VARIABLE, connect, open_experiment, run_name, run_page
from icefloe.registry.files import MissingFileError, RunFiles
from icefloe.registry.history import current_user
from icefloe.registry.journal import LONGEST_NOTE
from icefloe.registry.registration import mean_metrics
from icefloe.registry.store import StoreSettings
from icefloe.result import Result

if TYPE_CHECKING:
    from icefloe.evaluation.evaluate import Evaluation
    from icefloe.registry.submission import Submission

PIPELINE_TAG = "icefloe.pipeline"
KEY_TAG = "icefloe.run"
"""Holds the id by which the steps of a run know it, which is not MLflow's."""

HAPPENED = "happened"


class RunRecord:
    """Documents and pictures of one run, by path (`gate/D3.json`, `evaluation/EA-T2.json`).

    Parameters
    ----------
    settings
        Settings with the tracking store.
    run_id
        An existing MLflow run, as returned by `RunRecord.start`.
    """

    def __init__(self, settings: StoreSettings, run_id: str) -> None:
        self.run_id = run_id
        self._client = connect(settings.tracking_uri)
        self._files = RunFiles(self._client, run_id)

    @classmethod
    def start(cls, settings: StoreSettings, name: str, about: str = "", key: str = "") -> RunRecord:
        """Open a new run, nested in the one that `MLFLOW_RUN_ID` names, such as one that Kubeflow opened.

        One that has the key already is returned as it is: a step that is tried again opens no second.

        Parameters
        ----------
        settings
            Settings with the tracking store and the experiment.
        name
            Name of the pipeline.
        about
            Subject of the run, such as the dataset that came in; part of the name on MLflow's pages.
        key
            Id by which `find` finds it again; empty: none.
        """
        if key and (opened := cls.find(settings, key)):
            return opened
        client = connect(settings.tracking_uri)
        run = client.create_run(
            open_experiment(client, settings.experiment, settings.artifact_uri),
            run_name=run_name(f"{name} {about}".strip()),
            tags={PIPELINE_TAG: name, MLFLOW_USER: current_user()}
            | ({KEY_TAG: key} if key else {})
            | _parent(),
        )
        return cls(settings, run.info.run_id)

    @classmethod
    def find(cls, settings: StoreSettings, key: str) -> RunRecord | None:
        """The run that was opened with a key; None if there is none."""
        client = connect(settings.tracking_uri)
        experiment = client.get_experiment_by_name(settings.experiment)
        if experiment is None:
            return None
        found = client.search_runs([experiment.experiment_id], f"tags.`{KEY_TAG}` = '{key}'", max_results=1)
        return cls(settings, found[0].info.run_id) if found else None

    @property
    def name(self) -> str:
        """The pipeline that made the run."""
        run = self._run()
        return str(run.data.tags.get(PIPELINE_TAG) or run.info.run_name or self.run_id)

    @property
    def page(self) -> str:
        """Address of the run within MLflow's pages."""
        return run_page(self._run().info.experiment_id, self.run_id)

    @property
    def is_open(self) -> bool:
        """Whether more may be found: `finish` has not been called."""
        return str(self._run().info.status) == RunStatus.to_string(RunStatus.RUNNING)

    def write_json(self, path: str, document: BaseModel | Any) -> None:
        """Write a document, a pydantic model or plain values, to `path`; an earlier one is replaced."""
        model = document if isinstance(document, BaseModel) else None
        self._files.write(path, model.model_dump_json(indent=1) if model else json.dumps(document, indent=1))

    def write_result(self, path: str, result: Result) -> None:
        """Write a result to `path`, and note its sentence."""
        self.write_json(path, result)
        self.tell(path, result.sentence())

    def write_png(self, path: str, png: bytes) -> None:
        """Write a picture to `path`; an earlier one is replaced."""
        self._files.write(path, png)

    def write_metrics(self, numbers: Mapping[str, float]) -> None:
        """Show flat numbers as the run's metrics."""
        time = round(datetime.now(UTC).timestamp() * 1000)
        metrics = [Metric(name, float(value), time, 0) for name, value in numbers.items()]
        self._client.log_batch(self.run_id, metrics=metrics)

    def tell(self, topic: str, sentence: str) -> None:
        """Note what happened; a later sentence on the same topic (`gate/D3.json`) replaces the earlier."""
        name = topic.replace("/", ".").removesuffix(".json")
        at = datetime.now(UTC).isoformat()
        self.write_json(f"{HAPPENED}/{name}.json", {"at": at, "sentence": sentence})

    def happened(self) -> list[str]:
        """The sentences noted, in the order of time."""
        notes = sorted(self.read_folder(HAPPENED).values(), key=lambda note: str(note["at"]))
        return [str(note["sentence"]) for note in notes]

    def times(self) -> dict[str, float]:
        """Topic of each sentence noted, with dots (`gate.D3`) -> when, in s since the epoch."""
        notes = self.read_folder(HAPPENED).items()
        return {topic: datetime.fromisoformat(note["at"]).timestamp() for topic, note in notes}

    def write_version(
        self,
        submission: Submission,
        evaluation: Evaluation,
        champion: tuple[str, Evaluation] | None,
        pruning: Any,
        pictures: bytes,
    ) -> None:
        """Write the results of a challenger: gate, its evaluation and the champion's, pruning, pictures."""
        name = submission.version.name
        self.write_json(f"promotion/{name}.json", submission.report)
        self.write_json(f"evaluation/{name}.json", evaluation)
        if champion is not None:
            before = {"version": champion[0], "evaluation": champion[1].model_dump(mode="json")}
            self.write_json(f"before/{name}.json", before)
        self.write_json(f"pruning/{name}.json", pruning)
        self.write_png(f"pictures/{name}.png", pictures)
        self.tell(f"version/{name}", submission.sentence())
        # A curve over the versions that the run made.
        self._client.log_batch(self.run_id, metrics=mean_metrics(evaluation, submission.version.number))

    def names(self, folder: str) -> list[str]:
        """Paths of the files in `folder`, sorted."""
        self._run()
        return self._files.names(folder)

    def read_bytes(self, path: str) -> bytes:
        """The content of `path`.

        Raises
        ------
        IcefloeError
            If the run or the path is unknown.
        """
        try:
            return self._files.read(path)
        except MissingFileError as error:
            raise IcefloeError(
                f"run {self.run_id}: it holds no {path}. Check the run's id with `icefloe runs`."
            ) from error

    def read_json(self, path: str) -> Any:
        """The JSON document at `path`."""
        return json.loads(self.read_bytes(path))

    def read_folder(self, folder: str) -> dict[str, Any]:
        """Every JSON document of `folder`, by its name without the ending, in the order of the names."""
        return {
            PurePosixPath(path).stem: self.read_json(path)
            for path in self.names(folder)
            if path.endswith(".json")
        }

    def finish(self, succeeded: bool = True, problem: str = "") -> None:
        """Close the run, and write to its note what happened and how it ended.

        Parameters
        ----------
        succeeded
            Whether it came to its end.
        problem
            Why it did not: a sentence, and below it what goes with it, such as a table.
        """
        run = self._run()
        seconds = datetime.now(UTC).timestamp() - run.info.start_time / 1000
        happened = "\n".join(f"- {sentence}" for sentence in self.happened())
        if succeeded:
            parts = [happened, f"Done in {seconds:.0f} s."]
        else:  # first, because the page folds what comes later
            reason, _, more = problem.partition("\n")
            parts = [
                f"**Failed after {seconds:.0f} s.** {reason}",
                f"```\n{more}\n```" if more else "",
                happened,
            ]
        note = "\n\n".join(part.strip() for part in parts if part)
        self._client.set_tag(self.run_id, MLFLOW_RUN_NOTE, note[:LONGEST_NOTE])
        status = RunStatus.FINISHED if succeeded else RunStatus.FAILED
        self._client.set_terminated(self.run_id, RunStatus.to_string(status))

    def _run(self) -> Run:
        try:
            return self._client.get_run(self.run_id)
        except MlflowException as error:
            raise IcefloeError(
                f"run {self.run_id}: the tracking store has no such run. List them with `icefloe runs`."
            ) from error


def _parent() -> dict[str, str]:
    parent = os.environ.get(RUN_ID_VARIABLE)
    return {MLFLOW_PARENT_RUN_ID: parent} if parent else {}


def list_runs(settings: StoreSettings) -> list[dict[str, Any]]:
    """The pipeline runs of this study, newest first.

    Each has its `id`, `pipeline` and `status`, and when it `started` and `ended`, in ms since 1970 (None: it
    goes on, or was killed).
    """
    client = connect(settings.tracking_uri)
    experiment = client.get_experiment_by_name(settings.experiment)
    if experiment is None:
        return []
    runs = client.search_runs(
        [experiment.experiment_id],
        filter_string=f"tags.`{PIPELINE_TAG}` != ''",
        order_by=["attributes.start_time DESC"],
    )
    return [
        {
            "id": run.info.run_id,
            "pipeline": run.data.tags[PIPELINE_TAG],
            "status": run.info.status,
            "started": run.info.start_time,
            "ended": run.info.end_time,
        }
        for run in runs
    ]
