"""Images that go to two people, or without the pre-segmentation; what each label was made from, and with."""

from alembic import op

revision = "0005"
down_revision = "0004"

# In the engines' own words: what Alembic adds to a table of SQLite may refer to no other.
_ITEMS = (
    "third_below {real} CHECK (third_below BETWEEN 0 AND 1)",
    "first_label INTEGER REFERENCES labels (id) CHECK (first_label IS NULL OR third_below IS NOT NULL)",
    "second_label INTEGER REFERENCES labels (id) CHECK (second_label IS NULL OR first_label IS NOT NULL)",
    "agreement {real} CHECK ((agreement IS NULL) = (second_label IS NULL))",
    "arm TEXT CHECK (arm IN ('with', 'without'))",
    "predicted_by TEXT",
    "revision INTEGER NOT NULL DEFAULT 1",
)
_LABELS = (
    "presegmentation TEXT",
    "predicted_by TEXT",
    "likeness {real} CHECK (likeness BETWEEN 0 AND 1)",
    "client TEXT",
    "icefloe TEXT",
)


def upgrade() -> None:
    real = "REAL" if op.get_bind().dialect.name == "sqlite" else "DOUBLE PRECISION"
    for table, columns in (("items", _ITEMS), ("labels", _LABELS)):
        for column in columns:
            op.execute(f"ALTER TABLE {table} ADD COLUMN {column.format(real=real)}")
