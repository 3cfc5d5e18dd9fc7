"""A workspace as a cluster's steps find it: a bare git repository, with the data in a DVC remote."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from icefloe.datasets.git import git, git_commit
from icefloe.datasets.versions import commit

_CONFIG = """[core]
    analytics = false
    check_update = false
    remote = store
['remote "store"']
    url = {url}
"""


def use_remote(workspace: Path, url: str) -> None:
    """Make `url` the DVC remote of a workspace, as `dvc remote add --default` does."""
    (workspace / ".dvc" / "config").write_text(_CONFIG.format(url=url))
    git_commit(workspace, "DVC remote", ".dvc/config")


def publish(workspace: Path, remote: str, folder: Path) -> str:
    """Commit the data with a DVC remote, and push to a new bare repository `folder`; its URL."""
    use_remote(workspace, remote)
    commit(workspace, "data")
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--bare", "--initial-branch", "main")
    url = folder.absolute().as_uri()
    git(workspace, "remote", "add", "origin", url)
    git(workspace, "push", "--quiet", "--set-upstream", "origin", "main")
    return url


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the bare repository at `folder` with git's own daemon, to be cloned and pushed to; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [
            *(f"{git(folder, '--exec-path')}/git-daemon", "--reuseaddr", "--export-all"),
            "--enable=receive-pack",
            *("--listen=127.0.0.1", f"--port={port}", f"--base-path={folder.parent}", str(folder.parent)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"git://127.0.0.1:{port}/{folder.name}"
    finally:
        process.terminate()
        process.wait()
