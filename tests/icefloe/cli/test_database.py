"""`icefloe db`: status without a change, upgrade of what is old or missing, refusal of what is newer."""

import shutil

import pytest

from icefloe.database.migrate import HEAD, TOO_NEW
from icefloe.database.open import open_url
from icefloe.database.url import sqlite_url
from tests.icefloe.database.conftest import make_v1


@pytest.fixture
def queue(workspace):
    return workspace / ".icefloe" / "queue.db"


def test_a_database_that_is_not_made_yet_is_told_of_and_not_made(cli, workspace, queue):
    outcome = cli("-C", workspace, "db", "status")
    assert outcome.code == 1
    assert outcome.out == f"{queue}: no tables yet. `icefloe db upgrade` makes what is missing.\n"
    assert not queue.exists()


def test_an_upgrade_makes_the_present_schema_and_changes_nothing_the_second_time(cli, workspace, queue):
    for _ in range(2):
        outcome = cli("-C", workspace, "db", "upgrade")
        assert (outcome.code, outcome.out) == (0, f"{queue}: schema {HEAD}, the present one.\n")
    assert cli("-C", workspace, "db", "status").code == 0


def test_an_old_database_stays_old_until_it_is_upgraded(cli, workspace, queue, tmp_path):
    queue.parent.mkdir(exist_ok=True)
    shutil.copyfile(make_v1(tmp_path / "v1.db"), queue)
    for _ in range(2):
        outcome = cli("-C", workspace, "db", "status")
        assert outcome.code == 1
        assert f"{queue}: schema 1 of {HEAD}. " in outcome.out
    assert cli("-C", workspace, "db", "upgrade").code == 0
    assert cli("-C", workspace, "db", "status").out == f"{queue}: schema {HEAD}, the present one.\n"


def test_a_newer_database_is_refused_and_status_says_so(cli, workspace, queue):
    database = open_url(sqlite_url(queue))
    with database.writing() as connection:
        database.set_version(connection, HEAD + 1)
    database.close()
    assert cli("-C", workspace, "db", "upgrade").refusal == f"{queue}: {TOO_NEW}"
    outcome = cli("-C", workspace, "db", "status")
    assert (outcome.code, outcome.out) == (1, f"{queue}: {TOO_NEW}\n")
