"""Settings: paths, stores and addresses, for one machine or for a cluster.

From the environment, then a file that it names, then the workspace's `icefloe.toml`.
"""

import os
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from icefloe.errors import IcefloeError
from icefloe.pods import Pods
from icefloe.s3.address import S3, is_on_s3
from icefloe.scratch import WORKSPACE_FILE
from icefloe.settings_sources import (
    MOUNTED_VARIABLE,
    PREFIX,
    Environment,
    mounted_file,
    place_of,
    refuse_secrets,
    toml_source,
)
from icefloe.validation import first_problem

SETTINGS_FILE = WORKSPACE_FILE
RUN_VARIABLE = "ICEFLOE_PIPELINE_RUN"
"""Names the run of a pipeline to its steps. As an input it would differ in every run, and none be reused."""


class IdentityProvider(BaseModel):
    """A provider at which people sign in to the service, by OpenID Connect.

    Attributes
    ----------
    issuer
        Its address, exactly as it names itself; what else is needed it says below
        `/.well-known/openid-configuration`.
    client_id, client_secret
        By which it knows this service. The secret is best given as `ICEFLOE_OIDC__NAME__CLIENT_SECRET`, since
        `icefloe.toml` is kept in git.
    client_authentication
        How the secret is sent: `client_secret_basic`, or `client_secret_post` for providers that take no
        other.
    title
        What the button on the sign-in page says; by default the name of the table.
    scope, groups_claim
        What is asked for, and the claim that lists a person's groups.
    roles
        Group -> role; a person has the highest of them. Whoever is in none is refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str
    client_id: str
    client_secret: SecretStr | None = None
    client_authentication: Literal["client_secret_basic", "client_secret_post"] = "client_secret_basic"
    title: str = ""
    scope: str = "openid profile"
    groups_claim: str = "groups"
    roles: dict[str, str]

    @field_validator("issuer")
    @classmethod
    def _issuer_is_proved(cls, issuer: str) -> str:
        """Over plain http anybody on the way could say who people are."""
        if not is_private(issuer):
            raise ValueError(f"{issuer}: not an https address")
        return issuer


def is_private(address: str) -> bool:
    """Whether nobody on the way can read or change what is sent there: TLS, or this machine itself."""
    parts = urlsplit(address)
    is_here = parts.hostname in ("localhost", "127.0.0.1", "::1")
    return parts.scheme == "https" or (parts.scheme == "http" and is_here)


class MemberShare(BaseModel):
    """What each member is given on a Ray cluster, whose workers may come only when a job asks for them.

    Attributes
    ----------
    cpus
        CPUs, and threads, which are part of what makes a result repeatable.
    gpu
        Whether it trains on a GPU, or on the part of one that it needs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cpus: int = Field(4, ge=1)
    gpu: bool = False


ProviderName = Annotated[str, Field(pattern="^[a-z0-9-]{1,40}$")]


