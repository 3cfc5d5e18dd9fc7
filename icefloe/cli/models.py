"""`icefloe models`: versions EA-Tn, their lineage, promotion and rollback."""

from __future__ import annotations

from typing import Annotated

import typer

from icefloe.cli.context import console, say, settings, table

app = typer.Typer(help="Versions EA-Tn: list, show, promote, roll back.", no_args_is_help=True)
