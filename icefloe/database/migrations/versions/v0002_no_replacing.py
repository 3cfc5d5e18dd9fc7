"""`INSERT OR REPLACE` cannot rewrite the history on SQLite.

To replace a row, SQLite deletes the old one without running its DELETE trigger. PostgreSQL has no such
statement, and its `ON CONFLICT DO UPDATE` runs the UPDATE trigger.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

_TRIGGERS = (
    """CREATE TRIGGER events_not_replaced BEFORE INSERT ON events
       WHEN EXISTS (SELECT 1 FROM events WHERE id = NEW.id)
       BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END""",
    """CREATE TRIGGER labels_not_replaced BEFORE INSERT ON labels
       WHEN EXISTS (SELECT 1 FROM labels WHERE id = NEW.id)
       BEGIN SELECT RAISE(ABORT, 'labels are never changed'); END""",
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for statement in _TRIGGERS:
            op.execute(statement)