class Settings(BaseSettings):
    """Settings of a workspace, or of a step without one; `ICEFLOE_IMAGE=...` and the like override the files.

    Attributes
    ----------
    folder
        The workspace's folder; None: a step of the profile `cluster`, which has none.
    profile
        `local`: what is not set is in the workspace's folder. `cluster`: steps run on other machines, so
        nothing may be, and a setting that would is an error.
    data_repo
        `cluster`: URL of the git repository that steps clone the workspace from; its DVC remote has the data.
    tracking_uri, artifact_uri
        MLflow's tracking store and where new experiments put their artifacts. In the profile `cluster`
        `MLFLOW_TRACKING_URI` is the default, and a server chooses where artifacts go.
    registered_model, experiment
        MLflow's names of this study's versions EA-Tn, which other families' names follow, and of its runs.
    database_url
        Database of the labelling queue: `postgresql+psycopg://USER:PASSWORD@HOST:PORT/DATABASE`, or
        `sqlite:///FILE` with a path from the workspace; None: the SQLite file `queue_path`. Never shown, as
        it may hold a password.
    queue_path
        `local`: SQLite file that is the database where `database_url` names none.
    checkpoints
        Where training checkpoints are: a folder, on a disk that every training worker sees, or
        `s3://bucket/prefix`.
    ray_address
        Ray cluster to train on: `http://HOST:8265` of its dashboard, which asks for `RAY_AUTH_TOKEN`; empty:
        Ray is started for the run.
    ray_member
        What each member is given on a cluster whose dashboard `ray_address` names.
    worker_niceness
        By how much the workers of a Ray started here are nicer than the command that starts it, 0 to 19. With
        0 training takes part in the machine as any program does, and `nice` works as it does for any.
    image
        Container image that compiled pipelines run in.
    pipelines_host, pipelines_namespace, pipelines_ui
        Kubeflow Pipelines: address of its API, namespace of its runs, and address of its pages if that is
        another.
    pipelines_token
        What the API knows the caller by; None: the token that Kubernetes gives a pod for it, where there is
        one. From `ICEFLOE_PIPELINES_TOKEN_FILE` rather than a file in git.
    pods
        What the pods of steps need on this cluster.
    weights_dir
        Mirror of pre-trained encoder weights, a folder or `s3://bucket/prefix`; empty: the zoo's hub.
    oidc
        Identity providers at which people sign in to the service, by names of their own.

    Raises
    ------
    IcefloeError
        If the profile is `local` without a workspace, or `cluster` with a setting that leads to a local
        folder, or with a secret in a file of settings.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid")

    folder: Path | None = Field(None, validation_alias="workspace")
    profile: Literal["local", "cluster"] = "local"
    data_repo: str = ""
    tracking_uri: str = ""
    artifact_uri: str | None = None
    registered_model: str = "icefloe-ea"
    experiment: str = "icefloe"
    database_url: SecretStr | None = None
    queue_path: Path = Path(".icefloe/queue.db")
    checkpoints: Path | str = ""
    ray_address: str | None = None
    ray_member: MemberShare = MemberShare()
    worker_niceness: int = Field(0, ge=0, le=19)
    image: str = "icefloe:latest"
    pipelines_host: str = ""
    pipelines_namespace: str = "kubeflow"
    pipelines_ui: str = ""
    pipelines_token: SecretStr | None = None
    pods: Pods = Pods()
    weights_dir: Path | str | None = None
    oidc: dict[ProviderName, IdentityProvider] = {}

    def model_post_init(self, _context: object) -> None:
        if self.profile == "cluster":
            self._complete_for_a_cluster()
        elif self.folder is None:
            raise _no_workspace(Path())
        else:
            self._complete_from_the_workspace(self.folder)

    @property
    def workspace(self) -> Path:
        """The folder that holds `icefloe.toml`, `params.yaml`, `data/` and `data.dvc`.

        Raises
        ------
        IcefloeError
            If there is none, as in a step of the profile `cluster`.
        """
        if self.folder is None:
            raise IcefloeError(
                "There is no workspace here, as the profile cluster needs none, but this needs one. "
                "Run it in a workspace's folder, or name that in ICEFLOE_WORKSPACE."
            )
        return self.folder

    @property
    def data(self) -> Path:
        """The workspace's datasets."""
        return self.workspace / "data"

    @property
    def state(self) -> Path:
        """Folder of a local workspace for runs, checkpoints and databases."""
        return self.workspace / ".icefloe"

    def _complete_from_the_workspace(self, folder: Path) -> None:
        self.queue_path = folder / self.queue_path  # joining an absolute path keeps it as it is
        self.checkpoints = _place(self.checkpoints or ".icefloe/checkpoints", folder)
        if self.weights_dir is not None:
            self.weights_dir = _place(self.weights_dir, folder)
        self.tracking_uri = self.tracking_uri or sqlite_uri(self.state / "mlflow.db")
        self.artifact_uri = self.artifact_uri or (self.state / "mlartifacts").as_uri()

    def _complete_for_a_cluster(self) -> None:
        """Refuse what would be a folder of whichever machine a step runs on, and secrets in files."""
        for path in (mounted_file(), self.folder and self.folder / SETTINGS_FILE):
            if path is not None and path.is_file():
                refuse_secrets(path)
        self.tracking_uri = self.tracking_uri or os.environ.get("MLFLOW_TRACKING_URI", "")
        needed = ["data_repo", "tracking_uri", "checkpoints"]
        if self.tracking_uri and not self.tracking_uri.startswith("http"):  # no server, which would choose
            needed.append("artifact_uri")
        if missing := [name for name in needed if not getattr(self, name)]:
            raise IcefloeError(
                f"{', '.join(missing)}: not set, and the profile cluster falls back on no local folder. "
                f"Set it in {', '.join(PREFIX + name.upper() for name in missing)}, in the file that "
                f"{MOUNTED_VARIABLE} names, or in {SETTINGS_FILE}."
            )
        self.checkpoints = _shared_place("checkpoints", self.checkpoints)
        if self.weights_dir is not None:
            self.weights_dir = _shared_place("weights_dir", self.weights_dir)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The workspace as found; then the environment, the file that it names, and the workspace's own."""
        sources: list[PydanticBaseSettingsSource] = [init_settings, Environment(settings_cls)]
        workspace = init_settings()["workspace"]
        for path in (mounted_file(), workspace and workspace / SETTINGS_FILE):
            if path is not None:
                sources.append(toml_source(settings_cls, path))
        return tuple(sources)


