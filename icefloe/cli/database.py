"""`icefloe db`: the schema of the workspace's database."""

from __future__ import annotations

import typer

from icefloe.cli.context import say, settings

app = typer.Typer(help="The database of queue, people and jobs: its schema.", no_args_is_help=True)

NOT_CURRENT = 1


@app.command()
def status() -> None:
    """How far the schema is; exits with 1 unless it is the present one. Nothing is changed."""
    from icefloe.workflow.database import database_status

    schema = database_status(settings())
    say(schema.sentence())
    if not schema.is_current:
        raise typer.Exit(NOT_CURRENT)


@app.command()
def upgrade() -> None:
    """Bring the schema to the present one, all of it or nothing; run again, it changes nothing."""
    from icefloe.workflow.database import upgrade_database

    say(upgrade_database(settings()).sentence())
