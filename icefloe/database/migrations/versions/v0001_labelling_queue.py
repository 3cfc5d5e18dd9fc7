"""The labelling queue: items, leases, labels, and a history that only grows.

SQLite files from before there were migrations have these very tables and are taken over as they are.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None

_real: TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
_tables = sa.MetaData()

_items = sa.Table(
    "items",
    _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("dataset", sa.Text, nullable=False),
    sa.Column("stem", sa.Text, nullable=False),
    sa.Column("round", sa.Text, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("classes", sa.Text, nullable=False),
    sa.Column("strategy", sa.Text, nullable=False),
    sa.Column("score", _real, nullable=False),
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("presegmentation", sa.LargeBinary),
    sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
    sa.Column("label", sa.Integer, sa.ForeignKey("labels.id")),
    sa.Column("data_version", sa.Text),
    sa.UniqueConstraint("dataset", "stem", "round"),
    sa.CheckConstraint("state IN ('waiting', 'submitted', 'skipped', 'imported')"),
    sa.CheckConstraint("(state IN ('submitted', 'imported')) = (label IS NOT NULL)"),
    sa.CheckConstraint("(state = 'imported') = (data_version IS NOT NULL)"),
)
# Two labelers must not meet on one image through two rounds either.
_open = sa.text("state IN ('waiting', 'submitted')")
sa.Index(
    "one_open_item_an_image",
    _items.c.dataset,
    _items.c.stem,
    unique=True,
    sqlite_where=_open,
    postgresql_where=_open,
)

_leases = sa.Table(
    "leases",
    _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("token", sa.Text, nullable=False, unique=True),
    sa.Column("item", sa.Integer, sa.ForeignKey("items.id"), nullable=False),
    sa.Column("labeler", sa.Text, nullable=False),
    sa.Column("expires", _real, nullable=False),
    sa.Column("ended", sa.Text),
    sa.CheckConstraint("ended IN ('submitted', 'released', 'expired', 'skipped')"),
    sqlite_autoincrement=True,
)
# The database itself refuses a second running lease.
_runs = sa.text("ended IS NULL")
sa.Index("one_lease_an_item", _leases.c.item, unique=True, sqlite_where=_runs, postgresql_where=_runs)

sa.Table(
    "labels",
    _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("item", sa.Integer, sa.ForeignKey("items.id"), nullable=False),
    sa.Column("token", sa.Text, nullable=False),
    sa.Column("labeler", sa.Text, nullable=False),
    sa.Column("time", _real, nullable=False),
    sa.Column("seconds", _real),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("png", sa.LargeBinary, nullable=False),
    sa.Column("refusal", sa.Text),
    sa.CheckConstraint("seconds >= 0"),
    sa.Index("labels_by_token", "token"),
)

sa.Table(
    "events",
    _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("time", _real, nullable=False),
    sa.Column("item", sa.Integer, sa.ForeignKey("items.id"), nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
)

_SQLITE_TRIGGERS = (
    """CREATE TRIGGER events_stay BEFORE UPDATE ON events
       BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END""",
    """CREATE TRIGGER events_remain BEFORE DELETE ON events
       BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END""",
    """CREATE TRIGGER labels_stay BEFORE UPDATE ON labels
       BEGIN SELECT RAISE(ABORT, 'labels are never changed'); END""",
    """CREATE TRIGGER labels_remain BEFORE DELETE ON labels
       BEGIN SELECT RAISE(ABORT, 'labels are never removed'); END""",
)

_POSTGRESQL_TRIGGERS = (
    """CREATE FUNCTION icefloe_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
           RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE = TG_ARGV[0];
       END $$""",
    """CREATE TRIGGER events_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON events
       EXECUTE FUNCTION icefloe_refuse('the history is append-only')""",
    """CREATE TRIGGER labels_stay BEFORE UPDATE ON labels
       EXECUTE FUNCTION icefloe_refuse('labels are never changed')""",
    """CREATE TRIGGER labels_remain BEFORE DELETE OR TRUNCATE ON labels
       EXECUTE FUNCTION icefloe_refuse('labels are never removed')""",
)


def upgrade() -> None:
    connection = op.get_bind()
    on_sqlite = connection.dialect.name == "sqlite"
    if on_sqlite and sa.inspect(connection).has_table("items"):
        return  # from before there were migrations
    _tables.create_all(connection, checkfirst=False)
    for statement in _SQLITE_TRIGGERS if on_sqlite else _POSTGRESQL_TRIGGERS:
        op.execute(statement)
