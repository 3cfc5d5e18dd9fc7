"""Alembic's environment: migrations run on the given connection, in its open transaction."""

from alembic import context

from icefloe.database.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
