"""A workspace that was copied never writes into the original; one that was moved finds its artifacts."""

import shutil
import sqlite3
from collections import OrderedDict
from contextlib import closing
from pathlib import Path

import pytest
from mlflow.tracking._tracking_service import utils

from icefloe.experiment import connect
from icefloe.registry.files import RunFiles
from icefloe.registry.runs import RunRecord, list_runs
from icefloe.relocation import follow_workspace, sqlite_path
from icefloe.settings import Settings, sqlite_uri
from tests.stores import new_store

ODD = [
    "plain",
    "run?2",
    "a%20b",
    "50%",
    "a#b",
    "two words",
    "Öl 氷",
    "a+b",
    "x%3Fy",
    'say "a"',
    "it's [x] & y=z",
]


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def study(tmp_path, tracked, monkeypatch) -> Path:
    """A copy of the workspace for one test, as a process sees it that has seen no other."""
    monkeypatch.setattr(utils, "_artifact_repos_cache", OrderedDict())
    place = tmp_path / "elsewhere" / "study"
    shutil.copytree(tracked, place)
    connect(Settings(workspace=place).tracking_uri)
    return place


@pytest.fixture(scope="module")
def tracked(tmp_path_factory) -> Path:
    """A workspace with one run, which has a document, a registered model and an odd ancestor folder."""
    workspace = tmp_path_factory.mktemp("first place 100%") / "study"
    (workspace / "data").mkdir(parents=True)
    (workspace / "icefloe.toml").touch()
    new_store(workspace / ".icefloe")
    record = RunRecord.start(Settings(workspace=workspace), "train")
    record.write_json("gate/D1.json", {"dice": 1})
    client = connect(Settings(workspace=workspace).tracking_uri)
    client.create_registered_model("icefloe-ea")
    source = f"{client.get_run(record.run_id).info.artifact_uri}/gate"
    client.create_model_version("icefloe-ea", source, record.run_id)
    return workspace


def uris(workspace: Path) -> set[str]:
    with closing(sqlite3.connect(workspace / ".icefloe" / "mlflow.db")) as connection:
        rows = connection.execute(
            "SELECT artifact_location FROM experiments WHERE name = 'icefloe'"
            " UNION SELECT artifact_uri FROM runs"
            " UNION SELECT source FROM model_versions UNION SELECT storage_location FROM model_versions"
        )
        return {row[0] for row in rows}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("how", [shutil.copytree, shutil.move], ids=["copied", "moved"])
def test_a_workspace_works_where_it_is(study, tmp_path, how, name):
    place = tmp_path / name
    how(study, place)
    before = content(study) if study.exists() else {}

    settings = Settings(workspace=place)
    (run,) = list_runs(settings)
    record = RunRecord(settings, run["id"])
    assert record.read_json("gate/D1.json") == {"dice": 1}
    record.write_json("gate/D2.json", {"dice": 2})
    RunRecord.start(settings, "train").write_json("gate/D3.json", {})

    assert all(uri.startswith((place / ".icefloe" / "mlartifacts").as_uri()) for uri in uris(place))
    assert len(list((place / ".icefloe" / "mlartifacts").rglob("D2.json"))) == 1
    assert (content(study) if study.exists() else {}) == before
    version = connect(settings.tracking_uri).get_model_version("icefloe-ea", "1")
    assert RunFiles(connect(settings.tracking_uri), version.run_id).read("gate/D1.json")
    assert {entry.name for entry in tmp_path.iterdir()} == {"elsewhere", name}


def test_artifacts_kept_elsewhere_on_purpose_stay_there(tmp_path):
    workspace, artifacts = tmp_path / "study", tmp_path / "big" / "artifacts"
    (workspace / "data").mkdir(parents=True)
    settings = Settings(workspace=workspace, artifact_uri=artifacts.as_uri())
    RunRecord.start(settings, "train").write_json("a.json", {})
    shutil.move(workspace, tmp_path / "moved")
    moved = Settings(workspace=tmp_path / "moved", artifact_uri=artifacts.as_uri())
    (run,) = list_runs(moved)
    assert RunRecord(moved, run["id"]).read_json("a.json") == {}


@pytest.mark.parametrize("name", ["server.db", "mlflow.db"])
def test_other_databases_are_left_alone(tmp_path, name):
    path = tmp_path / name
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE experiments (artifact_location TEXT)")
        connection.execute("INSERT INTO experiments VALUES ('file:///a/.icefloe/mlartifacts')")
        connection.commit()
    before = path.read_bytes()
    follow_workspace(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ODD)
def test_the_uri_of_a_file_leads_to_it(tmp_path, name):
    path = tmp_path / name / "mlflow.db"
    assert sqlite_path(sqlite_uri(path)) == path


@pytest.mark.parametrize("uri", ["sqlite:///:memory:", "sqlite://", "postgresql://a/b", "http://a:5000", ""])
def test_other_stores_are_no_files(uri):
    assert sqlite_path(uri) is None
