"""The scripts of the jobs in the base, run here as their pods run them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from icefloe.datasets.git import git
from icefloe.datasets.versions import commit, init_workspace

BASE = Path(__file__).parents[2] / "infra" / "kustomize" / "base"


def run(script: str, *arguments: Path, **variables: str) -> subprocess.CompletedProcess:
    """Run a script of the base with the programs of this environment."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["sh", str(BASE / script), *map(str, arguments)],
        env={**os.environ, "PATH": path, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def study(tmp_path):
    """A workspace whose data are in a remote and whose commits are in a repository that others clone."""
    workspace = tmp_path / "study"
    init_workspace(workspace, "{}")
    remote = tmp_path / "remote"
    config = workspace / ".dvc" / "config"
    lines = config.read_text(encoding="utf-8").splitlines()
    lines = [f"    url = {remote}" if "url =" in line else line for line in lines]
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    git(workspace, "commit", "--quiet", "--all", "--message", "Remote")
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch", "main", "study.git")
    git(workspace, "remote", "add", "origin", str(tmp_path / "study.git"))
    return workspace


def add_version(study: Path, dataset: str) -> None:
    folder = study / "data" / dataset
    (folder / "images").mkdir(parents=True)
    (folder / "dataset.yaml").write_text(f"name: {dataset}\n", encoding="utf-8")
    (folder / "images" / "a.tif").write_text(dataset, encoding="utf-8")
    commit(study, dataset)
    git(study, "push", "--quiet", "origin", "main")


@pytest.mark.manifests
def test_the_workspace_follows_the_repository_also_after_a_clone_that_was_killed(study, tmp_path):
    settings, volume = tmp_path / "icefloe.toml", tmp_path / "volume"
    settings.write_text(f'data_repo = "{tmp_path / "study.git"}"\n', encoding="utf-8")
    (volume / "study.new" / ".git").mkdir(parents=True)
    for dataset in ("D1", "D2"):
        add_version(study, dataset)
        done = run(
            "workspace.sh", volume, settings, HOME=str(tmp_path), DVC_SITE_CACHE_DIR=str(tmp_path / "dvc")
        )
        assert done.returncode == 0, done.stderr
        image = volume / "study" / "data" / dataset / "images" / "a.tif"
        assert image.read_text(encoding="utf-8") == dataset
    assert not (volume / "study.new").exists()
    assert "study.git" not in (volume / "study" / ".git" / "config").read_text(encoding="utf-8")


@pytest.mark.integration
def test_the_backup_holds_both_databases_and_the_oldest_dumps_go(postgresql, tmp_path):
    """The server of tests has one database, so it is dumped under both names."""
    postgresql.execute("CREATE TABLE kept (word text)")
    postgresql.execute("INSERT INTO kept VALUES ('snow')")
    url = postgresql.url().render_as_string(hide_password=False)
    for day in range(15):
        (tmp_path / f"icefloe-202001{day:02}T000000Z.dump").write_text("old", encoding="utf-8")
    (tmp_path / "icefloe-20200101T000000Z.dump.part").write_text("killed", encoding="utf-8")

    done = run("backup.sh", tmp_path, ICEFLOE_DATABASE_URL=url, MLFLOW_BACKEND_STORE_URI=url)

    assert done.returncode == 0, done.stderr
    dumps = sorted(path.name for path in tmp_path.iterdir())
    assert next(name for name in dumps if name.startswith("icefloe-")) == "icefloe-20200102T000000Z.dump"
    assert len(dumps) == 14 + 1
    postgresql.execute("DROP TABLE kept")
    dump = tmp_path / next(name for name in dumps if name.startswith("mlflow-"))
    libpq = url.replace("postgresql+psycopg", "postgresql")
    subprocess.run(["pg_restore", "--dbname", libpq, "--table", "kept", dump], check=True)
    postgresql.execute("DROP TABLE kept")


@pytest.mark.integration
def test_a_backup_that_fails_leaves_no_dump(tmp_path):
    url = f"postgresql+psycopg://me@/absent?host={tmp_path}"
    done = run("backup.sh", tmp_path, ICEFLOE_DATABASE_URL=url, MLFLOW_BACKEND_STORE_URI=url)
    assert done.returncode != 0
    assert not list(tmp_path.glob("*.dump"))
