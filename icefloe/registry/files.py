"""Files of one MLflow run by path, in any artifact store."""

import tempfile
from pathlib import Path

from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from icefloe.registry.paths import artifact_path, plain_path


class MissingFileError(Exception):
    """The artifact store does not have a file; the message is the store's own, in one line."""


class RunFiles:
    """Small documents of a run: each is written whole, replacing what was at its path.

    Parameters
    ----------
    client
        Client of the tracking store.
    run_id
        Id of the MLflow run that has the files.
    """

    def __init__(self, client: MlflowClient, run_id: str) -> None:
        self._client, self._run_id = client, run_id

    def write(self, path: str, content: bytes | str) -> None:
        """Write `content` to `path`."""
        folder, _, name = artifact_path(path).rpartition("/")
        with tempfile.TemporaryDirectory() as scratch:
            local = Path(scratch) / name
            local.write_bytes(content.encode() if isinstance(content, str) else content)
            self._client.log_artifact(self._run_id, str(local), folder or None)

    def read(self, path: str) -> bytes:
        """The content of `path`.

        Raises
        ------
        MissingFileError
            If the store does not have it.
        """
        with tempfile.TemporaryDirectory() as scratch:
            return self.download(path, Path(scratch)).read_bytes()

    def download(self, path: str, folder: Path) -> Path:
        """Copy a file or a folder of the run into a local `folder`.

        Raises
        ------
        MissingFileError
            If the store does not have it.
        """
        try:
            return Path(self._client.download_artifacts(self._run_id, artifact_path(path), str(folder)))
        except (MlflowException, OSError) as error:
            raise MissingFileError(" ".join(str(error).split())) from error

    def read_folder(self, folder: str) -> dict[str, bytes]:
        """Name -> content of every file in `folder`, fetched together; none where there is no such folder.

        Raises
        ------
        MissingFileError
            If the store does not have them.
        """
        if not self.names(folder):
            return {}
        with tempfile.TemporaryDirectory() as scratch:
            local = self.download(folder, Path(scratch))
            return {
                plain_path(path.name): path.read_bytes() for path in sorted(local.iterdir()) if path.is_file()
            }

    def names(self, folder: str) -> list[str]:
        """Paths of the files in `folder`, sorted; empty if there is no such folder."""
        kept = self._client.list_artifacts(self._run_id, artifact_path(folder))
        return sorted(plain_path(entry.path) for entry in kept)
