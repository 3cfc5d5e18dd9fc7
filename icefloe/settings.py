"""Settings: paths, stores and addresses, from the environment and then the workspace's `icefloe.toml`."""

import os
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from icefloe.errors import IcefloeError
from icefloe.scratch import WORKSPACE_FILE
from icefloe.validation import first_problem

SETTINGS_FILE = WORKSPACE_FILE


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


ProviderName = Annotated[str, Field(pattern="^[a-z0-9-]{1,40}$")]


class Settings(BaseSettings):
    """One workspace's settings; `ICEFLOE_TRACKING_URI=...` and the like override `icefloe.toml`.

    Attributes
    ----------
    workspace
        The folder that holds `icefloe.toml`, `params.yaml`, `data/` and `data.dvc`.
    tracking_uri, artifact_uri
        MLflow's tracking store and where new experiments put their artifacts.
    registered_model, experiment
        MLflow's names of this study's versions EA-Tn, which other families' names follow, and of its runs.
    database_url
        Database of the labelling queue: `postgresql+psycopg://USER:PASSWORD@HOST:PORT/DATABASE`, or
        `sqlite:///FILE` with a path from the workspace; None: the SQLite file `queue_path`. Never shown, as
        it may hold a password.
    queue_path
        SQLite file that is the database where `database_url` names none.
    checkpoints
        Directory of training checkpoints, on a disk that every training worker sees.
    ray_address
        Ray cluster to train on; empty: Ray is started for the run.
    worker_niceness
        By how much the workers of a Ray started here are nicer than the command that starts it, 0 to 19. With
        0 training takes part in the machine as any program does, and `nice` works as it does for any.
    image
        Container image that compiled pipelines run in.
    weights_dir
        Mirror of pre-trained encoder weights, a folder or `s3://bucket/prefix`; empty: the zoo's hub.
    oidc
        Identity providers at which people sign in to the service, by names of their own.
    """

    model_config = SettingsConfigDict(env_prefix="ICEFLOE_", env_nested_delimiter="__", extra="forbid")

    workspace: Path
    tracking_uri: str = ""
    artifact_uri: str = ""
    registered_model: str = "icefloe-ea"
    experiment: str = "icefloe"
    database_url: SecretStr | None = None
    queue_path: Path = Path(".icefloe/queue.db")
    checkpoints: Path = Path(".icefloe/checkpoints")
    ray_address: str | None = None
    worker_niceness: int = Field(0, ge=0, le=19)
    image: str = "icefloe:latest"
    weights_dir: Path | str | None = None
    oidc: dict[ProviderName, IdentityProvider] = {}

    def model_post_init(self, _context: object) -> None:
        state = self.workspace / ".icefloe"
        self.queue_path = self.workspace / self.queue_path  # joining an absolute path keeps it as it is
        self.checkpoints = self.workspace / self.checkpoints
        if self.weights_dir is not None and not str(self.weights_dir).startswith("s3://"):
            self.weights_dir = self.workspace / self.weights_dir
        self.tracking_uri = self.tracking_uri or sqlite_uri(state / "mlflow.db")
        self.artifact_uri = self.artifact_uri or (state / "mlartifacts").as_uri()

    @property
    def data(self) -> Path:
        """The workspace's datasets."""
        return self.workspace / "data"

    @property
    def state(self) -> Path:
        """Folder of a local workspace for runs, checkpoints and databases."""
        return self.workspace / ".icefloe"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The workspace as found; then the environment before the workspace's own file."""
        workspace = init_settings()["workspace"]
        toml = TomlConfigSettingsSource(settings_cls, toml_file=workspace / SETTINGS_FILE)
        return init_settings, env_settings, toml


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
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / SETTINGS_FILE).is_file():
            return folder
    raise IcefloeError(
        f"{start.resolve()}: no {SETTINGS_FILE} here or above. "
        "Make a workspace with `icefloe init DIR` and work inside it."
    )


def load_settings(workspace: Path | None = None) -> Settings:
    """Settings of `workspace`, or of the one that `ICEFLOE_WORKSPACE` or the current folder is in.

    Raises
    ------
    IcefloeError
        If there is no workspace, or a setting is unknown or has a value of the wrong kind.
    """

    start = workspace or Path(os.environ.get("ICEFLOE_WORKSPACE", "."))
    folder = find_workspace(start)
    try:
        return Settings(workspace=folder)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known = ", ".join(entry for entry in Settings.model_fields if entry != "workspace")
            raise IcefloeError(
                f"{folder / SETTINGS_FILE}: {name}: no such setting. Remove that line; there are: {known}."
            ) from error
        raise IcefloeError(f"{folder / SETTINGS_FILE}: {first_problem(error)}. Fix that line.") from error
    except ValueError as error:  # not TOML at all
        raise IcefloeError(f"{folder / SETTINGS_FILE}: {error}. Fix the file.") from error
