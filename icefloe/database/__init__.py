"""The one database of a workspace: SQLite on one machine, PostgreSQL for several."""
