"""The few git commands that data versions need, as a user without a git identity can run them."""

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from icefloe.errors import IcefloeError
from icefloe.scratch import alone

RUNNING_FILE = Path(".icefloe/git-running")
"""Locked while a commit runs."""

REVISION_VARIABLE = "ICEFLOE_REVISION"
"""Set in images, which have no repository."""

_FIRST_DEEPENING = 16
"""Commits; with each step four times as many are fetched."""

_OVERTAKEN = ("[rejected]", "cannot lock ref", "failed to update ref")
"""Of a push: there is a newer commit, or somebody is pushing it at this moment."""

_OURS = ("GIT_", "DVC_")
_THEIRS = (
    "GIT_AUTHOR_",
    "GIT_COMMITTER_",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_EXEC_PATH",
    "GIT_SSH",
    "GIT_SSL",
    "GIT_ASKPASS",
    "GIT_TERMINAL_PROMPT",
    "DVC_SITE_CACHE_DIR",
    "DVC_GLOBAL_CONFIG_DIR",
    "DVC_SYSTEM_CONFIG_DIR",
    "DVC_NO_ANALYTICS",
)
"""What a user may say of people and of the machine. Anything else, such as GIT_DIR in a hook or DVC_ROOT in a
stage, is about another repository, and the repository here is the workspace's."""


def git(folder: Path, *arguments: str) -> str:
    """Run git in `folder` and return what it prints, without the last line end.

    Raises
    ------
    IcefloeError
        If git is not installed or fails; with git's own reason.
    """
    return _checked(_run(folder, *arguments), folder, arguments[0])


def git_commit(folder: Path, message: str, *paths: str) -> bool:
    """Commit `paths` as they are, and nothing else that is staged; False if they are as committed already.

    Raises
    ------
    IcefloeError
        If git fails.
    """
    with alone(folder / RUNNING_FILE) as (held, was_killed):  # git holds it, too
        if was_killed:
            _remove_locks(folder)
        _checked(_run(folder, "add", "--", *paths, held=held), folder, "add")
        if has_commit(folder) and not _run(folder, "diff", "--quiet", "HEAD", "--", *paths).returncode:
            return False
        command = (*_identity(folder), "commit", "--quiet", "--message", message, "--", *paths)
        _checked(_run(folder, *command, held=held), folder, "commit")
    return True


