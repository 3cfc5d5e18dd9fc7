"""Items may ask for regions of their image only."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("items", sa.Column("regions", sa.Text))
