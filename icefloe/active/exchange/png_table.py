"""`items.csv`: what a person writes beside painted masks, and spreadsheets save in their own ways."""

import csv
import io
from collections.abc import Mapping

from icefloe.active.exchange.known import Known
from icefloe.active.exchange.sources import SourceFile, shown
from icefloe.errors import IcefloeError

TABLE = "items.csv"
REGIONS = "regions"
"""Column of `top left height width` in px of what is to be labelled; empty: all of the image."""
COLUMNS = ("dataset", "stem", "strategy", "score", "rank", "reason", REGIONS, "author", "time", "seconds")
MAX_TABLE_BYTES = 16 * 2**20

_SEPARATORS = (",", ";", "\t")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_table(file: SourceFile, items: Known) -> dict[str, Mapping[str, str]]:
    """Rows by sample key, separated by commas, semicolons or tabs, as spreadsheets of any language save them.

    Raises
    ------
    IcefloeError
        If it is no such table, lacks the columns `dataset` and `stem`, or has two rows of one image or one of
        an image that is not in the queue.
    """
    lines = _text(file).splitlines()
    separator = None
    if lines and lines[0].lower().startswith("sep="):
        separator = lines.pop(0)[4:5] or None
    heading = lines[0] if lines else ""
    separator = separator or max(_SEPARATORS, key=heading.count)
    try:
        table = csv.DictReader(io.StringIO("\n".join(lines), newline=""), delimiter=separator, strict=True)
        found = [name.strip().lower() for name in table.fieldnames or ()]
        table.fieldnames = found
        rows = [{name: _cell(row.get(name)) for name in COLUMNS} for row in table]
    except (csv.Error, TypeError) as error:
        raise IcefloeError(f"{file.where}: not a CSV table ({error}). Save it as CSV.") from error
    if not {"dataset", "stem"} <= set(found):
        raise IcefloeError(
            f"{file.where}: no columns `dataset` and `stem`, but {shown(', '.join(found)) or 'none'}. "
            "Keep the heading as it was exported."
        )
    by_key: dict[str, Mapping[str, str]] = {}
    for row in rows:
        if not any(row.values()):
            continue
        key = items.by_key(row["dataset"], row["stem"], file.where).key
        if key in by_key:
            raise IcefloeError(f"{file.where}: two rows of {key}. Leave one.")
        by_key[key] = row
    return by_key


def _text(file: SourceFile) -> str:
    content = file.read(MAX_TABLE_BYTES)
    encoding = "utf-16" if content.startswith(_UTF_16) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise IcefloeError(
            f"{file.where}: not a table in UTF-8 ({error.reason}). Save it as `CSV UTF-8`."
        ) from error


def _cell(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
