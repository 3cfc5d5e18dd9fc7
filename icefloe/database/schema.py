"""The present tables; `migrations/` creates and changes them.

All tables are here and not in the rooms that use them: they refer to one another, one row of migrations
changes them together, and a test holds this module against a migrated database without importing those rooms.
What the database enforces beyond keys (CHECKs, triggers) is in the migrations only.
"""

from sqlalchemy import (
    REAL,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeEngine

VERSION_TABLE = "icefloe_version"
"""Alembic's version table; MLflow, perhaps in the same database, has `alembic_version`."""

metadata = MetaData()

_Real: TypeEngine[float] = Double().with_variant(REAL(), "sqlite")

items = Table(
    "items",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("dataset", Text, nullable=False),
    Column("stem", Text, nullable=False),
    Column("round", Text, nullable=False),
    Column("height", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("classes", Text, nullable=False),
    Column("strategy", Text, nullable=False),
    Column("score", _Real, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("presegmentation", LargeBinary),
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("label", ForeignKey("labels.id")),
    Column("data_version", Text),
    Column("third_below", _Real),
    Column("first_label", ForeignKey("labels.id")),
    Column("second_label", ForeignKey("labels.id")),
    Column("agreement", _Real),
    Column("arm", Text),
    Column("predicted_by", Text),
    Column("revision", Integer, nullable=False, server_default="1"),
    Column("uncertainty", _Real),
    Column("regions", Text),
    UniqueConstraint("dataset", "stem", "round"),
)
"""Images to label and why each was chosen; `label` is the accepted one, `classes` a JSON list of names.

`third_below`: two people label it, and a third decides where their Dice, `agreement`, is below; NULL: one
labels. `arm`: `with` or `without` the pre-segmentation, where that is compared; `predicted_by` names the
version. `regions`: a JSON list of [top, left, height, width] in px; NULL: all of the image is labelled.
"""

Index(
    "one_open_item_an_image",
    items.c.dataset,
    items.c.stem,
    unique=True,
    sqlite_where=items.c.state.in_(["waiting", "submitted"]),
    postgresql_where=items.c.state.in_(["waiting", "submitted"]),
)

_WAITING = text("state = 'waiting'")
Index(
    "items_waiting",
    items.c.round,
    items.c.rank,
    items.c.id,
    sqlite_where=_WAITING,
    postgresql_where=_WAITING,
)
Index("items_by_round", items.c.round, items.c.id)

leases = Table(
    "leases",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("token", Text, nullable=False, unique=True),
    Column("item", ForeignKey("items.id"), nullable=False),
    Column("labeler", Text, nullable=False),
    Column("expires", _Real, nullable=False),
    Column("ended", Text),
    sqlite_autoincrement=True,
)
"""Leases: labeler and image, end (s since the epoch), and how it ended; NULL while it runs."""

Index(
    "one_lease_an_item",
    leases.c.item,
    unique=True,
    sqlite_where=leases.c.ended.is_(None),
    postgresql_where=leases.c.ended.is_(None),
)

Index("leases_by_item", leases.c.item, leases.c.id)
Index(
    "leases_running",
    leases.c.expires,
    sqlite_where=leases.c.ended.is_(None),
    postgresql_where=leases.c.ended.is_(None),
)

labels = Table(
    "labels",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("item", ForeignKey("items.id"), nullable=False),
    Column("token", Text, nullable=False),
    Column("labeler", Text, nullable=False),
    Column("time", _Real, nullable=False),
    Column("seconds", _Real),
    Column("source", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("png", LargeBinary, nullable=False),
    Column("refusal", Text),
    Column("presegmentation", Text),
    Column("predicted_by", Text),
    Column("likeness", _Real),
    Column("client", Text),
    Column("icefloe", Text),
    Index("labels_by_token", "token"),
)
"""Every label that was handed in: `time` in s since the epoch, `seconds` of work; append-only.

`presegmentation` is the SHA-256 of the mask it began with, which the version `predicted_by` gave; `likeness`
the Dice with the item's pre-segmentation, seen or not; `client` the program it was made with, which this
`icefloe` took.
"""

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("time", _Real, nullable=False),
    Column("item", ForeignKey("items.id"), nullable=False),
    Column("actor", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("detail", Text, nullable=False),
)
"""History of each item: `time` in s since the epoch, `detail` a JSON object; append-only."""

people = Table(
    "people",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("password", Text),
    Column("active", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created", _Real, nullable=False),
)
"""Who may use the service: `password` is an Argon2 hash, NULL until one is chosen; `created` in s."""

links = Table(
    "links",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("person", ForeignKey("people.id"), nullable=False),
    Column("expires", _Real, nullable=False),
)
"""One-time links with which a person chooses a password; only the hash of the secret is kept."""

sessions = Table(
    "sessions",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("person", ForeignKey("people.id"), nullable=False),
    Column("expires", _Real, nullable=False),
)
"""Signed-in browsers; only the hash of the cookie is kept."""

tokens = Table(
    "tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sha256", Text, nullable=False, unique=True),
    Column("person", ForeignKey("people.id"), nullable=False),
    Column("title", Text, nullable=False),
    Column("created", _Real, nullable=False),
    Column("expires", _Real, nullable=False),
)
"""API tokens of programs, which act as a person; only the hash is kept."""

identities = Table(
    "identities",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("person", ForeignKey("people.id"), nullable=False),
)
"""People who sign in at an identity provider, by the provider's address and what it calls them."""

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("browser", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("nonce", Text, nullable=False),
    Column("verifier", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("expires", _Real, nullable=False),
)
"""Sign-ins on their way to a provider and back: hashes of the state and of the browser's cookie."""

failures = Table(
    "failures",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("time", _Real, nullable=False),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    Index("failures_by_time", "time"),
)
"""Failed sign-ins of the last minutes, of names that exist and of others."""

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("time", _Real, nullable=False),
    Column("actor", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("detail", Text, nullable=False),
)
"""What people changed, `detail` a JSON object; append-only, and never a secret in it."""

jobs = Table(
    "jobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("arguments", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("actor", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created", _Real, nullable=False),
    Column("began", _Real),
    Column("ended", _Real),
    Column("attempts", Integer, nullable=False),
    Column("worker", Text),
    Column("expires", _Real),
    Column("cancelling", Boolean, nullable=False),
    Column("what", Text, nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer),
    Column("result", Text),
    Column("problem", Text),
    Column("revision", Integer, nullable=False),
    Column("work", Text, nullable=False, server_default=""),
    Index("jobs_to_do", "state", "priority", "id"),
)
"""Work for workers: `arguments` and `result` JSON, times in s since the epoch, `expires` the lease's.

`work` is the SHA-256 of the arguments, which may be too long for an index.
"""

Index(
    "one_live_job_a_work",
    jobs.c.kind,
    jobs.c.work,
    unique=True,
    sqlite_where=jobs.c.state.in_(["waiting", "running"]),
    postgresql_where=jobs.c.state.in_(["waiting", "running"]),
)

workers = Table(
    "workers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("expires", _Real, nullable=False),
    Column("champion", Text),
    Column("problem", Text),
)
"""Workers that live until `expires` (s since the epoch), the version each has loaded, and what failed."""

drafts = Table(
    "drafts",
    metadata,
    Column("item", ForeignKey("items.id"), primary_key=True),
    Column("labeler", Text, primary_key=True),
    Column("png", LargeBinary, nullable=False),
    Column("seconds", _Real, nullable=False),
    Column("time", _Real, nullable=False),
    Column("revision", Integer, nullable=False),
)
"""Masks that labelers are still at work on: `seconds` of work so far, `time` in s since the epoch."""

fewshot_sessions = Table(
    "fewshot_sessions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person", Integer, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("stem", Text, nullable=False),
    Column("work", Text, nullable=False),
    Column("embedding", Integer),
    Column("revision", Integer, nullable=False),
    Column("created", _Real, nullable=False),
    Column("changed", _Real, nullable=False),
    Index("fewshot_sessions_by_person", "person", "changed"),
    sqlite_autoincrement=True,
)
"""Few-shot sessions of people (0: whoever uses a service that asks nobody): `work` is JSON, times in s.

`embedding` is the job that makes the chips' vectors. A number is never used again: jobs and files of a
session that was deleted must not become another's.
"""
