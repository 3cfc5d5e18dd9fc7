"""What the database refuses whoever asks: raw SQL on both engines, past the queue's rules."""

import pytest
from sqlalchemy.exc import IntegrityError

from icefloe.database.engine import Database
from icefloe.database.open import open_url
from icefloe.database.url import sqlite_url

FILL = """
INSERT INTO items (dataset, stem, round, height, width, classes, strategy, score, rank, reason)
VALUES ('D3', 'a', 'EA-T1', 1, 1, '[]', 'random', 0, 1, ''),
       ('D3', 'b', 'EA-T1', 1, 1, '[]', 'random', 0, 2, '');
INSERT INTO leases (token, item, labeler, expires) VALUES ('first', 1, 'ann', 9e9);
INSERT INTO labels (item, token, labeler, time, source, sha256, png)
VALUES (1, 'first', 'ann', 0, 'queue', 'aa', '00');
INSERT INTO events (time, item, actor, what, detail) VALUES (0, 1, 'sampler', 'added', '{}')
"""
NEW_ITEM = "INSERT INTO items (dataset, stem, round, height, width, classes, strategy, score, rank, reason)"
HISTORY, CHANGED, REMOVED = (
    "the history is append-only",
    "labels are never changed",
    "labels are never removed",
)


def run(database: Database, *statements: str) -> None:
    with database.writing() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


@pytest.fixture
def filled(database: Database) -> Database:
    run(database, *FILL.split(";"))
    return database


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE events SET actor = 'eve'", HISTORY),
        ("UPDATE events SET id = 7", HISTORY),
        ("DELETE FROM events", HISTORY),
        ("DELETE FROM events WHERE id = 1", HISTORY),
        ("UPDATE labels SET labeler = 'eve' WHERE id = 1", CHANGED),
        ("DELETE FROM labels", REMOVED),
        (
            "INSERT INTO events VALUES (1, 0, 1, 'eve', 'added', '{}') "
            "ON CONFLICT (id) DO UPDATE SET actor = 'eve'",
            HISTORY,
        ),
    ],
)
def test_history_and_labels_only_grow(filled, statement, words):
    with pytest.raises(IntegrityError, match=words):
        run(filled, statement)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("INSERT OR REPLACE INTO events VALUES (1, 0, 1, 'eve', 'added', '{}')", HISTORY),
        (
            "REPLACE INTO labels (id, item, token, labeler, time, source, sha256, png) "
            "VALUES (1, 1, 'first', 'eve', 0, 'queue', 'bb', '00')",
            CHANGED,
        ),
        ("UPDATE OR REPLACE events SET id = 1", HISTORY),
    ],
)
def test_sqlite_does_not_replace_history_and_labels(tmp_path, statement, words):
    database = open_url(sqlite_url(tmp_path / "queue.db"))
    run(database, *FILL.split(";"))
    with pytest.raises(IntegrityError, match=words):
        run(database, statement)


@pytest.mark.integration
@pytest.mark.parametrize(("table", "words"), [("events", HISTORY), ("labels", REMOVED), ("items", REMOVED)])
def test_postgresql_does_not_truncate_history_and_labels(postgresql, table, words):
    database = open_url(postgresql.new_url())
    run(database, *FILL.split(";"))
    with pytest.raises(IntegrityError, match=words):
        run(database, f"TRUNCATE {table} CASCADE")
    database.close()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            f"{NEW_ITEM} VALUES ('D3', 'a', 'EA-T2', 1, 1, '[]', 'random', 0, 1, '')",
            "one_open_item_an_image|UNIQUE",
        ),
        (f"{NEW_ITEM} VALUES ('D3', 'a', 'EA-T1', 1, 1, '[]', 'random', 0, 1, '')", "unique|UNIQUE"),
        (
            "INSERT INTO leases (token, item, labeler, expires) VALUES ('second', 1, 'eve', 9e9)",
            "one_lease|UNIQUE",
        ),
        (
            "INSERT INTO leases (token, item, labeler, expires) VALUES ('first', 2, 'eve', 9e9)",
            "token|UNIQUE",
        ),
        (
            "INSERT INTO leases (token, item, labeler, expires) VALUES ('x', 77, 'eve', 9e9)",
            "(?i)foreign key",
        ),
        ("UPDATE leases SET ended = 'eaten'", "(?i)check"),
        ("UPDATE items SET state = 'eaten'", "(?i)check"),
        ("UPDATE items SET state = 'submitted'", "(?i)check"),
        ("UPDATE items SET state = 'imported', label = 1", "(?i)check"),
        ("UPDATE items SET label = 1", "(?i)check"),
        ("UPDATE items SET data_version = 'rev1'", "(?i)check"),
        ("UPDATE items SET state = 'submitted', label = 77 WHERE id = 1", "(?i)foreign key"),
        ("DELETE FROM items", "(?i)foreign key"),
        ("UPDATE items SET third_below = 1.5 WHERE id = 1", "(?i)check"),
        ("UPDATE items SET first_label = 1", "(?i)check"),
        ("UPDATE items SET third_below = 0.8, first_label = 77 WHERE id = 1", "(?i)foreign key"),
        ("UPDATE items SET third_below = 0.8, second_label = 1, agreement = 1 WHERE id = 1", "(?i)check"),
        (
            "UPDATE items SET third_below = 0.8, first_label = 1, second_label = 1 WHERE id = 1",
            "(?i)check",
        ),
        ("UPDATE items SET arm = 'perhaps'", "(?i)check"),
        ("UPDATE labels SET client = 'eve'", CHANGED),
        (
            "INSERT INTO labels (item, token, labeler, time, seconds, source, sha256, png) "
            "VALUES (1, 'x', 'eve', 0, -1, 'queue', 'aa', '00')",
            "(?i)check",
        ),
        (
            "INSERT INTO events (time, item, actor, what, detail) VALUES (0, 77, 'eve', 'x', '{}')",
            "(?i)foreign key",
        ),
        (
            "INSERT INTO events (time, item, actor, what, detail) VALUES (0, 1, NULL, 'x', '{}')",
            "(?i)not.null",
        ),
    ],
)
def test_a_state_that_can_not_be_is_refused(filled, statement, words):
    with pytest.raises(IntegrityError, match=words):
        run(filled, statement)


def test_an_image_that_was_imported_may_be_open_again(filled):
    run(
        filled,
        "UPDATE items SET state = 'imported', label = 1, data_version = 'rev1' WHERE id = 1",
        f"{NEW_ITEM} VALUES ('D3', 'a', 'EA-T2', 1, 1, '[]', 'random', 0, 1, '')",
    )


def test_an_item_whose_lease_ended_may_be_leased_again(filled):
    run(
        filled,
        "UPDATE leases SET ended = 'expired'",
        "INSERT INTO leases (token, item, labeler, expires) VALUES ('second', 1, 'bob', 9e9)",
    )
