"""The data versions that a workspace's git knows, without DVC, which takes seconds to import."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from icefloe.datasets.git import git

POINTER = "data.dvc"
_FORM = "%H%x00%ct%x00%an%x00%s"


class LoggedVersion(BaseModel):
    """A data version: git commit, time (s since the epoch), who committed it, and what changed."""

    model_config = ConfigDict(frozen=True)

    rev: str
    time: float
    author: str
    message: str


def version_log(workspace: Path, limit: int = 50) -> list[LoggedVersion]:
    """The latest data versions, newest first; none where none was made.

    Parameters
    ----------
    workspace
        Folder with git and `data.dvc`.
    limit
        Largest number of versions.

    Raises
    ------
    IcefloeError
        If git fails.
    """
    if not (workspace / POINTER).is_file():
        return []
    lines = git(workspace, "log", f"-{limit}", f"--format={_FORM}", "--", POINTER).splitlines()
    fields = (line.split("\0") for line in lines)
    return [
        LoggedVersion(rev=rev, time=float(time), author=author, message=message)
        for rev, time, author, message in fields
    ]
