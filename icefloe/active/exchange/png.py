"""PNG masks and a table: what any image editor can work on."""

import csv
import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from icefloe.active.exchange.formats import (
    Format,
    Incoming,
    Outgoing,
    Reading,
    purpose_columns,
    write_viewable,
)
from icefloe.active.exchange.known import Known
from icefloe.active.exchange.png_table import COLUMNS, REGIONS, TABLE, read_table
from icefloe.active.exchange.sources import Source, SourceFile
from icefloe.active.exchange.values import parse_seconds, parse_time
from icefloe.active.items import Item
from icefloe.active.region import limited, regions_text
from icefloe.active.uploads import MAX_MASK_BYTES, decode_upload, encode_png
from icefloe.datasets.annotations.mask_file import MaskFile, White
from icefloe.errors import IcefloeError
from icefloe.files import write_bytes_atomic, write_text_atomic
from icefloe.typing import IGNORE, MaskArray

IMAGES, MASKS = "images", "masks"

NOT_PNG = "not a PNG"
NOT_IN_MASKS = "not in the folder `masks`"


class PngMasks(Format):
    """`images/`, `masks/` to be painted over, and `items.csv` with columns for author, time and seconds.

    A mask of two classes is black and white, so that it can be seen; one of more, or with ignored pixels,
    holds the class indices. Where only regions are to be labelled, the table names them; outside them, class
    indices are 255 and black and white is black.
    """

    name = "png"

    def write(self, items: Sequence[Outgoing], folder: Path) -> None:
        text = io.StringIO(newline="")
        table = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
        table.writeheader()
        for outgoing in items:
            item = outgoing.item
            write_viewable(folder / IMAGES / outgoing.image_name, outgoing)
            painted = _paintable(outgoing.premask, item)
            write_bytes_atomic(folder / MASKS / outgoing.image_name, encode_png(painted))
            row = {"dataset": item.dataset, "stem": item.stem, **purpose_columns(item)}
            table.writerow({**row, REGIONS: regions_text(item.regions)})
        write_text_atomic(folder / TABLE, text.getvalue())

    def read(self, source: Source, items: Known) -> Reading:
        reading = Reading(source.name)
        tables = [file for file in source.files if file.name.name.lower() == TABLE]
        if len(tables) > 1:
            raise IcefloeError(f"{source.name}: {len(tables)} tables {TABLE} in it. Leave one.")
        table = tables[0] if tables else None
        rows = {} if table is None else read_table(table, items)
        painted = []
        for file in masks_in(source, reading, (".png",), NOT_PNG):
            item = items.by_file(str(file.name), file.where, source.folder)
            reading.claim(item)
            n_classes = len(item.classes)
            shown = decode_upload(file.read(MAX_MASK_BYTES), item.shape, n_classes, file.where)
            painted.append(Painted(file, item, shown))
        for one, mask in zip(painted, class_indices(painted), strict=True):
            row = rows.get(one.item.key, {})
            where = f"{source.name if table is None else table.where}: {one.item.key}"
            reading.labels.append(
                Incoming(
                    item=one.item,
                    mask=mask,
                    what=one.file.where,
                    author=row.get("author") or None,
                    time=parse_time(row.get("time"), where) or one.file.time,
                    seconds=parse_seconds(row.get("seconds"), where),
                )
            )
        return reading


@dataclass(frozen=True)
class Painted:
    """A mask as an image editor saved it."""

    file: SourceFile
    item: Item
    shown: MaskFile


def class_indices(painted: Sequence[Painted]) -> list[MaskArray]:
    """The masks as class indices; each uint8, shape (H, W), 255 = ignore.

    Nothing but black and white is background and the second of two classes, as masks without ignored pixels
    are exported; other levels are class indices.

    Raises
    ------
    IcefloeError
        If a mask holds levels that are no class, or 255 could mean class or ignore.
    """
    present: dict[int, list[frozenset[int]]] = defaultdict(list)
    for one in painted:
        present[len(one.item.classes)].append(one.shown.present)
    # A mask that is white all over is one of black and white: the others need not show it.
    whites = {n: replace(White.of(values, n), as_class=True) for n, values in present.items()}
    masks = []
    for one in painted:
        n_classes = len(one.item.classes)
        mask = whites[n_classes].class_indices(one.shown, one.file.where)
        check_levels(mask, n_classes, one.file.where)
        masks.append(mask)
    return masks


def check_levels(mask: MaskArray, n_classes: int, what: str) -> None:
    """Refuse values that are no class, such as a soft brush leaves between two.

    Raises
    ------
    IcefloeError
        If a mask, uint8 of shape (H, W), holds such values; `what` is the file that it names.
    """
    unknown = np.unique(mask[(mask >= n_classes) & (mask != IGNORE)])
    if unknown.size:
        shown = ", ".join(map(str, unknown[:5])) + (", ..." if unknown.size > 5 else "")
        raise IcefloeError(
            f"{what}: {np.isin(mask, unknown).sum()} pixels are of no class (grey levels {shown}), as a soft "
            f"brush leaves them. Use 0 and 255 only, or class indices 0 to {n_classes - 1}."
        )


def masks_in(source: Source, reading: Reading, suffixes: Sequence[str], otherwise: str) -> list[SourceFile]:
    """The mask files; where there is a folder `masks`, only what is in it.

    Parameters
    ----------
    source
        What a person handed over.
    reading
        Told of the files that are none.
    suffixes
        Endings of masks, in lower case.
    otherwise
        Why files of other endings are none.
    """
    has_folder = any(MASKS in _folders(file) for file in source.files)
    masks = []
    for file in source.files:
        if IMAGES in _folders(file) or file.name.name.lower() == TABLE:
            continue
        if file.suffix in suffixes and (not has_folder or MASKS in _folders(file)):
            masks.append(file)
        else:
            reading.leave(str(file.name), NOT_IN_MASKS if file.suffix in suffixes else otherwise)
    return masks


def _folders(file: SourceFile) -> list[str]:
    return [part.lower() for part in file.name.parts[:-1]]


def _paintable(mask: MaskArray, item: Item) -> MaskArray:
    black_and_white = len(item.classes) == 2 and IGNORE not in mask
    return mask * np.uint8(IGNORE) if black_and_white else limited(mask, item.regions)