def has_commit(folder: Path) -> bool:
    """Whether the repository that `folder` is in has any commit.

    Raises
    ------
    IcefloeError
        If git can't use the repository.
    """
    completed = _run(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    if completed.returncode != 0 and completed.stderr.strip():  # quiet where HEAD is just not born
        git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    return completed.returncode == 0


def clone(url: str, folder: Path) -> None:
    """Clone a repository's main branch into a new folder: its last commit only, and nothing of the others.

    Raises
    ------
    IcefloeError
        If git fails, or the repository has no commit.
    """
    completed = _run(folder.parent, "clone", "--quiet", "--depth", "1", "--no-tags", "--", url, str(folder))
    if completed.returncode != 0:
        raise IcefloeError(f"{shown(url)}: {_reason('clone', completed, url)}. Fix that and try again.")
    if not has_commit(folder):
        raise IcefloeError(f"{shown(url)}: the repository is empty. Push a workspace to it.")


def follow_origin(folder: Path) -> None:
    """Take a clone to what its origin has by now; what only the clone had is gone.

    Raises
    ------
    IcefloeError
        If git fails.
    """
    git(folder, "fetch", "--quiet", "--depth", "1", "origin", "HEAD")
    git(folder, "reset", "--quiet", "--hard", "FETCH_HEAD")


def deepen_to_last_change(folder: Path, path: str) -> None:
    """Fetch as much of a clone's history as it takes to know which commit last changed a file.

    Raises
    ------
    IcefloeError
        If git fails.
    """

    def is_known(boundary: str) -> bool:
        last = git(folder, "log", "-1", "--format=%H", "--", path)
        return not last or last not in boundary

    _deepen(folder, is_known)


def deepen_to_commit(folder: Path, rev: str) -> None:
    """Fetch as much of a clone's history as it takes to have a commit; all of it where that is not in it.

    Raises
    ------
    IcefloeError
        If git fails.
    """
    _deepen(folder, lambda _: _run(folder, "cat-file", "-e", f"{rev}^{{commit}}").returncode == 0)


def _deepen(folder: Path, is_enough: Callable[[str], bool]) -> None:
    """Fetch ever more of a clone's history, until it is whole or, by the commits where it ends, enough."""
    boundary = Path(git(folder, "rev-parse", "--absolute-git-dir")) / "shallow"
    more = _FIRST_DEEPENING
    while boundary.is_file() and not is_enough(boundary.read_text(encoding="ascii")):
        git(folder, "fetch", "--quiet", "--deepen", str(more), "origin", "HEAD")
        more *= 4


def push_commits(folder: Path) -> bool:
    """Push a clone's commits to its origin; False if others pushed meanwhile.

    Raises
    ------
    IcefloeError
        If git fails for another reason.
    """
    completed = _run(folder, "push", "--porcelain", "origin", "HEAD")
    if completed.returncode != 0 and any(sign in completed.stdout for sign in _OVERTAKEN):
        return False
    _checked(completed, folder, "push")
    return True


def shown(url: str) -> str:
    """A repository's URL as messages may show it: without a password or token."""
    user, at, rest = url.rpartition("@")
    scheme, separator, _ = user.partition("://")
    return f"{scheme}://{rest}" if at and separator else url


def code_revision(module: Path = Path(__file__)) -> str:
    """Git commit of Icefloe's own code; in an image the one that it was built from; else empty.

    Parameters
    ----------
    module
        A file of the code. Installed into an environment inside somebody's repository it is none of theirs.
    """
    completed = _run(module.parent, "ls-files", "--error-unmatch", "--", module.name)
    if completed.returncode == 0:
        completed = _run(module.parent, "rev-parse", "HEAD")
    return completed.stdout.strip() if completed.returncode == 0 else os.environ.get(REVISION_VARIABLE, "")


def is_git_root(folder: Path) -> bool:
    """Whether `folder` is the top of a git repository."""
    completed = _run(folder, "rev-parse", "--show-toplevel")
    return completed.returncode == 0 and Path(completed.stdout.strip()).resolve() == folder.resolve()


@contextmanager
def own_repository() -> Iterator[None]:
    """Keep variables that name another repository out of the environment, for libraries that read it."""
    before = {name: value for name, value in os.environ.items() if _names_a_repository(name)}
    for name in before:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(before)


def _names_a_repository(variable: str) -> bool:
    return variable.startswith(_OURS) and not variable.startswith(_THEIRS)


def _identity(folder: Path) -> tuple[str, ...]:
    """Who commits, where the user has not said it."""
    known = _run(folder, "config", "--get-regexp", r"^user\.(name|email)$").stdout.split("\n")
    said = {line.split(" ", 1)[0] for line in known}
    identity: list[str] = []
    for key, value in (("user.name", "icefloe"), ("user.email", "icefloe@localhost")):
        if key not in said:
            identity += ["-c", f"{key}={value}"]
    return tuple(identity)


def _remove_locks(folder: Path) -> None:
    """Remove the locks that a killed git left in the repository."""
    repository = Path(git(folder, "rev-parse", "--absolute-git-dir"))
    for pattern in ("*.lock", "refs/heads/**/*.lock"):
        for lock in repository.glob(pattern):
            lock.unlink(missing_ok=True)


def _checked(completed: subprocess.CompletedProcess[str], folder: Path, command: str) -> str:
    if completed.returncode != 0:
        raise IcefloeError(f"{folder}: {_reason(command, completed)}. Fix that and try again.")
    return completed.stdout.rstrip("\n")


def _reason(command: str, completed: subprocess.CompletedProcess[str], url: str = "") -> str:
    said = " ".join((completed.stderr or completed.stdout).split())
    return f"git {command} failed ({(said.replace(url, shown(url)) if url else said)[:600]})"


def _run(folder: Path, *arguments: str, held: int | None = None) -> subprocess.CompletedProcess[str]:
    executable = shutil.which("git")
    if executable is None:
        raise IcefloeError("git: not found. Install git; data versions are git commits.")
    completed = subprocess.run(
        [executable, *arguments],
        cwd=folder,
        env={
            "GIT_TERMINAL_PROMPT": "0",  # a password that nobody is there to type
            **{name: value for name, value in os.environ.items() if not _names_a_repository(name)},
        },
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
        errors="backslashreplace",
        pass_fds=() if held is None else (held,),
    )
    full = os.strerror(errno.ENOSPC)
    if completed.returncode != 0 and full in completed.stderr:
        raise OSError(errno.ENOSPC, full, str(folder))
    return completed
