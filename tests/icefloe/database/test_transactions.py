"""Transactions and locks, on both engines."""

import contextlib
import multiprocessing
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import InternalError

from icefloe.database import engine as engine_module
from icefloe.database import postgresql as postgresql_module
from icefloe.database import sqlite as sqlite_module
from icefloe.database.engine import Database
from icefloe.database.open import open_url
from icefloe.database.schema import items
from icefloe.database.sqlite import SqliteDatabase
from icefloe.errors import BusyError, IcefloeError

PROCESSES = multiprocessing.get_context("fork")  # spawn would have to import this file by name


def add(connection, stem: str) -> None:
    row = {"dataset": "D3", "stem": stem, "round": "EA-T1", "height": 1, "width": 1, "classes": "[]"}
    connection.execute(insert(items), {**row, "strategy": "random", "score": 0, "rank": 1, "reason": ""})


def number(connection) -> int:
    return connection.execute(select(func.count()).select_from(items)).scalar_one()


def numbers(database: Database) -> int:
    with database.reading() as connection:
        return number(connection)


def test_nothing_is_kept_of_a_transaction_that_fails(database):
    def interrupted() -> None:
        with database.writing() as connection:
            add(connection, "a")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert numbers(database) == 0


def test_everything_read_is_of_one_moment(database):
    with database.reading() as reader:
        before = number(reader)
        with database.writing() as writer:
            add(writer, "a")
        assert number(reader) == before
    assert numbers(database) == before + 1


def test_what_need_not_wait_for_the_disk_is_kept_or_nothing_of_it_too(database):
    with database.writing(durable=False) as connection:
        add(connection, "a")

    def interrupted() -> None:
        with database.writing(durable=False) as connection:
            add(connection, "b")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert numbers(database) == 1


@pytest.mark.parametrize("are_kept", [False, True])
def test_only_the_transaction_that_says_so_does_not_wait_for_the_disk(database, are_kept):
    if are_kept:
        database.keep_connections()
    asks = "PRAGMA synchronous" if isinstance(database, SqliteDatabase) else "SHOW synchronous_commit"
    waits, waits_not = (2, 1) if isinstance(database, SqliteDatabase) else ("on", "off")
    found = []
    for durable in (True, False, True):
        with database.writing(durable=durable) as connection:
            found.append(connection.exec_driver_sql(asks).scalar())
    assert found == [waits, waits_not, waits]


def test_a_reader_writes_nothing(database):
    # SQLite forgets it, PostgreSQL refuses it.
    with contextlib.suppress(InternalError), database.reading() as connection:
        add(connection, "a")
    assert numbers(database) == 0


def test_writers_take_turns_and_each_sees_what_the_one_before_left(database):
    seen, first_is_in = [], threading.Event()

    def first() -> None:
        with database.writing() as connection:
            first_is_in.set()
            time.sleep(0.3)
            add(connection, "a")

    thread = threading.Thread(target=first)
    thread.start()
    first_is_in.wait(10)
    with database.writing() as connection:
        seen.append(number(connection))
    thread.join()
    assert seen == [1]


def test_a_writer_that_waits_too_long_is_told_so(new_url, monkeypatch):
    for module in (sqlite_module, postgresql_module):
        monkeypatch.setattr(module, "WAIT_SECONDS", 1)
    url = new_url()
    one, other = open_url(url), open_url(url)
    with (
        one.writing(),
        pytest.raises(IcefloeError, match=r"database is locked|others have been writing for 1 s"),
        other.writing(),
    ):
        pass
    one.close()
    other.close()


def test_threads_of_one_process_take_turns_and_are_told_if_one_takes_too_long(database, monkeypatch):
    monkeypatch.setattr(engine_module, "WAIT_SECONDS", 1)
    is_in, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with database.writing():
            is_in.set()
            go_on.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    is_in.wait(10)
    with pytest.raises(BusyError, match="others have been writing for 1 s"), database.writing():
        pass
    go_on.set()
    thread.join()
    with database.writing() as connection:
        add(connection, "a")


