"""The service's jobs, the workers that do them, and drafts of labels."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0004"
down_revision = "0003"

_real: TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
_tables = sa.MetaData()

_jobs = sa.Table(
    "jobs",
    _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("arguments", sa.Text, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("created", _real, nullable=False),
    sa.Column("began", _real),
    sa.Column("ended", _real),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("worker", sa.Text),
    sa.Column("expires", _real),
    sa.Column("cancelling", sa.Boolean, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("done", sa.Integer, nullable=False),
    sa.Column("total", sa.Integer),
    sa.Column("result", sa.Text),
    sa.Column("problem", sa.Text),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.CheckConstraint("state IN ('waiting', 'running', 'done', 'failed', 'cancelled')"),
    sa.CheckConstraint("(state = 'running') = (worker IS NOT NULL AND expires IS NOT NULL)"),
    sa.CheckConstraint("(state = 'failed') = (problem IS NOT NULL)"),
    sa.Index("jobs_to_do", "state", "priority", "id"),
)
# Whoever asks for what is being done already waits for that.
_live = sa.text("state IN ('waiting', 'running')")
sa.Index(
    "one_live_job_a_work",
    _jobs.c.kind,
    _jobs.c.arguments,
    unique=True,
    sqlite_where=_live,
    postgresql_where=_live,
)

_workers = sa.Table(
    "workers",
    _tables,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("expires", _real, nullable=False),
    sa.Column("champion", sa.Text),
    sa.Column("problem", sa.Text),
)

sa.Table("items", _tables, sa.Column("id", sa.Integer, primary_key=True))  # there since the first migration
_drafts = sa.Table(
    "drafts",
    _tables,
    sa.Column("item", sa.Integer, sa.ForeignKey("items.id"), primary_key=True),
    sa.Column("labeler", sa.Text, primary_key=True),
    sa.Column("png", sa.LargeBinary, nullable=False),
    sa.Column("seconds", _real, nullable=False),
    sa.Column("time", _real, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
)


def upgrade() -> None:
    _tables.create_all(op.get_bind(), tables=[_jobs, _workers, _drafts], checkfirst=False)
