"""The command line in this process, and a workspace for it."""

import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.service.untrained import register_untrained
from icefloe.cli import context
from icefloe.cli.main import main
from icefloe.datasets.versions import init_workspace
from icefloe.ensemble.ensemble import Ensemble
from icefloe.params import DEFAULT_PARAMS
from icefloe.registry.registry import Registry


@dataclass(frozen=True)
class Outcome:
    """How a command ended: exit code, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The one line of an error that a user can fix; the test fails if it is anything else."""
        assert self.code == 2, (self.code, self.out, self.err)
        assert self.err.startswith("error: ")
        assert self.err.endswith("\n")
        assert self.err.count("\n") == 1, self.err
        return self.err.removeprefix("error: ").removesuffix("\n")


Cli = Callable[..., Outcome]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run `icefloe ARGUMENTS` as the installed script does."""
    monkeypatch.delenv("ICEFLOE_WORKSPACE", raising=False)
    monkeypatch.setattr(context, "QUIET_SECONDS", 3600.0)  # no lines that depend on how fast this machine is

    # As `main` asks of an MLflow that is not imported yet; here another test may have imported it.
    logging.getLogger("mlflow").setLevel(logging.WARNING)

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["icefloe", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            context.use_workspace(None)
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    return run


@pytest.fixture(scope="session")
def empty_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace without data; tests must leave it so."""
    folder = tmp_path_factory.mktemp("empty") / "workspace"
    init_workspace(folder, DEFAULT_PARAMS.read_text(encoding="utf-8"))
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A folder that is a workspace as far as settings, parameters and datasets go, without git and DVC."""
    folder = tmp_path / "workspace"
    (folder / "data").mkdir(parents=True)
    (folder / "icefloe.toml").touch()
    (folder / "params.yaml").write_bytes(DEFAULT_PARAMS.read_bytes())
    return folder


def workspace_with_version(folder: Path, ensemble: Ensemble) -> tuple[Path, Registry]:
    """A workspace whose EA-T1 is untrained and not judged, and its registry."""
    workspace = folder / "workspace"
    (workspace / "data").mkdir(parents=True)
    (workspace / "icefloe.toml").touch()
    return workspace, register_untrained(workspace, ensemble)


@pytest.fixture(name="workspace_with_version")
def _workspace_with_version() -> Callable[[Path, Ensemble], tuple[Path, Registry]]:
    return workspace_with_version


@pytest.fixture(scope="session")
def with_version(make_ensemble: Callable[..., Ensemble], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose EA-T1 is untrained; tests must leave it so."""
    return workspace_with_version(tmp_path_factory.mktemp("with_version"), make_ensemble())[0]


def files_in(folder: Path) -> dict[str, bytes]:
    """Content of every file below a folder, but for the stores that looking into them makes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] not in (".icefloe", ".git", ".dvc")
    }


@pytest.fixture(name="files_in")
def _files_in() -> Callable[[Path], dict[str, bytes]]:
    return files_in
