"""What a person names to import labels from: a file, a folder or a ZIP. Nothing in it is trusted."""

import stat
import time
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from icefloe.datasets.readers import ARCHIVES
from icefloe.errors import IcefloeError
from icefloe.files import is_litter

MAX_FILES = 100_000
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")


@dataclass(frozen=True)
class SourceFile:
    """A file in what was named; `path` is the file itself, or the ZIP that holds it.

    Attributes
    ----------
    name
        Path within the source, with forward slashes.
    path
        Where the bytes are.
    entry
        The entry of the ZIP at `path`; None for a file on the disk.
    """

    name: PurePosixPath
    path: Path
    entry: zipfile.ZipInfo | None = None

    @property
    def where(self) -> str:
        """What messages call it."""
        return shown(str(self.path) if self.entry is None else f"{self.path}: {self.name}", 400)

    @property
    def suffix(self) -> str:
        """The ending of the name in lower case, such as `.json`."""
        return self.name.suffix.lower()

    @property
    def time(self) -> float:
        """When it was last written, in s since the epoch; now, if the file says later."""
        # A ZIP says it in the writer's local time, and names no zone.
        entry = self.entry
        told = self.path.stat().st_mtime if entry is None else time.mktime((*entry.date_time, 0, 0, -1))
        return min(told, time.time())

    def read(self, limit: int) -> bytes:
        """The content.

        Parameters
        ----------
        limit
            Size in bytes, unpacked, beyond which nothing is read.

        Raises
        ------
        IcefloeError
            If it is larger, damaged or can't be read.
        """
        try:
            size = self.path.stat().st_size if self.entry is None else self.entry.file_size
            if size > limit:
                raise IcefloeError(
                    f"{self.where}: {size / 2**20:.0f} MiB, more than the {limit >> 20} allowed. "
                    "Export the labels in parts."
                )
            if self.entry is None:
                return self.path.read_bytes()
            # Never more than the size that was checked, whatever the packed bytes would grow to.
            with zipfile.ZipFile(self.path) as archive, archive.open(self.entry) as packed:
                return packed.read(size)
        except OSError as error:
            raise IcefloeError(f"{self.where}: {error.strerror or error}. Check the file.") from error
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error, EOFError) as error:
            reason = " ".join(str(error).split())
            raise IcefloeError(
                f"{self.where}: can't be unpacked ({reason}). Unpack it, and name the folder."
            ) from error


@dataclass(frozen=True)
class Source:
    """The files that a person handed over, without those that systems leave beside them.

    Attributes
    ----------
    name
        The path that was named, for messages.
    folder
        Name of the folder that its topmost files stand in: that of a dataset, perhaps.
    files
        Files without the litter of operating systems, in order of their names.
    """

    name: str
    folder: str
    files: tuple[SourceFile, ...]

    def of_kind(self, *suffixes: str) -> list[SourceFile]:
        """The files with one of these endings, such as `.json`."""
        return [file for file in self.files if file.suffix in suffixes]

    def only_json(self) -> SourceFile:
        """The file named, or the one JSON file among others; `annotations.json` counts before others.

        Raises
        ------
        IcefloeError
            If there is none, or more than one.
        """
        if len(self.files) == 1:
            return self.files[0]
        found = self.of_kind(".json")
        named = [file for file in found if file.name.name.lower() == "annotations.json"]
        if len(chosen := named or found) == 1:
            return chosen[0]
        names = ": " + ", ".join(shown(file.name) for file in chosen[:3]) if chosen else ""
        raise IcefloeError(
            f"{self.name}: {len(chosen) or 'no'} JSON files in it{names}. "
            "Name the file that the tool exported."
        )


def open_source(path: Path) -> Source:
    """The files in a folder or ZIP, or the one file.

    Raises
    ------
    IcefloeError
        If there is nothing of that name, or a ZIP is damaged, locked, too large, or leads out of its folder.
    """
    try:
        if path.is_dir():
            return Source(str(path), path.resolve().name, _in_folder(path))
        if not path.is_file():
            raise IcefloeError(f"{path}: no such file or folder. Name what the tool exported.")
        with path.open("rb") as file:
            is_zip = file.read(4) in _ZIP_STARTS
    except OSError as error:
        raise IcefloeError(f"{path}: {error.strerror or error}. Name what the tool exported.") from error
    if not is_zip and path.suffix.lower() in ARCHIVES:
        raise IcefloeError(f"{path}: an archive other than ZIP. Unpack it, and name the folder.")
    if is_zip:
        return Source(str(path), path.stem, _in_zip(path))
    return Source(str(path), path.resolve().parent.name, (SourceFile(PurePosixPath(path.name), path),))


def _in_folder(folder: Path) -> tuple[SourceFile, ...]:
    found = []
    for path in sorted(folder.rglob("*")):
        name = PurePosixPath(path.relative_to(folder).as_posix())
        if not _is_litter(name) and path.is_file():
            found.append(SourceFile(name, path))
    return tuple(found)


def _in_zip(path: Path) -> tuple[SourceFile, ...]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise IcefloeError(f"{path}: the ZIP is damaged ({reason}). Export or pack it again.") from error
    if len(entries) > MAX_FILES:
        raise IcefloeError(
            f"{path}: {len(entries)} files, more than the {MAX_FILES} allowed. Export in parts."
        )
    files: dict[PurePosixPath, SourceFile] = {}
    for entry in entries:
        name = relative_name(entry.filename, str(path))
        if entry.is_dir() or entry.filename.endswith("\\") or _is_litter(name):
            continue
        _check_entry(path, name, entry)
        if name in files:
            raise IcefloeError(f"{path}: {str(name)[:80]!r} is in it twice. Pack it again.")
        files[name] = SourceFile(name, path, entry)
    return tuple(files[name] for name in sorted(files))


def _check_entry(path: Path, name: PurePosixPath, entry: zipfile.ZipInfo) -> None:
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise IcefloeError(f"{path}: {str(name)[:80]!r} is a link, not a file. Pack the file itself.")
    if entry.flag_bits & 0x1:
        raise IcefloeError(f"{path}: {str(name)[:80]!r} is locked with a password. Pack it without one.")


def relative_name(name: str, where: str) -> PurePosixPath:
    """A file name from outside as a relative path, with either slash, that stays in its folder.

    Raises
    ------
    IcefloeError
        If it is absolute, empty or leads out of its folder; `where` is the file that names it.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    leads_out = path.is_absolute() or PureWindowsPath(name).is_absolute() or ".." in path.parts
    if leads_out or not path.name or "\0" in name:
        raise IcefloeError(
            f"{where}: file name {name[:80]!r} is not a safe name, it leads to another folder. "
            "Export with names relative to the images' folder."
        )
    return path


def shown(text: object, most: int = 120) -> str:
    """Text from outside for a message: one line of printable characters, no longer than `most`."""
    plain = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in str(text)
    )
    return plain if len(plain) <= most else f"{plain[: most - 3]}..."


def _is_litter(name: PurePosixPath) -> bool:
    return any(is_litter(part) for part in name.parts)
