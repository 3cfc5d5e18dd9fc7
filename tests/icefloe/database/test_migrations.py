"""From an older database, or none, to the present schema: nothing lost, all or nothing."""

import multiprocessing
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event, inspect
from sqlalchemy.engine import URL

from icefloe.active.queue import Queue
from icefloe.database.migrate import HEAD, MIGRATIONS, TOO_NEW
from icefloe.database.open import open_url
from icefloe.database.schema import VERSION_TABLE, metadata
from icefloe.database.url import sqlite_url
from icefloe.datasets.label_origin import Origin
from icefloe.errors import IcefloeError

PROCESSES = multiprocessing.get_context("fork")  # spawn would have to import this file by name
TABLES = ("items", "leases", "labels", "events")


def contents(path: Path) -> dict[str, list[tuple]]:
    """Every row and definition in a SQLite file, and its version."""
    with closing(sqlite3.connect(path)) as connection:
        names = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        found = {name: connection.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in names}
        found["definitions"] = connection.execute("SELECT * FROM sqlite_master ORDER BY name").fetchall()
        found["version"] = connection.execute("PRAGMA user_version").fetchall()
        return found


def kept_rows(before: dict[str, list[tuple]], after: dict[str, list[tuple]]) -> bool:
    """Whether every row is as it was; later columns stand behind those that were."""
    return all(
        [new[: len(old)] for old, new in zip(before[table], after[table], strict=True)] == before[table]
        for table in TABLES
    )


def structure(path: Path) -> dict[str, object]:
    """What later migrations would meet: columns, keys, checks, indexes and triggers."""
    engine = create_engine(sqlite_url(path))
    look, found = inspect(engine), {}
    for table in look.get_table_names():
        columns = look.get_columns(table)
        found[table] = (
            [(column["name"], str(column["type"]), column["default"]) for column in columns],
            [column["name"] for column in columns if column["nullable"] and not column["primary_key"]],
            look.get_pk_constraint(table)["constrained_columns"],
            sorted(
                (key["constrained_columns"], key["referred_table"]) for key in look.get_foreign_keys(table)
            ),
            sorted(key["column_names"] for key in look.get_unique_constraints(table)),
            sorted(check["sqltext"] for check in look.get_check_constraints(table)),
        )
    engine.dispose()
    others = "SELECT name, sql FROM sqlite_master WHERE type != 'table' AND sql IS NOT NULL ORDER BY name"
    with closing(sqlite3.connect(path)) as connection:
        found["indexes and triggers"] = [
            (name, " ".join(text.split())) for name, text in connection.execute(others)
        ]
    return found


def test_a_queue_of_before_the_migrations_keeps_every_row(v1_file):
    before = contents(v1_file)

    open_url(sqlite_url(v1_file))

    after = contents(v1_file)
    assert kept_rows(before, after)
    assert after["sqlite_sequence"] == before["sqlite_sequence"]
    assert (before["version"], after["version"]) == ([(1,)], [(HEAD,)])


def test_a_queue_of_before_the_migrations_goes_on_where_it_was(v1_file):
    queue = Queue(open_url(sqlite_url(v1_file)), clock=lambda: 5000.0)

    assert [(item.key, item.state) for item in queue.items()] == [
        ("D3/stack_1", "submitted"),
        ("D3/stack_2", "imported"),
        ("D3/stack_3", "skipped"),
        ("D3/stack_4", "waiting"),
        ("D4/stack_1", "waiting"),
    ]
    assert queue.presegmentation(1) == b"\x89PNG"
    # Nobody knew then what a label was made from, and one person was asked for each.
    assert {label.origin for label in queue.labels()} == {Origin()}
    assert {(item.third_below, item.arm, item.revision) for item in queue.items()} == {(None, None, 1)}
    assert [(label.labeler, label.seconds, label.png) for label in queue.labels()] == [
        ("Bob", 168.5, b"\x89PNG\x00\xff")
    ]
    assert [label.seconds for label in queue.labels("imported")] == [None]
    assert [(label.labeler, label.refusal) for label in queue.refused_labels()] == [
        ("Ana", "the image has been submitted already")
    ]
    assert queue.history(3)[-1].detail == {"reason": "Eis geschmolzen – nichts zu sehen"}
    assert queue.status().sentence() == (
        "1 waiting, 1 being labelled, 1 labelled, 1 imported, 1 skipped; 2.8 min of labelling."
    )
    assert [lease.token for lease in queue.leases("Zoë")] == ["token-8"]
    assert queue.lease("Ana").item.key == "D4/stack_1"
    queue.skip("token-8", "blurred")
    queue.reopen(3, "Bob", "look again")


