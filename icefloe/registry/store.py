"""Access to MLflow: versions of one registered model, their runs, aliases and files."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_USER
from pydantic import BaseModel

from icefloe.errors import IcefloeError
from icefloe.experiment import connect, open_experiment
from icefloe.registry.families import EA, Family
from icefloe.registry.files import MissingFileError, RunFiles
from icefloe.registry.history import current_user
from icefloe.validation import validated

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"

Document = TypeVar("Document", bound=BaseModel)


class StoreSettings(Protocol):
    """The part of `icefloe.settings.Settings` that this room reads."""

    @property
    def tracking_uri(self) -> str: ...
    @property
    def artifact_uri(self) -> str | None: ...
    @property
    def registered_model(self) -> str: ...
    @property
    def experiment(self) -> str: ...


def _retry_once(insert: Callable[[], None]) -> None:
    """Two processes that set a new alias or tag at once both insert it, and the database refuses one."""
    try:
        insert()
    except MlflowException:
        insert()


class VersionStore:
    """Versions of one family in MLflow, by name (`EA-T2`) or alias.

    Parameters
    ----------
    settings
        Name the store, the experiment and the study's registered model.
    family
        Family of the versions.
    """

    def __init__(self, settings: StoreSettings, family: Family = EA) -> None:
        self.client = connect(settings.tracking_uri)
        self.family = family
        self.model = family.registered_model(settings.registered_model)
        self._settings = settings

    def experiment_id(self) -> str:
        """Id of the study's experiment, made where there is none."""
        return open_experiment(self.client, self._settings.experiment, self._settings.artifact_uri)

    def experiment_if_there(self) -> str | None:
        """Id of the study's experiment; None where nothing has been run."""
        found = self.client.get_experiment_by_name(self._settings.experiment)
        return str(found.experiment_id) if found else None

    def create_run(self, name: str, tags: dict[str, str]) -> str:
        """Open a run in the study's experiment; its id."""
        tags = tags | {MLFLOW_USER: current_user()}
        run_id: str = self.client.create_run(self.experiment_id(), tags=tags, run_name=name).info.run_id
        return run_id

    def create_version(self, run_id: str, folder: str, tags: dict[str, str]) -> ModelVersion:
        """Make the next version from `folder` of a run's files, with its tags, in one transaction."""
        try:
            self.client.create_registered_model(self.model)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        source = f"{self.client.get_run(run_id).info.artifact_uri}/{folder}"
        return self.client.create_model_version(self.model, source, run_id, tags=tags)

    def name_of(self, version: ModelVersion) -> str:
        """`EA-Tn` of MLflow's version n."""
        return self.family.version_name(version.version)

    def run_id_of(self, version: ModelVersion) -> str:
        """The run that holds a version's files.

        Raises
        ------
        IcefloeError
            If the version was made by other means than `Registry.register`.
        """
        if not version.run_id:
            raise IcefloeError(
                f"{self.name_of(version)}: it has no run, so it was not registered by Icefloe. "
                "Delete it in MLflow."
            )
        return str(version.run_id)

    def versions(self) -> list[ModelVersion]:
        """All versions, oldest first."""
        found: list[ModelVersion] = []
        token = None
        while True:
            page = self.client.search_model_versions(f"name = '{self.model}'", page_token=token)
            found += page
            token = page.token
            if not token:
                return sorted(found, key=lambda version: int(version.version))

    def newest(self) -> ModelVersion:
        """The version made last.

        Raises
        ------
        IcefloeError
            If there is none.
        """
        versions = self.versions()
        if not versions:
            raise IcefloeError(f"{self.model}: there is no version yet. {self._known_versions()}")
        return versions[-1]

    def find(self, version: str) -> ModelVersion:
        """One version by name or alias.

        Raises
        ------
        IcefloeError
            If there is no such version; the message lists those there are.
        """
        name = version
        if version in (CHAMPION, CHALLENGER, PREVIOUS):
            name = self.aliases().get(version, "")
            if not name:
                raise IcefloeError(f"{self.model}: there is no {version} yet. {self._known_versions()}")
        number = self.family.number(name)
        if number is not None:
            try:
                return self.client.get_model_version(self.model, number)
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
        raise IcefloeError(f"{version}: {self.model} has no such version. {self._known_versions()}")

    def _known_versions(self) -> str:
        names = ", ".join(map(self.name_of, self.versions()))
        if not names:
            return "No version is registered; train one with `icefloe pipeline run train`."
        return f"There are {names}; promote one with `icefloe models promote`."

    def aliases(self) -> dict[str, str]:
        """Alias -> version name."""
        model = self._registered_model()
        return {a: self.family.version_name(n) for a, n in model.aliases.items()} if model else {}

    def set_alias(self, alias: str, name: str) -> None:
        """Point an alias at a version."""
        number = self.family.number(name) or name
        _retry_once(partial(self.client.set_registered_model_alias, self.model, alias, number))

    def delete_alias(self, alias: str) -> None:
        """Remove an alias."""
        self.client.delete_registered_model_alias(self.model, alias)

    def tag(self, version: ModelVersion, tags: dict[str, str]) -> None:
        """Set tags of a version."""
        for key, value in tags.items():
            self.client.set_model_version_tag(self.model, version.version, key, value)

    def describe(self, version: ModelVersion, text: str) -> None:
        """Replace the description of a version on MLflow's page (Markdown)."""
        self.client.update_model_version(self.model, version.version, text)

    def model_tags(self) -> dict[str, str]:
        """Tags of the registered model itself."""
        model = self._registered_model()
        return dict(model.tags) if model else {}

    def tag_model(self, tags: dict[str, str]) -> None:
        """Set tags of the registered model itself."""
        for key, value in tags.items():
            _retry_once(partial(self.client.set_registered_model_tag, self.model, key, value))

    def untag_model(self, key: str) -> None:
        """Remove a tag of the registered model, if it is there."""
        try:
            if key in self.model_tags():
                self.client.delete_registered_model_tag(self.model, key)
        except MlflowException:
            if key in self.model_tags():  # no other process has removed it meanwhile
                raise

    def describe_model(self, text: str) -> None:
        """Replace the description of the registered model on MLflow's page (Markdown)."""
        self.client.update_registered_model(self.model, text)

    def _registered_model(self) -> Any:
        try:
            return self.client.get_registered_model(self.model)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise

    def files(self, version: ModelVersion) -> RunFiles:
        """The files of a version's run."""
        return RunFiles(self.client, self.run_id_of(version))

    def read(self, version: ModelVersion, path: str, kind: type[Document]) -> Document:
        """A JSON document among the version's files.

        Raises
        ------
        IcefloeError
            If the artifact store has lost it, or it is no such document.
        """
        with tempfile.TemporaryDirectory() as scratch:
            content = self.download(version, path, Path(scratch)).read_bytes()
        remedy = "Restore the artifact store from its backup, or register the version again."
        return validated(kind, content, f"{self.name_of(version)}/{path}", remedy)

    def download(self, version: ModelVersion, path: str, folder: Path) -> Path:
        """Copy a file or folder of the version's run into `folder`.

        Raises
        ------
        IcefloeError
            If the artifact store has lost it.
        """
        try:
            return self.files(version).download(path, folder)
        except MissingFileError as error:
            raise IcefloeError(
                f"{self.name_of(version)}/{path}: the artifact store does not have it ({error}). "
                "Restore the store from its backup, or use another version."
            ) from error
