"""TIFF through tifffile and imagecodecs: which pages are the image, and their pixels as displayed.

One reading for images, masks and recordings. What a page's tags say of its values is respected or refused:
MinIsWhite gives displayed values (the largest becomes 0), a palette its grey levels, Orientation the picture
the right way up.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from tifffile import COMPRESSION, PLANARCONFIG, TiffPage

from icefloe.datasets.raw import CutOffError, quiet_readers
from icefloe.datasets.tiff_notes import promised_frames, refuse_dimensions
from icefloe.datasets.tiff_values import displayed, displayed_shape, no_codec, refuse_unknown
from icefloe.errors import IcefloeError

SUFFIXES = (".btf", ".tf8", ".tif", ".tiff")

MOST_PAGES_COMPARED = 2000
"""Of longer files the pages are looked at one by one as they are read."""

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def is_tiff(path: Path) -> bool:
    """Whether the file's first bytes are those of a TIFF or BigTIFF, whatever its name."""
    with path.open("rb") as file:
        return file.read(4) in _MAGIC


class TiffImages:
    """The images of a TIFF file that is open: its pages, or the frames behind one page that promises them.

    Parameters
    ----------
    path
        TIFF file that errors name.
    tiff
        That file, open.
    growing
        Pages are still being added: those that are not complete are not counted.

    Attributes
    ----------
    shape
        (H, W) of an image as displayed.
    n_frames
        How many there are.
    chosen
        Which of a file's pages was taken, where others are smaller; empty where all are.
    is_whole
        Whether the chain of pages ends where it should; a growing file's may not.

    Raises
    ------
    IcefloeError
        If only thumbnails are there, or pages differ in size, or have several dimensions.
    CutOffError
        If the file ends before its last page.
    """

    def __init__(self, path: Path, tiff: tifffile.TiffFile, growing: bool = False) -> None:
        self.path, self.tiff, self.chosen = path, tiff, ""
        refuse_dimensions(path, tiff)
        n_pages = _n_complete(tiff) if growing else len(tiff.pages)
        self.is_whole = not growing or _is_chain_whole(tiff)
        if not growing:
            _refuse_broken_chain(tiff)
        promised = 1 if growing else promised_frames(tiff)
        self._pages: list[TiffPage] | None = None
        self._behind_first = promised > n_pages
        self.n_frames = promised if self._behind_first else n_pages
        first = _page(tiff.pages, 0)
        if not self._behind_first and not growing and (1 < n_pages <= MOST_PAGES_COMPARED or first.subifds):
            self._pages, self.chosen = _full_size(path, tiff)
            self.n_frames, first = len(self._pages), self._pages[0]
        _refuse_reduced(path, first)
        self.first = first
        self.shape = displayed_shape(first)

    def frames(self, start: int = 0, indexed: bool = False) -> Iterator[NDArray[Any]]:
        """The images from index `start` on.

        Parameters
        ----------
        start
            Index of the first image wanted.
        indexed
            Give the indices of a palette rather than its grey levels, as masks have their classes.

        Yields
        ------
        any real dtype, shape (H, W)
            Values as displayed.

        Raises
        ------
        IcefloeError
            If a page is in colour, or its tags ask for what can't be done.
        CutOffError
            If its pixels are not all in the file.
        """
        if self._behind_first:
            yield from self._frames_behind_first(start, indexed)
            return
        for index in range(start, self.n_frames):
            page = self._pages[index] if self._pages else _page(self.tiff.pages, index)
            if not _is_complete(self.tiff, page):
                raise CutOffError(index, self.n_frames)
            _refuse_reduced(self.path, page)
            refuse_unknown(self.path, page)
            yield displayed(self.path, page, _decoded(self.path, page), indexed)

    def _frames_behind_first(self, start: int, indexed: bool) -> Iterator[NDArray[Any]]:
        page, file = self.first, self.tiff.filehandle
        refuse_unknown(self.path, page)
        if page.compression != COMPRESSION.NONE or not page.is_contiguous or page.bitspersample % 8:
            raise IcefloeError(
                f"{self.path}: promises {self.n_frames} frames behind one page, packed. "
                "Save it uncompressed, or each frame as a page."
            )
        offset, n_there = page.dataoffsets[0], 0
        n_there = (file.size - offset) // page.nbytes
        if n_there < self.n_frames:
            raise CutOffError(n_there, self.n_frames)
        dtype = np.dtype(page.dtype).newbyteorder(self.tiff.byteorder)
        for index in range(start, self.n_frames):
            file.seek(offset + index * page.nbytes)
            stored = file.read_array(dtype, math.prod(page.shape)).reshape(page.shape)
            yield displayed(self.path, page, stored, indexed)


def _decoded(path: Path, page: TiffPage) -> NDArray[Any]:
    try:
        return page.asarray()
    except ImportError as error:  # known to tifffile, and not among the codecs that are installed
        raise no_codec(path, page) from error


