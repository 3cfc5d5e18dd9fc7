"""Which queue item an image is that another tool names in its own way."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

from icefloe.active.exchange.sources import relative_name, shown
from icefloe.active.items import Item
from icefloe.datasets.import_files import IMAGE_FOLDERS, LABEL_FOLDERS
from icefloe.errors import IcefloeError
from icefloe.names import composed

# Folders that tools put images in, whatever dataset they are of.
_FOLDERS_OF_TOOLS = {
    *IMAGE_FOLDERS,
    *LABEL_FOLDERS,
    "data",
    "default",
    "test",
    "train",
    "upload",
    "val",
    "valid",
}
# Label Studio puts eight hex digits before the name of an image that is uploaded by hand.
_UPLOAD_PREFIX = re.compile(r"^[0-9a-f]{8}-")
# What it, by Django's `get_valid_filename`, takes out of such a name.
_NOT_IN_UPLOADS = re.compile(r"[^-\w.]")
_UPLOADS = "data/upload/"
MOST_NAMED = 3


class Known:
    """The queue's items by the names that other tools know them by.

    Where rounds queued one image more than once, the last one counts. A name is compared composed (Unicode
    NFC): macOS writes it decomposed.

    Parameters
    ----------
    items
        Items of the queue, oldest first.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self._by_key = {composed(item.key): item for item in items}
        self._by_round = {(composed(item.key), item.round): item for item in items}
        self._by_stem: dict[str, set[str]] = {}
        self._by_upload: dict[str, set[str]] = {}
        for key, item in self._by_key.items():
            stem = composed(item.stem)
            self._by_stem.setdefault(stem, set()).add(key)
            self._by_upload.setdefault(_as_uploaded(stem), set()).add(key)

    def by_key(self, dataset: object, stem: object, where: str, round: object = None) -> Item:
        """The item of an image that a file names by dataset and stem, and perhaps by its round.

        Raises
        ------
        IcefloeError
            If the image is not in the queue.
        """
        key = composed(f"{dataset}/{stem}")
        if key not in self._by_key:
            raise IcefloeError(
                f"{where}: {shown(key)} is not in the queue. Import labels of exported images only."
            )
        return self._by_key[key] if round is None else self._of_round(key, round, where)

    def by_file(self, name: str, where: str, folder: str = "") -> Item:
        """The item of an image or label file, such as `D3/stack_7.png`.

        Parameters
        ----------
        name
            Path with either slash; tools that drop or add folders leave `stack_7.png` or
            `images/stack_7.png`, those that images are uploaded to `images/1a2b3c4d-stack_7.png`.
        where
            The file that a message names.
        folder
            Name of the folder that a bare file stands in, which may be that of a dataset.

        Raises
        ------
        IcefloeError
            If the name leads out of its folder, or the image is not in the queue or could be several.
        """
        path = relative_name(name, where)
        keys = self._keys(path, folder)
        if not keys:
            name = f"{path.parts[-2]}/{path.stem}" if len(path.parts) > 1 else path.stem
            raise IcefloeError(
                f"{where}: {shown(name)} is not in the queue. Import labels of exported images only."
            )
        if len(keys) > 1:
            named = " or ".join(sorted(keys)[:MOST_NAMED])
            raise IcefloeError(f"{where}: {shown(path.name)} could be {named}. Name the dataset.")
        return self._by_key[next(iter(keys))]

    def _of_round(self, key: str, round: object, where: str) -> Item:
        item = self._by_round.get((key, str(round)))
        if item is None:
            raise IcefloeError(
                f"{where}: {shown(key)} was not queued in the round {shown(round)}. "
                "Import labels of exported images only."
            )
        return item

    def has_file(self, name: str) -> bool:
        """Whether an image of that name, as in `by_file`, is in the queue."""
        return bool(self._keys(PurePosixPath(name.replace("\\", "/")), ""))

    def by_address(self, address: str, where: str) -> Item:
        """The item of an image at an address, such as Label Studio's `/data/upload/1/1a2b3c4d-stack_7.png`.

        Raises
        ------
        IcefloeError
            If no image of that name is in the queue, or several are.
        """
        path = _path_of(address)
        if not self.has_file(path):
            raise IcefloeError(
                f"{where}: the image {path[-120:]!r} is not in the queue by that name. "
                "Keep the exported names, or give Label Studio the exported `tasks.json`."
            )
        return self.by_file(path, where)

    def _keys(self, path: PurePosixPath, folder: str) -> set[str]:
        """Keys of the images that the file may be of."""
        parent = path.parts[-2] if len(path.parts) > 1 else folder
        key = composed(f"{parent}/{path.stem}")
        if key in self._by_key:
            return {key}
        if len(path.parts) > 1 and parent.lower() not in _FOLDERS_OF_TOOLS:
            return set()
        stem = composed(path.stem)
        bare = _UPLOAD_PREFIX.sub("", stem)
        uploaded = self._by_upload.get(bare, set()) if bare != stem else set()
        return self._by_stem.get(stem) or self._by_stem.get(bare) or uploaded


def _path_of(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:  # no address at all
        return address
    path = unquote(parse_qs(parts.query).get("d", [parts.path])[0]).lstrip("/")
    return path.rpartition("/")[-1] if path.startswith(_UPLOADS) else path


def _as_uploaded(stem: str) -> str:
    return _NOT_IN_UPLOADS.sub("", stem.strip().replace(" ", "_"))
