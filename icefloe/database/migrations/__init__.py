"""Changes of the schema, in order, by Alembic.

To change it: change `icefloe/database/schema.py`; add the next number to `versions/`, with its statements for
SQLite and PostgreSQL, without importing the schema, which will change again; raise `HEAD` in
`icefloe/database/migrate.py`. The tests compare the schema with what the migrations make. There are no
downgrades: an older Icefloe refuses the database.
"""