def test_connections_that_are_kept_read_and_write_as_new_ones_do(new_url):
    url = new_url()
    kept, other = open_url(url), open_url(url)
    kept.keep_connections()

    def work(name: str) -> None:
        for index in range(20):
            with kept.writing() as connection:
                add(connection, f"{name}{index}")
            assert numbers(kept) > 0

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, "abcdef"))
    assert numbers(kept) == numbers(other) == 120
    with other.writing() as connection:
        add(connection, "by another")
    assert numbers(kept) == 121
    with contextlib.suppress(KeyboardInterrupt), kept.writing() as connection:
        add(connection, "given up")
        raise KeyboardInterrupt
    assert numbers(kept) == numbers(other) == 121
    kept.close()
    other.close()


@pytest.mark.integration
def test_connections_that_the_server_has_closed_are_made_anew(postgresql):
    kept = open_url(postgresql.new_url())
    assert numbers(kept) == 0
    postgresql.execute(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "  # waits until they have ended
        "WHERE pid <> pg_backend_pid() AND usename = 'postgres'"
    )
    assert numbers(kept) == 0
    with kept.writing() as connection:
        add(connection, "a")
    assert numbers(kept) == 1
    kept.close()


def _hold(url: URL, name: str, log) -> None:
    with open_url(url).exclusive(name):
        log.put("in")
        time.sleep(0.3)
        log.put("out")


def test_only_one_process_at_a_time_has_an_exclusive_lock(new_url):
    url, log = new_url(), PROCESSES.Queue()
    open_url(url).close()
    processes = [PROCESSES.Process(target=_hold, args=(url, "collect", log)) for _ in range(3)]
    for process in processes:
        process.start()
    told = [log.get(timeout=60) for _ in range(6)]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert told == ["in", "out"] * 3


def test_an_exclusive_lock_hinders_neither_transactions_nor_other_locks(database):
    with database.exclusive("collect"), database.exclusive("something else"):
        with database.writing() as connection:
            add(connection, "a")
        assert numbers(database) == 1


def _hold_until_killed(url: URL, held) -> None:
    with open_url(url).exclusive("collect"):
        held.set()
        time.sleep(600)


def test_a_killed_process_lets_its_exclusive_lock_go(new_url):
    url, held = new_url(), PROCESSES.Event()
    process = PROCESSES.Process(target=_hold_until_killed, args=(url, held))
    process.start()
    assert held.wait(60)
    process.kill()
    process.join(60)
    database = open_url(url)
    with database.exclusive("collect"):
        database.close()


def test_an_exclusive_lock_is_let_go_when_the_work_fails(database):
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), database.exclusive("collect"):
            raise ZeroDivisionError


def _add_many(database: Database, name: str) -> None:
    for index in range(20):
        with database.writing() as connection:
            add(connection, f"{name}_{index}")
    os._exit(0)


def test_a_database_opened_before_a_fork_serves_parent_and_children(database):
    assert numbers(database) == 0  # a connection is kept from now on, on PostgreSQL
    children = [PROCESSES.Process(target=_add_many, args=(database, f"child_{which}")) for which in range(3)]
    for child in children:
        child.start()
    for index in range(20):
        with database.writing() as connection:
            add(connection, f"parent_{index}")
    for child in children:
        child.join(60)
        assert child.exitcode == 0
    assert numbers(database) == 80


def test_many_threads_share_a_database(database):
    def work(which: int) -> None:
        for index in range(10):
            with database.writing() as connection:
                add(connection, f"thread_{which}_{index}")

    threads = [threading.Thread(target=work, args=(which,)) for which in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers(database) == 60


def test_a_closed_database_opens_its_connections_anew(database):
    database.close()
    assert numbers(database) == 0
