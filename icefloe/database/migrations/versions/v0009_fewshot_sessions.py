"""Few-shot sessions: whose, of which image, and what was chosen."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0009"
down_revision = "0008"

_real: TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
_tables = sa.MetaData()

_sessions = sa.Table(
    "fewshot_sessions",
    _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("person", sa.Integer, nullable=False),
    sa.Column("dataset", sa.Text, nullable=False),
    sa.Column("stem", sa.Text, nullable=False),
    sa.Column("work", sa.Text, nullable=False),
    sa.Column("embedding", sa.Integer),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("created", _real, nullable=False),
    sa.Column("changed", _real, nullable=False),
    sa.Index("fewshot_sessions_by_person", "person", "changed"),
    sqlite_autoincrement=True,
)


def upgrade() -> None:
    _tables.create_all(op.get_bind(), tables=[_sessions], checkfirst=False)
