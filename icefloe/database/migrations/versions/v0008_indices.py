"""Indices by which the next image, leases that are over and an item's last lease are found at once."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    waiting, running = sa.text("state = 'waiting'"), sa.text("ended IS NULL")
    op.create_index(
        "items_waiting",
        "items",
        ["round", "rank", "id"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_index("items_by_round", "items", ["round", "id"])
    op.create_index("leases_by_item", "leases", ["item", "id"])
    op.create_index("leases_running", "leases", ["expires"], sqlite_where=running, postgresql_where=running)