@contextmanager
def opened(path: Path, growing: bool = False) -> Iterator[TiffImages]:
    """The images of a TIFF file; errors as `TiffImages`, and in any way at all where the file is damaged."""
    with quiet_readers(), tifffile.TiffFile(path) as tiff:
        yield TiffImages(path, tiff, growing)


def _full_size(path: Path, tiff: tifffile.TiffFile) -> tuple[list[TiffPage], str]:
    """The pages that are the image itself, not a thumbnail or a mask of it; and which they are, in words."""
    every = [_page(tiff.pages, index) for index in range(len(tiff.pages))]
    # A thumbnail may be the page and the image in its SubIFD, as cameras write it.
    chains = [page.pages for page in every if page.subifds and page.pages is not None]
    inner = [_page(chain, index) for chain in chains for index in range(len(chain))]
    main = [page for page in every if not (page.is_reduced or page.subfiletype & 4)]
    inner = [page for page in inner if not (page.is_reduced or page.subfiletype & 4)]
    area = max((page.imagelength * page.imagewidth for page in main), default=0)
    if any(page.imagelength * page.imagewidth > area for page in inner):
        main, every = inner, [*every, *inner]
    if not main:
        raise IcefloeError(f"{path}: holds only reduced images of one that is not there. Export the image.")
    largest = max(main, key=lambda page: page.imagelength * page.imagewidth)
    size = displayed_shape(largest)
    pages = [page for page in main if displayed_shape(page) == size]
    others = [page for page in main if page not in pages]
    # A colour picture of the same size, with scale bar and label, may stand beside the detector's values.
    greyest = min(page.samplesperpixel for page in pages)
    pages = [page for page in pages if page.samplesperpixel == greyest]
    halves = [page for page in others if 2 * page.imagelength <= largest.imagelength]
    halves = [page for page in halves if 2 * page.imagewidth <= largest.imagewidth]
    if others and (len(pages) > 1 or len(halves) < len(others)):
        other = displayed_shape(others[0])
        raise IcefloeError(
            f"{path}: its pages differ in size ({size[1]}x{size[0]} and {other[1]}x{other[0]}). "
            "Export the images of one size alone."
        )
    left_out = len(every) > len(pages) and len(pages) == 1
    return pages, f"page {every.index(pages[0]) + 1} of {len(every)}" if left_out else ""


def _refuse_reduced(path: Path, page: TiffPage) -> None:
    if page.is_reduced or page.subfiletype & 4:
        raise IcefloeError(
            f"{path}: a reduced image or a mask stands among its pages. Export the images alone."
        )


def _page(pages: tifffile.TiffPages, index: int) -> TiffPage:
    found = pages[index]
    page = found if isinstance(found, TiffPage) else found.aspage()
    lengths = (page.imagewidth, page.imagelength, page.tilewidth, page.tilelength, page.samplesperpixel)
    if not all(isinstance(length, int) for length in lengths):  # a damaged tag is a tuple, or text
        raise ValueError("a length in its header is not one number")
    return page


def _n_complete(tiff: tifffile.TiffFile) -> int:
    n_pages = len(tiff.pages)
    while n_pages and not _is_complete(tiff, _page(tiff.pages, n_pages - 1)):
        n_pages -= 1
    return n_pages


def _is_complete(tiff: tifffile.TiffFile, page: TiffPage) -> bool:
    pieces = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    if page.compression == COMPRESSION.NONE and sum(page.databytecounts) < _n_bytes(page):
        return False
    # A writer may fill in the places of the pixels only when it has written them.
    return bool(pieces) and all(0 < offset <= tiff.filehandle.size - count for offset, count in pieces)


def _n_bytes(page: TiffPage) -> int:
    """Bytes of a page's pixels, uncompressed; rows begin at whole bytes."""
    planes = page.samplesperpixel if page.planarconfig == PLANARCONFIG.SEPARATE else 1
    bits_of_row = page.imagewidth * page.samplesperpixel // planes * page.bitspersample
    return planes * page.imagelength * math.ceil(bits_of_row / 8)


def _is_chain_whole(tiff: tifffile.TiffFile) -> bool:
    try:
        _refuse_broken_chain(tiff)
    except (EOFError, ValueError, struct.error):
        return False
    return True


def _refuse_broken_chain(tiff: tifffile.TiffFile) -> None:
    """Refuse a last page that points on: beyond the file's end, or back to a page before it.

    tifffile only logs that, and gives the pages up to there.
    """
    layout, last = tiff.tiff, tiff.pages[-1]
    tiff.filehandle.seek(last.offset)
    (n_tags,) = struct.unpack(layout.tagnoformat, tiff.filehandle.read(layout.tagnosize))
    tiff.filehandle.seek(last.offset + layout.tagnosize + n_tags * layout.tagsize)
    (following,) = struct.unpack(layout.offsetformat, tiff.filehandle.read(layout.offsetsize))
    if following >= tiff.filehandle.size:
        raise CutOffError(len(tiff.pages), len(tiff.pages) + 1)
    if following:
        raise ValueError("its chain of pages comes back to itself, or leads to no page")
