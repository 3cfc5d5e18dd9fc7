"""Parameters that several routes have."""

from typing import Annotated

from fastapi import Path

LARGEST_ID = 2**31 - 1
"""PostgreSQL's integers end there."""

RowId = Annotated[int, Path(ge=1, le=LARGEST_ID)]
"""Number of a row, in a path."""
