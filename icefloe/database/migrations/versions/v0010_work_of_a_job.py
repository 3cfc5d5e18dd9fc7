"""Jobs are told apart by a digest of their arguments.

PostgreSQL takes no index entry over some 2700 bytes, which the names of a hundred images exceed.
"""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_jobs = sa.table("jobs", sa.column("id"), sa.column("arguments"), sa.column("work"))


def upgrade() -> None:
    connection = op.get_bind()
    op.add_column("jobs", sa.Column("work", sa.Text, nullable=False, server_default=""))
    for number, arguments in connection.execute(sa.select(_jobs.c.id, _jobs.c.arguments)).all():
        work = hashlib.sha256(arguments.encode()).hexdigest()
        connection.execute(sa.update(_jobs).where(_jobs.c.id == number).values(work=work))
    op.drop_index("one_live_job_a_work", "jobs")
    live = sa.text("state IN ('waiting', 'running')")
    op.create_index(
        "one_live_job_a_work",
        "jobs",
        ["kind", "work"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )
