"""The record of one pipeline run: what its steps found, kept together in one MLflow run.

Steps run in separate processes, on a cluster on separate machines; the run's id is all they share.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlflow.entities import RunStatus
from mlflow.exceptions import MlflowException

from icefloe.errors import IcefloeError
from icefloe.registry.store import connect, experiment_id
from icefloe.settings import Settings

if TYPE_CHECKING:
    from icefloe.evaluation.evaluate import Evaluation
    from icefloe.registry.submission import Submission


class RunRecord:
    """Documents and pictures of one run, by path (`gate/D3.json`, `evaluation/EA-T2.json`).

    Parameters
    ----------
    settings
        Names the tracking store.
    run_id
        An existing MLflow run, as returned by `RunRecord.start`.
    """

    def __init__(self, settings: Settings, run_id: str) -> None:
        self.run_id = run_id
        self._client = connect(settings)

    @classmethod
    def start(cls, settings: Settings, name: str) -> RunRecord:
        """Open a new run of the pipeline `name`."""
        client = connect(settings)
        run = client.create_run(
            experiment_id(client, settings), run_name=name, tags={"icefloe.pipeline": name}
        )
        return cls(settings, run.info.run_id)

    @property
    def name(self) -> str:
        """The pipeline that made the run."""
        return self._run().info.run_name or self.run_id

    def write_json(self, path: str, document: Any) -> None:
        """Keep `document` at `path`, replacing what was there."""
        self._write(path, json.dumps(document, indent=1).encode())

    def write_png(self, path: str, png: bytes) -> None:
        """Keep a picture at `path`, replacing what was there."""
        self._write(path, png)

    def _write(self, path: str, data: bytes) -> None:
        folder, _, name = path.rpartition("/")
        with tempfile.TemporaryDirectory() as scratch:
            local = Path(scratch) / name
            local.write_bytes(data)
            self._client.log_artifact(self.run_id, str(local), folder or None)

    def write_version(
        self,
        submission: Submission,
        evaluation: Evaluation,
        champion: Evaluation | None,
        pruning: Any,
        pictures: bytes,
    ) -> None:
        """Keep what became of a challenger: gate, evaluations of both sides, pruning receipts, pictures."""
        name = submission.version.name
        parent = submission.version.parent
        self.write_json(f"promotion/{name}.json", submission.report.to_dict())
        self.write_json(f"evaluation/{name}.json", evaluation.to_dict())
        if champion is not None:
            self.write_json(f"before/{name}.json", {"version": parent, "evaluation": champion.to_dict()})
        self.write_json(f"pruning/{name}.json", pruning)
        self.write_png(f"pictures/{name}.png", pictures)

    def names(self, folder: str) -> list[str]:
        """Paths of what is kept in `folder`, sorted."""
        self._run()
        return sorted(entry.path for entry in self._client.list_artifacts(self.run_id, folder))

    def read_bytes(self, path: str) -> bytes:
        """What is kept at `path`.

        Raises
        ------
        IcefloeError
            If the run or the path is unknown.
        """
        with tempfile.TemporaryDirectory() as scratch:
            try:
                local = self._client.download_artifacts(self.run_id, path, scratch)
            except (MlflowException, OSError) as error:
                raise IcefloeError(
                    f"run {self.run_id}: it holds no {path}. Check the run's id with `icefloe runs`."
                ) from error
            return Path(local).read_bytes()

    def read_json(self, path: str) -> Any:
        """The document kept at `path`."""
        return json.loads(self.read_bytes(path))

    def read_folder(self, folder: str) -> dict[str, Any]:
        """Every JSON document of `folder`, by its name without the ending, in the order of the names."""
        return {
            Path(path).stem: self.read_json(path) for path in self.names(folder) if path.endswith(".json")
        }

    def finish(self, succeeded: bool = True) -> None:
        """Close the run."""
        status = RunStatus.FINISHED if succeeded else RunStatus.FAILED
        self._client.set_terminated(self.run_id, RunStatus.to_string(status))

    def _run(self) -> Any:
        try:
            return self._client.get_run(self.run_id)
        except MlflowException as error:
            raise IcefloeError(
                f"run {self.run_id}: the tracking store has no such run. List them with `icefloe runs`."
            ) from error


def list_runs(settings: Settings) -> list[dict[str, Any]]:
    """The pipeline runs of this study, newest first: id, pipeline, status, start time (ms since 1970)."""
    client = connect(settings)
    experiment = client.get_experiment_by_name(settings.experiment)
    if experiment is None:
        return []
    runs = client.search_runs(
        [experiment.experiment_id],
        filter_string="tags.`icefloe.pipeline` != ''",
        order_by=["attributes.start_time DESC"],
    )
    return [
        {
            "id": run.info.run_id,
            "pipeline": run.data.tags["icefloe.pipeline"],
            "status": run.info.status,
            "started": run.info.start_time,
        }
        for run in runs
    ]
