"""Download of a version's files from the artifact store, with every hash checked."""

import shutil
import tempfile
from pathlib import Path

from mlflow.entities.model_registry import ModelVersion

from icefloe.errors import IcefloeError
from icefloe.files import atomic_directory, sha256_file
from icefloe.registry.admission import file_hashes
from icefloe.registry.documents import read_hashes
from icefloe.registry.package import FILES_FOLDER
from icefloe.registry.registration import MODEL_FOLDER
from icefloe.registry.store import VersionStore


def download(store: VersionStore, version: ModelVersion, destination: Path) -> Path:
    """See `Registry.download`."""
    name, files = store.name_of(version), read_hashes(store, version)
    if destination.is_dir() and file_hashes(destination) == files:
        return destination
    try:
        with atomic_directory(destination) as beside, tempfile.TemporaryDirectory() as scratch:
            source = store.download(version, f"{MODEL_FOLDER}/{FILES_FOLDER}", Path(scratch))
            for file, digest in files.items():
                path = source / file
                if not path.is_file() or sha256_file(path) != digest:
                    raise IcefloeError(
                        f"{name}/{file}: the file in the artifact store is missing or damaged. "
                        "Restore the store from its backup, or use another version."
                    )
                (beside / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.move(path, beside / file)
    except FileExistsError as error:
        raise IcefloeError(
            f"{destination}: the folder exists and does not hold {name}. Remove it, or name another folder."
        ) from error
    return destination
