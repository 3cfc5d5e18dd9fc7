"""Where settings come from: variables, files with a secret that variables name, and TOML files."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic_settings import BaseSettings, EnvSettingsSource, TomlConfigSettingsSource

from icefloe.errors import IcefloeError

PREFIX = "ICEFLOE_"
MOUNTED_VARIABLE = "ICEFLOE_SETTINGS_FILE"
"""Names a TOML file of settings that is no workspace's, such as one that is mounted into a pod."""

_SECRETS = ("database_url", "client_secret", "pipelines_token")
_FILE = "_file"


class Environment(EnvSettingsSource):
    """`ICEFLOE_IMAGE=...` and the like; a secret may be in a file that `ICEFLOE_DATABASE_URL_FILE=...` names.

    Raises
    ------
    IcefloeError
        If such a file can't be read, or the secret is given in both ways.
    """

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls)
        self.env_vars = _with_secrets(self.env_vars)


def mounted_file() -> Path | None:
    """The file that `ICEFLOE_SETTINGS_FILE` names; None: none is named.

    Raises
    ------
    IcefloeError
        If it is not there.
    """
    name = os.environ.get(MOUNTED_VARIABLE)
    if not name:
        return None
    if not Path(name).is_file():
        raise IcefloeError(f"{MOUNTED_VARIABLE}: {name}: no such file. Mount it there, or unset that.")
    return Path(name)


def toml_source(settings_cls: type[BaseSettings], path: Path) -> TomlConfigSettingsSource:
    """The settings in a TOML file; none where it is missing.

    Raises
    ------
    IcefloeError
        If it is not TOML.
    """
    try:
        return TomlConfigSettingsSource(settings_cls, toml_file=path)
    except ValueError as error:
        raise IcefloeError(f"{path}: {error}. Fix the file.") from error


def refuse_secrets(path: Path) -> None:
    """Refuse a file of settings with a secret in it: others read such files, and git keeps them for good.

    Raises
    ------
    IcefloeError
        If a setting is a secret, or a URL with a password; names it, not its value.
    """
    for entry, value in _entries(tomllib.loads(path.read_text(encoding="utf-8"))):
        is_secret = entry[-1] in _SECRETS and "://" not in value
        if is_secret or urlsplit(value).password is not None:
            variable = PREFIX + "__".join(entry).upper()
            file = f", or name its file in {variable}{_FILE.upper()}" if entry[-1] in _SECRETS else ""
            raise IcefloeError(
                f"{path}: {'.'.join(entry)}: a secret does not belong into this file, which others read. "
                f"Set {variable} from a secret of the cluster{file}."
            )


def place_of(entry: tuple[int | str, ...], workspace_file: Path | None) -> tuple[str, str]:
    """Where a setting was given, as messages name it: a variable or a file; and the part of it to fix."""
    variable = PREFIX + "__".join(str(part) for part in entry).upper()
    for given in (variable, variable + _FILE.upper(), PREFIX + str(entry[0]).upper()):
        if given in os.environ:
            return given, "variable"
    mounted = mounted_file()
    if mounted is not None and entry[0] in tomllib.loads(mounted.read_text(encoding="utf-8")):
        return str(mounted), "line"
    return str(workspace_file or mounted or PREFIX + str(entry[0]).upper()), "line"


def _entries(table: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text in a table and the tables below, by its keys."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _entries(value, (*above, key))
        elif isinstance(value, str):
            yield (*above, key), value


def _with_secrets(variables: Mapping[str, str | None]) -> dict[str, str | None]:
    """Variables, by names in lower case, with secrets in the place of the files that hold them."""
    named = {
        name: value
        for name, value in variables.items()
        if name.startswith(PREFIX.lower()) and name.endswith(tuple(secret + _FILE for secret in _SECRETS))
    }
    found = {name: value for name, value in variables.items() if name not in named}
    for name, path in named.items():
        secret = name.removesuffix(_FILE)
        if secret in found:
            raise IcefloeError(f"{secret.upper()}: also set as {name.upper()}. Unset one of the two.")
        try:
            found[secret] = Path(path or "").read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not text"
            raise IcefloeError(
                f"{name.upper()}: {path}: can't be read ({reason}). Mount the secret there, or name its file."
            ) from error
    return found
