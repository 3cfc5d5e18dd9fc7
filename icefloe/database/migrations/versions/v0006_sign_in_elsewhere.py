"""People who sign in at an identity provider, and sign-ins that are on their way there and back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0006"
down_revision = "0005"

_real: TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
_tables = sa.MetaData()

sa.Table("people", _tables, sa.Column("id", sa.Integer, primary_key=True))  # there since the third migration
_identities = sa.Table(
    "identities",
    _tables,
    sa.Column("issuer", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("person", sa.Integer, sa.ForeignKey("people.id"), nullable=False),
)
_sign_ins = sa.Table(
    "sign_ins",
    _tables,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("browser", sa.Text, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("nonce", sa.Text, nullable=False),
    sa.Column("verifier", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("expires", _real, nullable=False),
)


def upgrade() -> None:
    _tables.create_all(op.get_bind(), tables=[_identities, _sign_ins], checkfirst=False)