def test_a_migrated_file_and_a_new_one_have_the_same_structure(v1_file, tmp_path):
    open_url(sqlite_url(v1_file))
    open_url(sqlite_url(tmp_path / "new.db"))
    assert structure(v1_file) == structure(tmp_path / "new.db")


def _open_and_die(url: URL, after: int) -> None:
    statements = 0

    def count(*_arguments: object) -> None:
        nonlocal statements
        if statements == after:
            os._exit(9)  # as SIGKILL does: nothing is cleaned up
        statements += 1

    event.listen(Engine, "before_cursor_execute", count)
    open_url(url)
    os._exit(0)


def kill_at_each_statement(url: URL, check: Callable[[], None]) -> int:
    """Open a database in processes killed at the first, second, ... statement, until one gets through."""
    for statement in range(200):
        process = PROCESSES.Process(target=_open_and_die, args=(url, statement))
        process.start()
        process.join(60)
        if process.exitcode == 0:
            return statement
        assert process.exitcode == 9
        check()
    raise AssertionError("no process got through")


def test_a_migration_killed_at_any_statement_leaves_the_old_queue(v1_file):
    before = contents(v1_file)

    def check() -> None:
        assert contents(v1_file) == before

    assert kill_at_each_statement(sqlite_url(v1_file), check) > 8
    assert contents(v1_file)["version"] == [(HEAD,)]


def test_a_new_database_killed_at_any_statement_is_still_empty(new_url):
    url = new_url()
    engine = create_engine(url)

    def check() -> None:
        assert inspect(engine).get_table_names() == []

    if url.drivername == "sqlite":
        Path(url.database).parent.mkdir()
    assert kill_at_each_statement(url, check) > 8
    assert sorted(inspect(engine).get_table_names()) == sorted([*metadata.tables, VERSION_TABLE])
    engine.dispose()


def _open_at_once(url: URL, start) -> None:
    start.wait()
    open_url(url)


def open_in_many_processes(url: URL) -> None:
    start = PROCESSES.Event()
    processes = [PROCESSES.Process(target=_open_at_once, args=(url, start)) for _ in range(4)]
    for process in processes:
        process.start()
    start.set()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0


def test_many_processes_may_make_a_database_at_once(new_url):
    url = new_url()
    open_in_many_processes(url)
    assert Queue(open_url(url)).items() == []


def test_many_processes_may_migrate_a_queue_at_once(v1_file):
    before = contents(v1_file)
    open_in_many_processes(sqlite_url(v1_file))
    after = contents(v1_file)
    assert kept_rows(before, after)
    assert after[VERSION_TABLE] == [(f"{HEAD:04d}",)]


def test_a_newer_database_is_refused(new_url):
    url = new_url()
    database = open_url(url)
    with database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '{HEAD + 1:04d}'")
        database.set_version(connection, HEAD + 1)

    with pytest.raises(IcefloeError) as error:
        open_url(url)

    assert str(error.value) == f"{database.name}: {TOO_NEW}"
    database.close()


def test_an_icefloe_of_before_the_migrations_refuses_a_migrated_queue(v1_file, run_sql):
    open_url(sqlite_url(v1_file))
    assert run_sql(v1_file, "PRAGMA user_version")[0][0] > 1  # it then says that a newer Icefloe made it


def test_the_newest_migration_is_the_one_that_the_code_expects():
    scripts = ScriptDirectory(str(MIGRATIONS))
    assert scripts.get_current_head() == f"{HEAD:04d}"
    assert scripts.get_bases() == ["0001"]


def test_the_migrations_make_the_schema_that_the_code_uses(database):
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []


def test_alembic_is_not_imported_for_a_database_that_is_up_to_date(tmp_path):
    path = tmp_path / "queue.db"
    open_url(sqlite_url(path))
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from icefloe.active.queue import Queue\nfrom icefloe.database.open import open_url\n"
        "from icefloe.database.url import sqlite_url\n"
        f"Queue(open_url(sqlite_url(Path({str(path)!r})))).status()\n"
        "print(*({'alembic', 'torch', 'mlflow', 'ray', 'sqlalchemy.orm'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
