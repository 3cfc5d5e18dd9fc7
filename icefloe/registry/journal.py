"""History of a registered model: files of one run that are never overwritten."""

import json
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress

from mlflow.entities import Run, ViewType
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE
from pydantic import ValidationError

from icefloe.errors import IcefloeError
from icefloe.registry.files import RunFiles
from icefloe.registry.history import HistoryEntry
from icefloe.registry.store import VersionStore

FOLDER = "history"
LATEST_TAG, RUN_TAG = "history.latest", "history.run"
MODEL_TAG = "icefloe.history"
LONGEST_NOTE = 5000
"""Characters that MLflow's database takes."""

_OLD_TAG = re.compile(r"history\.\d{4}-.*")
"""Earlier versions kept each entry as JSON in a tag of the registered model, `history.<time>.<random>`."""


class Journal:
    """The append-only history of one family's champions.

    Each entry is a JSON file of its own, named by its time and a random suffix, among the artifacts of one
    run. So adding an entry reads nothing and overwrites nothing, also in stores that cannot append (S3), and
    two processes that add entries at once both do. Two that begin the history at once make two runs; both
    are read. Tags of the registered model name the run and, in a few words, the latest change.

    Entries in the tags of a workspace that an earlier version made are read too, and moved into files when
    the next entry is added.

    Parameters
    ----------
    store
        Versions of the family, in MLflow.
    """

    def __init__(self, store: VersionStore) -> None:
        self._store = store

    def read(self) -> tuple[HistoryEntry, ...]:
        """All entries, oldest first.

        Raises
        ------
        IcefloeError
            If the artifact store has lost the latest.
        """
        tags = self._store.model_tags()  # before the files: an entry's file is there before its tag
        named = {file: entry for _, file, entry in _in_tags(tags)}
        for run in self._runs(tags):
            named |= _in_files(RunFiles(self._store.client, run.info.run_id))
        # By name where two have one time, so that all readers agree on the order.
        entries = tuple(named[file] for file in sorted(named, key=lambda file: (named[file].at, file)))
        latest = tags.get(LATEST_TAG, "").rpartition(" ")[2]
        if latest and all(entry.at != latest for entry in entries):
            raise IcefloeError(
                f"{self._store.model}: its history lacks the change of {latest}. Restore the artifacts of "
                f"run {tags.get(RUN_TAG, 'unknown')} from their backup, or go on without them: remove the "
                f"tag {LATEST_TAG} in MLflow."
            )
        return entries

    def add(self, entry: HistoryEntry) -> None:
        """Add an entry; when this returns it is stored permanently."""
        tags = self._store.model_tags()
        run_id = self._open(tags)
        files = RunFiles(self._store.client, run_id)
        self._move_tags_into(files, tags)
        files.write(f"{FOLDER}/{_file_name(entry.at, secrets.token_hex(4))}", entry.model_dump_json(indent=1))
        self._store.tag_model({RUN_TAG: run_id, LATEST_TAG: f"{entry.action} {entry.champion} {entry.at}"})

    def run_id(self) -> str | None:
        """The run that entries go to; None before the first."""
        return self._store.model_tags().get(RUN_TAG)

    def write_note(self, history: Sequence[HistoryEntry]) -> None:
        """Write the history, newest first, into the run's note on MLflow's pages."""
        run_id = self.run_id()
        if run_id is not None:
            lines = [f"- {entry.sentence()}" for entry in reversed(history)]
            self._store.client.set_tag(run_id, MLFLOW_RUN_NOTE, "\n".join(lines)[:LONGEST_NOTE])

    def _move_tags_into(self, files: RunFiles, tags: dict[str, str]) -> None:
        """Move entries from tags to files; each tag is removed after its file is written."""
        for key, file, entry in _in_tags(tags):
            files.write(f"{FOLDER}/{file}", entry.model_dump_json(indent=1))
            self._store.untag_model(key)

    def _runs(self, tags: dict[str, str]) -> list[Run]:
        """Runs that hold entries: those of the experiment, and the one named, wherever it is.

        Also runs that a person has deleted on MLflow's pages: until `mlflow gc` their files are there.
        """
        client, experiment = self._store.client, self._store.experiment_if_there()
        found: dict[str, Run] = {}
        if experiment is not None:
            of_this_model = f"tags.`{MODEL_TAG}` = '{self._store.model}'"
            for run in client.search_runs([experiment], of_this_model, run_view_type=ViewType.ALL):
                found[run.info.run_id] = run
        if RUN_TAG in tags and tags[RUN_TAG] not in found:  # the settings name another experiment now
            with suppress(MlflowException):
                found[tags[RUN_TAG]] = client.get_run(tags[RUN_TAG])
        return list(found.values())

    def _open(self, tags: dict[str, str]) -> str:
        """Id of the run that entries go to, made if there is none."""
        active = [run.info.run_id for run in self._runs(tags) if run.info.lifecycle_stage == "active"]
        if active:
            return tags[RUN_TAG] if tags.get(RUN_TAG) in active else str(active[0])
        name = f"history of {self._store.model}"
        run_id = self._store.create_run(name, {MODEL_TAG: self._store.model})
        self._store.client.set_terminated(run_id)
        return run_id


def _file_name(at: str, suffix: str) -> str:
    """Colons are not allowed in the names of every file system."""
    return f"{re.sub('[-:]', '', at)}-{suffix}.json"


def _in_tags(tags: dict[str, str]) -> Iterator[tuple[str, str, HistoryEntry]]:
    """Key, name of the file it moves to, and entry, of each tag that is one."""
    for key in sorted(tags):
        if _OLD_TAG.fullmatch(key):
            entry = HistoryEntry.model_validate(json.loads(tags[key]))
            yield key, _file_name(entry.at, key.rpartition(".")[2]), entry


def _in_files(files: RunFiles) -> dict[str, HistoryEntry]:
    """File name -> entry; a file that a killed process left half written changed nothing and is left out."""
    found = {}
    for name, content in files.read_folder(FOLDER).items():
        with suppress(ValidationError):
            found[name] = HistoryEntry.model_validate_json(content)
    return found
