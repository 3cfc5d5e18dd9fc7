"""OME-TIFF: images in their own units and masks to paint over, with the pixel size, for Fiji and napari."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tifffile

from icefloe.active.exchange.formats import Format, Incoming, Outgoing, Reading
from icefloe.active.exchange.known import Known
from icefloe.active.exchange.png import IMAGES, MASKS, check_levels, masks_in
from icefloe.active.exchange.sources import Source, SourceFile
from icefloe.active.region import inside_any, limited
from icefloe.datasets import plain
from icefloe.datasets.annotations.mask_file import read_mask_file
from icefloe.errors import IcefloeError
from icefloe.typing import IGNORE, FloatArray, MaskArray

SUFFIX, OME = ".ome.tif", ".ome"
SUFFIXES = (".tif", ".tiff")
NOT_TIFF = "not a TIFF"
MAX_FILE_BYTES = 128 * 2**20


class OmeTiff(Format):
    """`images/` and `masks/` of class indices (255 = ignore), by dataset; reads such masks.

    Outside the regions that are to be labelled, a mask is 255.

    Fiji, napari and QuPath open them with their pixel size; what they save may be any TIFF.
    """

    name = "ome-tiff"

    def write(self, items: Sequence[Outgoing], folder: Path) -> None:
        for outgoing in items:
            name = f"{outgoing.item.key}{SUFFIX}"
            _write(folder / IMAGES / name, outgoing.image, outgoing.pixel_size_nm)
            mask = limited(outgoing.premask, outgoing.item.regions)
            _write(folder / MASKS / name, mask, outgoing.pixel_size_nm)

    def read(self, source: Source, items: Known) -> Reading:
        reading = Reading(source.name)
        for file in masks_in(source, reading, SUFFIXES, NOT_TIFF):
            item = items.by_file(_image_name(file, items), file.where, source.folder)
            reading.claim(item)
            mask = _read(file, item.shape, len(item.classes))
            inside = inside_any(item.regions, item.shape)
            if n_ignored := int((mask[inside] == IGNORE).sum()):
                # An editor's white is 255, too.
                reading.notes.append(f"{item.key}: {n_ignored} pixels of 255 are taken as ignore.")
            reading.labels.append(Incoming(item=item, mask=mask, what=file.where, time=file.time))
        return reading


def _write(path: Path, pixels: FloatArray | MaskArray, pixel_size_nm: float | None) -> None:
    described: dict[str, Any] = {"axes": "YX"}
    if pixel_size_nm is not None:
        for axis in "XY":
            described |= {f"PhysicalSize{axis}": pixel_size_nm, f"PhysicalSize{axis}Unit": "nm"}
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, pixels, ome=True, photometric="minisblack", compression="zlib", metadata=described)


def _image_name(file: SourceFile, items: Known) -> str:
    """The file's name as the image would have it, with one ending."""
    plain_name = file.name.with_name(file.name.stem.removesuffix(OME) + file.name.suffix)
    return str(plain_name if items.has_file(str(plain_name)) else file.name)


def _read(file: SourceFile, shape: tuple[int, int], n_classes: int) -> MaskArray:
    with _on_disk(file) as path:
        try:
            stack = plain.stack_from_header(path)
            if stack is not None and stack[1:] != shape:
                raise IcefloeError(
                    f"{path}: mask is {stack[2]}x{stack[1]} but the image is {shape[1]}x{shape[0]}. "
                    "Export the mask at the image's size."
                )
            mask = read_mask_file(path, n_classes).values
        except IcefloeError as error:
            raise IcefloeError(str(error).replace(str(path), file.where)) from error
    check_levels(mask, n_classes, file.where)
    return mask


@contextmanager
def _on_disk(file: SourceFile) -> Iterator[Path]:
    """The file itself, or what a ZIP holds in a folder that is removed afterwards."""
    if file.entry is None:
        yield file.path
        return
    content = file.read(MAX_FILE_BYTES)
    with tempfile.TemporaryDirectory(prefix="icefloe-") as folder:
        path = Path(folder) / f"mask{file.suffix}"
        path.write_bytes(content)
        yield path
