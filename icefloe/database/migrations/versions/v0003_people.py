"""The people of the service: accounts, links, sessions, API tokens, failed sign-ins, an audit log."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0003"
down_revision = "0002"

_real: TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
_tables = sa.MetaData()

sa.Table(
    "people",
    _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("password", sa.Text),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("created", _real, nullable=False),
    sa.CheckConstraint("role IN ('viewer', 'labeler', 'operator', 'admin')"),
)
sa.Table(
    "links",
    _tables,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("person", sa.Integer, sa.ForeignKey("people.id"), nullable=False),
    sa.Column("expires", _real, nullable=False),
)
sa.Table(
    "sessions",
    _tables,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("person", sa.Integer, sa.ForeignKey("people.id"), nullable=False),
    sa.Column("expires", _real, nullable=False),
)
sa.Table(
    "tokens",
    _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("sha256", sa.Text, nullable=False, unique=True),
    sa.Column("person", sa.Integer, sa.ForeignKey("people.id"), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("created", _real, nullable=False),
    sa.Column("expires", _real, nullable=False),
)
sa.Table(
    "failures",
    _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("time", _real, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Index("failures_by_time", "time"),
)
sa.Table(
    "audit",
    _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("time", _real, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
)

_SQLITE_TRIGGERS = (
    """CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
       BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
    """CREATE TRIGGER audit_remains BEFORE DELETE ON audit
       BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
    """CREATE TRIGGER audit_not_replaced BEFORE INSERT ON audit
       WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
       BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
)

_POSTGRESQL_TRIGGERS = (
    """CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
       EXECUTE FUNCTION icefloe_refuse('the audit log is append-only')""",
)


def upgrade() -> None:
    connection = op.get_bind()
    _tables.create_all(connection, checkfirst=False)
    for statement in _SQLITE_TRIGGERS if connection.dialect.name == "sqlite" else _POSTGRESQL_TRIGGERS:
        op.execute(statement)
