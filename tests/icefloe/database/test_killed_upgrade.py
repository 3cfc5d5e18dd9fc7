"""`icefloe db upgrade` killed in the middle: run again it comes to the end, as one that nobody disturbed."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.engine import URL

from icefloe.database.migrate import HEAD, MIGRATIONS
from icefloe.database.open import schema_at

pytestmark = pytest.mark.integration

OLD = 3
ROWS = """
INSERT INTO items (dataset, stem, round, height, width, classes, strategy, score, rank, reason)
VALUES ('D3', 'a', 'EA-T1', 1, 1, '[]', 'random', 0, 1, '');
INSERT INTO leases (token, item, labeler, expires) VALUES ('first', 1, 'ann', 9e9);
INSERT INTO labels (item, token, labeler, time, source, sha256, png)
VALUES (1, 'first', 'ann', 0, 'queue', 'aa', '00');
INSERT INTO events (time, item, actor, what, detail) VALUES (0, 1, 'sampler', 'added', '{}')
"""
TABLES = ("items", "leases", "labels", "events")

UPGRADE = """
import sys
from sqlalchemy import Engine, event
def tell(connection, cursor, statement, *_):
    print(" ".join(statement.split()), flush=True)
event.listen(Engine, "before_cursor_execute", tell)
from icefloe.cli.main import main
sys.argv = ["icefloe", "-C", sys.argv[1], "db", "upgrade"]
main()
"""
"""The command; it tells each statement before the database gets it."""

DEFINITIONS = {
    "sqlite": ("SELECT type, name, sql FROM sqlite_master",),
    "postgresql": (
        "SELECT table_name, ordinal_position, column_name, data_type, is_nullable, column_default "
        "FROM information_schema.columns WHERE table_schema = current_schema()",
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = current_schema()::regnamespace",
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()",
        "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t "
        "JOIN pg_class c ON c.oid = tgrelid "
        "WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace",
        "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = current_schema()::regnamespace",
    ),
}


@pytest.fixture
def make_old(new_url) -> Callable[[], URL]:
    """Make databases of an older Icefloe, with a row in every table that it had."""

    def make() -> URL:
        url = new_url()
        if url.drivername == "sqlite":
            Path(url.database).parent.mkdir(exist_ok=True)
        engine = create_engine(url)
        with engine.begin() as connection:
            config = Config(attributes={"connection": connection})
            config.set_main_option("script_location", str(MIGRATIONS))
            command.upgrade(config, f"{OLD:04d}")
            for statement in ROWS.split(";"):
                connection.exec_driver_sql(statement)
            if url.drivername == "sqlite":
                connection.exec_driver_sql(f"PRAGMA user_version = {OLD}")
        engine.dispose()
        return url

    return make


@pytest.fixture
def workspace(tmp_path) -> Path:
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "icefloe.toml").touch()
    return tmp_path / "workspace"


def asked(url: URL, statement: str) -> list[tuple]:
    """A statement's rows; PostgreSQL names the schema in definitions, which is another for each database."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.exec_driver_sql(statement)]
    engine.dispose()
    schema = re.search(r"search_path=(\w+)", url.query.get("options", ""))
    own = f"{schema[1]}." if schema else "\0"
    return sorted((tuple(str(value).replace(own, "") for value in row) for row in found), key=str)


def definitions(url: URL) -> list[list[tuple]]:
    return [asked(url, query) for query in DEFINITIONS[url.get_backend_name()]]


def rows(url: URL) -> dict[str, list[tuple]]:
    """What the older Icefloe knew of each row: later columns stand behind."""
    return {table: asked(url, f"SELECT * FROM {table}") for table in TABLES}


def start(workspace: Path, url: URL) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", UPGRADE, str(workspace)],
        env={**os.environ, "ICEFLOE_DATABASE_URL": url.render_as_string(hide_password=False)},
        stdout=subprocess.PIPE,
        text=True,
    )


def kill_at(workspace: Path, url: URL, statement: int) -> int:
    """Kill the command when it has told so many statements; how far the database is afterwards."""
    process = start(workspace, url)
    for _ in range(statement):
        assert process.stdout.readline()
    process.kill()
    process.communicate()
    assert process.returncode in (-signal.SIGKILL, 0)  # it may have been quicker at its end
    return schema_at(url).version


def test_an_upgrade_killed_at_any_moment_is_run_again_to_the_same_end(make_old, workspace):
    undisturbed, killed = make_old(), make_old()
    before = rows(killed)
    said, _ = start(workspace, undisturbed).communicate(timeout=300)
    n_statements = len(said.splitlines()) - 1  # the last line is the command's own
    assert n_statements > 20

    versions = []
    for part in (0.05, 0.3, 0.6, 0.9, 1.0):
        versions.append(kill_at(workspace, killed, round(part * n_statements)))
        assert versions[-1] in (OLD, HEAD)
    assert versions[:3] == [OLD] * 3

    last = start(workspace, killed)
    said, _ = last.communicate(timeout=300)
    assert (last.returncode, said.splitlines()[-1]) == (0, schema_at(killed).sentence())
    assert schema_at(killed).is_current
    assert definitions(killed) == definitions(undisturbed)
    after = rows(killed)
    assert after == rows(undisturbed)
    for table in TABLES:
        assert [new[: len(old)] for old, new in zip(before[table], after[table], strict=True)] == before[
            table
        ]
