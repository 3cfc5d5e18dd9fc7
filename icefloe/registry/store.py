"""MLflow as this room uses it: versions of one registered model, their runs, aliases and files."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any, Protocol

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from icefloe.errors import IcefloeError
from icefloe.registry.version import NAME_PREFIX

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"


class StoreSettings(Protocol):
    """The part of `icefloe.settings.Settings` that this room reads."""

    @property
    def tracking_uri(self) -> str: ...
    @property
    def artifact_uri(self) -> str: ...
    @property
    def registered_model(self) -> str: ...
    @property
    def experiment(self) -> str: ...


def connect(settings: StoreSettings) -> MlflowClient:
    """A client of the tracking store and registry.

    On a new SQLite file this creates MLflow's tables, which takes 3 s.
    """
    # MLflow would draw a bar on the terminal for every small document it fetches.
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    # Both named, because the registry would else follow MLflow's process-wide setting.
    return MlflowClient(settings.tracking_uri, registry_uri=settings.tracking_uri)


def experiment_id(client: MlflowClient, settings: StoreSettings) -> str:
    """Id of the study's experiment, made where there is none."""
    found = client.get_experiment_by_name(settings.experiment)
    if found is None:
        try:
            created: str = client.create_experiment(
                settings.experiment, artifact_location=settings.artifact_uri
            )
            return created
        except MlflowException:
            found = client.get_experiment_by_name(settings.experiment)
            if found is None:  # not a race with another process that made it
                raise
    identifier: str = found.experiment_id
    return identifier


def name_of(version: ModelVersion) -> str:
    """`EA-Tn` of MLflow's version n."""
    return f"{NAME_PREFIX}{version.version}"


def run_id_of(version: ModelVersion) -> str:
    """The run that holds a version's files.

    Raises
    ------
    IcefloeError
        If the version was made by other means than `Registry.register`.
    """
    if not version.run_id:
        raise IcefloeError(
            f"{name_of(version)}: it has no run, so it was not registered by Icefloe. Delete it in MLflow."
        )
    return str(version.run_id)


class VersionStore:
    """Versions of one registered model, found by name (`EA-T2`) or alias; raw, without judgement.

    Parameters
    ----------
    settings
        Name the store, the experiment and the registered model.
    """

    def __init__(self, settings: StoreSettings) -> None:
        self.client = connect(settings)
        self.model = settings.registered_model
        self._settings = settings

    def create_run(self, name: str, tags: dict[str, str]) -> str:
        """Open a run in the study's experiment; its id."""
        experiment = experiment_id(self.client, self._settings)
        run_id: str = self.client.create_run(experiment, tags=tags, run_name=name).info.run_id
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
            raise IcefloeError(f"{self.model}: there is no version yet. {self._there_are()}")
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
                raise IcefloeError(f"{self.model}: there is no {version} yet. {self._there_are()}")
        number = name.removeprefix(NAME_PREFIX)
        if name.startswith(NAME_PREFIX) and number.isascii() and number.isdecimal():
            try:
                return self.client.get_model_version(self.model, number)
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
        raise IcefloeError(f"{version}: {self.model} has no such version. {self._there_are()}")

    def _there_are(self) -> str:
        names = ", ".join(name_of(version) for version in self.versions())
        if not names:
            return "No version is registered; train one with `icefloe pipeline run train`."
        return f"There are {names}; promote one with `icefloe models promote`."

    def aliases(self) -> dict[str, str]:
        """Alias -> version name."""
        model = self._registered_model()
        return {alias: f"{NAME_PREFIX}{number}" for alias, number in model.aliases.items()} if model else {}

    def set_alias(self, alias: str, name: str) -> None:
        """Point an alias at a version, wherever it pointed before."""
        number = name.removeprefix(NAME_PREFIX)
        try:
            self.client.set_registered_model_alias(self.model, alias, number)
        except MlflowException:
            # Two processes that set a new alias at once both insert it, and the database refuses one.
            self.client.set_registered_model_alias(self.model, alias, number)

    def delete_alias(self, alias: str) -> None:
        """Remove an alias."""
        self.client.delete_registered_model_alias(self.model, alias)

    def tag(self, version: ModelVersion, tags: dict[str, str]) -> None:
        """Set tags of a version."""
        for key, value in tags.items():
            self.client.set_model_version_tag(self.model, version.version, key, value)

    def model_tags(self) -> dict[str, str]:
        """Tags of the registered model itself."""
        model = self._registered_model()
        return dict(model.tags) if model else {}

    def tag_model(self, key: str, value: str) -> None:
        """Set a tag of the registered model itself."""
        self.client.set_registered_model_tag(self.model, key, value)

    def _registered_model(self) -> Any:
        try:
            return self.client.get_registered_model(self.model)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise

    def read_json(self, version: ModelVersion, path: str) -> Any:
        """A JSON document among the version's files."""
        with tempfile.TemporaryDirectory() as scratch:
            return json.loads(self.download(version, path, Path(scratch)).read_text(encoding="utf-8"))

    def download(self, version: ModelVersion, path: str, folder: Path) -> Path:
        """Copy a file or folder of the version's run into `folder`.

        Raises
        ------
        IcefloeError
            If the artifact store has lost it.
        """
        try:
            return Path(self.client.download_artifacts(run_id_of(version), path, str(folder)))
        except (MlflowException, OSError) as error:
            reason = " ".join(str(error).split())
            raise IcefloeError(
                f"{name_of(version)}/{path}: the artifact store can't give it ({reason}). "
                "Restore the store from its backup, or use another version."
            ) from error
