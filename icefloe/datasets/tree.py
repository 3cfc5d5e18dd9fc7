"""The files of `data/` that a version holds, and what in a folder can't be held."""

import os
import stat
from pathlib import Path

from icefloe.errors import IcefloeError
from icefloe.names import name_problem, same_to_some_systems, twin_error


def data_files(data: Path) -> dict[str, int]:
    """Every file of `data/` that a version holds: its path from there, and its size in bytes.

    Hidden files and folders are no data: macOS, editors and killed programs leave them.

    Raises
    ------
    IcefloeError
        If there is a link, which a version would not follow; a name that DVC or another system can't hold; or
        something that is neither file nor folder, or can't be read.
    """
    if data.is_symlink():
        raise IcefloeError(_not_held(data))
    files: dict[str, int] = {}
    _walk(data, "", files)
    return files


def _walk(folder: Path, prefix: str, files: dict[str, int]) -> None:
    seen: dict[str, str] = {}
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except PermissionError as error:
        raise IcefloeError(f"{folder}: can't be read. Give yourself the right to read it.") from error
    for entry in entries:
        if entry.name.startswith("."):
            continue
        path = folder / entry.name
        is_folder = entry.is_dir(follow_symlinks=False)
        if problem := name_problem(entry.name if is_folder else Path(entry.name).stem):
            raise IcefloeError(f"{ascii(str(path))[1:-1]}: {problem}. Rename it.")
        twin = seen.setdefault(same_to_some_systems(entry.name), entry.name)
        if twin != entry.name:
            raise twin_error(path, twin)
        mode = entry.stat(follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode):
            raise IcefloeError(_not_held(path))
        if is_folder:
            _walk(path, f"{prefix}{entry.name}/", files)
        elif stat.S_ISREG(mode):
            files[prefix + entry.name] = entry.stat(follow_symlinks=False).st_size
        else:
            raise IcefloeError(f"{path}: neither a file nor a folder. Move it away.")


def _not_held(link: Path) -> str:
    return (
        f"{link}: this is a link to {link.readlink()}, and a data version holds files, not links. "
        f"Put the files themselves there (cp -rL), or mount that disk at {link.parent}."
    )
