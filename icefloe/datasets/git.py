"""The few git commands that data versions need, as a user without a git identity can run them."""

import shutil
import subprocess
from pathlib import Path

from icefloe.errors import IcefloeError


def git(folder: Path, *arguments: str) -> str:
    """Run git in `folder` and return what it prints, without the last line end.

    Raises
    ------
    IcefloeError
        If git is not installed or fails.
    """
    completed = _run(folder, *arguments)
    if completed.returncode != 0:
        reason = " ".join((completed.stderr or completed.stdout).split())
        raise IcefloeError(f"{folder}: git {arguments[0]} failed ({reason[:200]}). Fix that and try again.")
    return completed.stdout.rstrip("\n")


def git_commit(folder: Path, message: str, *paths: str) -> bool:
    """Commit `paths` as they are, and nothing else that is staged; False if they are as committed already.

    Raises
    ------
    IcefloeError
        If git fails.
    """
    git(folder, "add", "--", *paths)
    if _run(folder, "rev-parse", "--verify", "--quiet", "HEAD").returncode == 0:
        changed = _run(folder, "diff", "--quiet", "HEAD", "--", *paths).returncode != 0
        if not changed:
            return False
    identity: tuple[str, ...] = ()
    if _run(folder, "config", "user.email").returncode != 0:
        identity = ("-c", "user.name=icefloe", "-c", "user.email=icefloe@localhost")
    git(folder, *identity, "commit", "--quiet", "--message", message, "--", *paths)
    return True


def code_revision() -> str:
    """Git commit of Icefloe's own code; empty where it was installed without its repository."""
    completed = _run(Path(__file__).parent, "rev-parse", "HEAD")
    return completed.stdout.strip() if completed.returncode == 0 else ""


def is_git_root(folder: Path) -> bool:
    """Whether `folder` is the top of a git repository."""
    completed = _run(folder, "rev-parse", "--show-toplevel")
    return completed.returncode == 0 and Path(completed.stdout.strip()).resolve() == folder.resolve()


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    executable = shutil.which("git")
    if executable is None:
        raise IcefloeError("git: not found. Install git; data versions are git commits.")
    return subprocess.run(
        [executable, *arguments], cwd=folder, capture_output=True, text=True, check=False, encoding="utf-8"
    )
