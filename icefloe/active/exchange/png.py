"""PNG masks and a table: what any image editor can work on."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from icefloe.active.exchange.formats import (
    Format,
    Incoming,
    Known,
    Outgoing,
    parse_seconds,
    parse_time,
    purpose_columns,
    write_viewable,
)
from icefloe.active.uploads import encode_png, read_mask_upload
from icefloe.errors import IcefloeError
from icefloe.files import write_bytes_atomic, write_text_atomic
from icefloe.typing import IGNORE, MaskArray

TABLE = "items.csv"
COLUMNS = ("dataset", "stem", "strategy", "score", "rank", "reason", "author", "time", "seconds")


class PngMasks(Format):
    """`images/`, `masks/` to be painted over, and `items.csv` with columns for author, time and seconds.

    A mask of two classes is black and white, so that it can be seen; one of more, or with ignored pixels,
    holds the class indices.
    """

    name = "png"

    def write(self, items: Sequence[Outgoing], folder: Path) -> None:
        text = io.StringIO(newline="")
        table = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
        table.writeheader()
        for outgoing in items:
            item = outgoing.item
            write_viewable(folder / "images" / outgoing.image_name, outgoing.image)
            painted = _paintable(outgoing.premask, len(item.classes))
            write_bytes_atomic(folder / "masks" / outgoing.image_name, encode_png(painted))
            table.writerow({"dataset": item.dataset, "stem": item.stem, **purpose_columns(item)})
        write_text_atomic(folder / TABLE, text.getvalue())

    def read(self, source: Path, items: Known) -> list[Incoming]:
        table = source / TABLE
        rows = _read_table(table, items) if table.is_file() else {}
        masks = source / "masks" if (source / "masks").is_dir() else source
        labels = []
        for path in sorted(masks.rglob("*.png")):
            item = items.by_file(path.relative_to(masks).as_posix(), path)
            row = rows.get(item.key, {})
            where = f"{table}: {item.key}"
            labels.append(
                Incoming(
                    item=item,
                    mask=read_mask_upload(path.read_bytes(), item.shape, len(item.classes), str(path)),
                    what=str(path),
                    author=row.get("author") or None,
                    time=parse_time(row.get("time"), where) or path.stat().st_mtime,
                    seconds=parse_seconds(row.get("seconds"), where),
                )
            )
        return labels


def _paintable(mask: MaskArray, n_classes: int) -> MaskArray:
    black_and_white = n_classes == 2 and IGNORE not in mask
    return mask * np.uint8(IGNORE) if black_and_white else mask


def _read_table(path: Path, items: Known) -> dict[str, Mapping[str, str]]:
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise IcefloeError(f"{path}: not a CSV table in UTF-8 ({error}). Save it as such.") from error
    return {items.by_key(row.get("dataset"), row.get("stem"), path).key: row for row in rows}
