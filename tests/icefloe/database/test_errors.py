"""What is said when a database can't be used: one line, and never the password."""

import sqlite3
import sys
from contextlib import closing

import pytest
from sqlalchemy.engine import URL

from icefloe.database.open import open_url
from icefloe.database.url import sqlite_url
from icefloe.errors import IcefloeError


def refusal(url: URL) -> str:
    with pytest.raises(IcefloeError) as error:
        open_url(url)
    message = str(error.value)
    assert "\n" not in message
    assert "s3cret" not in message
    return message


def test_a_file_that_is_no_database(tmp_path):
    path = tmp_path / "queue.db"
    path.write_text("not a database, but long enough to look at " * 20)
    assert (
        refusal(sqlite_url(path)) == f"{path}: the file is not a labelling queue. Move it to another folder."
    )


@pytest.mark.parametrize("version", [0, 1, 2, 99])
def test_a_database_of_something_else(tmp_path, version):
    path = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"CREATE TABLE experiments (id INTEGER); PRAGMA user_version = {version};")
    assert (
        refusal(sqlite_url(path)) == f"{path}: the file is not a labelling queue. Move it to another folder."
    )
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("experiments",)]


def test_a_folder_in_place_of_the_file(tmp_path):
    assert refusal(sqlite_url(tmp_path)) == (
        f"{tmp_path}: unable to open database file. Check the folder and its rights."
    )


def test_a_damaged_file(tmp_path):
    path = tmp_path / "queue.db"
    open_url(sqlite_url(path))
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\xff" * 3996
    path.write_bytes(content)
    assert refusal(sqlite_url(path)) == (
        f"{path}: database disk image is malformed. Restore the file from a backup."
    )


def test_a_driver_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    url = URL.create("postgresql+psycopg", "ana", "s3cret", "db.lab", database="icefloe")
    assert refusal(url) == (
        "postgresql://ana@db.lab/icefloe: the driver psycopg is not installed. "
        "Install it: pip install 'psycopg[binary]'."
    )


def test_a_server_that_does_not_answer():
    url = URL.create("postgresql+psycopg", "ana", "s3cret", "127.0.0.1", 1, "icefloe")
    message = refusal(url)
    assert message.startswith("postgresql://ana@127.0.0.1:1/icefloe: connection failed: ")
    assert message.endswith(". See that the server runs and that database_url is right.")


@pytest.mark.integration
def test_a_wrong_password(postgresql):
    message = refusal(postgresql.url("guarded", "not-s3cret"))
    assert 'password authentication failed for user "guarded". See that the server runs and' in message
    assert "not-" not in message


@pytest.mark.integration
def test_a_database_that_is_not_there(postgresql):
    url = postgresql.url("guarded", "s3cret").set(database="nowhere")
    assert 'database "nowhere" does not exist. See that' in refusal(url)


@pytest.mark.integration
def test_a_user_without_the_right_to_make_tables(postgresql):
    message = refusal(postgresql.url("guarded", "s3cret"))
    assert message == (
        "postgresql://guarded@/postgres: permission denied for schema public. "
        "Give the user of database_url that right."
    )


@pytest.mark.integration
def test_a_database_with_tables_of_the_same_names(postgresql):
    url = postgresql.new_url()
    schema = url.query["options"].removeprefix("-csearch_path=")
    postgresql.execute(f"CREATE TABLE {schema}.labels (id INTEGER)")
    assert refusal(url) == (
        'postgresql://postgres@/postgres: relation "labels" already exists. '
        "Name a database that holds nothing else in database_url."
    )