def _place(place: Path | str, folder: Path) -> Path | str:
    """A place on S3 as it is, and a path from the folder."""
    return str(place) if is_on_s3(place) else folder / place


def _shared_place(name: str, place: Path | str) -> Path | str:
    """A place that every machine of a cluster can reach."""
    if not is_on_s3(place) and not Path(place).is_absolute():
        raise IcefloeError(
            f"{name}: {place}: the profile cluster has no local folder to find that in. "
            f"Name {S3}bucket/prefix, or the whole path of a folder that every machine sees."
        )
    return _place(place, Path())


def sqlite_uri(path: Path) -> str:
    """The URI of a SQLite file, whatever characters its path has, as SQLAlchemy and MLflow read it."""
    text = str(path).replace("%", "%25").replace("?", "%3F")
    # Where it reads "sqlite:", MLflow makes the folder of the text as it stands, run%3F2 beside run?2.
    return ("sqlite" if text == str(path) else "sqlite+pysqlite") + f":///{text}"


def find_workspace(start: Path) -> Path:
    """The nearest folder at or above `start` that holds `icefloe.toml`.

    Raises
    ------
    IcefloeError
        If there is none.
    """
    folder = _nearest_workspace(start)
    if folder is None:
        raise _no_workspace(start)
    return folder


def load_settings(workspace: Path | None = None) -> Settings:
    """Settings of `workspace`, or of the one that `ICEFLOE_WORKSPACE` or the current folder is in.

    Raises
    ------
    IcefloeError
        If there is no workspace, but for a step of the profile `cluster`, which needs none; or a setting is
        unknown, has a value of the wrong kind, or leads where the profile has nothing.
    """
    named = workspace or os.environ.get("ICEFLOE_WORKSPACE")
    folder = find_workspace(Path(named)) if named else _nearest_workspace(Path())
    try:
        return Settings(workspace=folder)
    except ValidationError as error:
        entry = error.errors()[0]["loc"]
        place, part = place_of(entry, folder and folder / SETTINGS_FILE)
        if error.errors()[0]["type"] == "extra_forbidden":
            name = ".".join(str(step) for step in entry)
            known = ", ".join(entry for entry in Settings.model_fields if entry != "folder")
            raise IcefloeError(
                f"{place}: {name}: no such setting. Remove that {part}; there are: {known}."
            ) from error
        raise IcefloeError(f"{place}: {first_problem(error)}. Fix that {part}.") from error
    except SettingsError as error:  # a table in a variable is JSON
        raise IcefloeError(f"{PREFIX}...: {error}. Fix that variable.") from error


def _nearest_workspace(start: Path) -> Path | None:
    folders = (start.resolve(), *start.resolve().parents)
    return next((folder for folder in folders if (folder / SETTINGS_FILE).is_file()), None)


def _no_workspace(start: Path) -> IcefloeError:
    return IcefloeError(
        f"{start.resolve()}: no {SETTINGS_FILE} here or above. "
        "Make a workspace with `icefloe init DIR` and work inside it."
    )
