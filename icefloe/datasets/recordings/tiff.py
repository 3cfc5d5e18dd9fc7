"""Multi-page TIFF: plain pages, BigTIFF, ImageJ's and OME's, compressed or not."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from icefloe.datasets import plain
from icefloe.datasets.raw import one_grey_channel, quiet_readers, unreadable
from icefloe.datasets.recordings.layout import Layout, PlainRecording, n_frames_of
from icefloe.datasets.recordings.recording import Frame, FrameRate, Recording, cut_off, frame_rate_of_axis
from icefloe.errors import IcefloeError

SUFFIXES = plain.TIFF


@dataclass(frozen=True)
class TiffRecording(Recording):
    """A recording whose frames are the pages of a TIFF file, found one by one along their chain."""

    def read(self, start: int) -> Iterator[Frame]:
        n_frames = self.n_frames or 0
        with tifffile.TiffFile(self.path) as tiff:
            for index in range(start, n_frames):
                frame = self._page(tiff, index)
                if frame is None:
                    raise cut_off(self.path, index, n_frames)
                yield frame if frame.ndim == 2 else _grey(self.path, frame)

    def _page(self, tiff: tifffile.TiffFile, index: int) -> Frame | None:
        """A page's pixels; None where they are not all in the file."""
        try:
            with quiet_readers():
                page = tiff.pages[index]
                return page.asarray() if _is_complete(tiff, page) else None
        # A damaged page makes a decoder fail in any way at all: struct, zlib, end of file ...
        except Exception as error:
            raise unreadable(self.path, error) from error


def open_tiff(path: Path, growing: bool) -> Recording:
    """A TIFF file as a recording, one page a frame.

    Raises
    ------
    IcefloeError
        If the file is damaged or cut off, or in colour.
    """
    try:
        with quiet_readers(), tifffile.TiffFile(path) as tiff:
            first = tiff.pages.first
            facts: dict[str, Any] = {
                "path": path,
                "shape": (first.imagelength, first.imagewidth),
                "frame_rate": _frame_rate(tiff),
                "pixel_size_nm": plain.tiff_pixel_size_nm(path),
            }
            layout = None if growing else _imagej_layout(tiff)
            if layout is None:
                facts["n_frames"] = _n_pages(path, tiff, growing)
    except IcefloeError:
        raise
    except Exception as error:
        raise unreadable(path, error) from error
    if layout is None:
        return TiffRecording(**facts)
    # ImageJ writes one page and all frames behind it where they take more than 4 GB.
    promised, plain_layout = layout
    n_frames = n_frames_of(path, plain_layout, promised, growing=False)
    return PlainRecording(**facts, n_frames=n_frames, layout=plain_layout)


def _imagej_layout(tiff: tifffile.TiffFile) -> tuple[int, Layout] | None:
    """Number and place of the frames that ImageJ promises; None where its promise is not needed."""
    if not tiff.is_imagej:
        return None
    promised = int((tiff.imagej_metadata or {}).get("images", 1))
    page = tiff.pages.first
    is_plain = page.compression == 1 and page.samplesperpixel == 1 and page.dtype is not None
    if promised <= len(tiff.pages) or not is_plain:
        return None
    dtype = np.dtype(page.dtype).newbyteorder(tiff.byteorder)
    shape = (page.imagelength, page.imagewidth)
    return promised, Layout(page.dataoffsets[0], page.nbytes, shape, dtype)


def _n_pages(path: Path, tiff: tifffile.TiffFile, growing: bool) -> int:
    n_pages = len(tiff.pages)
    if not growing:
        if plain.chain_is_cut(tiff):
            raise cut_off(path, n_pages, n_pages + 1)
        return n_pages
    while n_pages and not _is_complete(tiff, tiff.pages[n_pages - 1]):
        n_pages -= 1
    return n_pages


def _is_complete(tiff: tifffile.TiffFile, page: tifffile.TiffPage | tifffile.TiffFrame) -> bool:
    pieces = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    # A writer may fill in the places of the pixels only when it has written them.
    return bool(pieces) and all(0 < offset <= tiff.filehandle.size - count for offset, count in pieces)


def _grey(path: Path, frame: Frame) -> Frame:
    if frame.ndim != 3:
        raise IcefloeError(f"{path}: pages of {frame.ndim} dimensions are no frames. Export frames as pages.")
    return one_grey_channel(path, frame if frame.shape[-1] <= 4 else np.moveaxis(frame, 0, -1))


def _frame_rate(tiff: tifffile.TiffFile) -> FrameRate | None:
    imagej = tiff.imagej_metadata or {}
    axis = {"units": imagej.get("tunit", "s"), "scale": imagej.get("finterval", 0)}
    if rate := frame_rate_of_axis(axis):
        return FrameRate(rate.hz, "from ImageJ's frame interval")
    if fps := float(imagej.get("fps", 0)):
        return FrameRate.of_interval(1 / fps, "from ImageJ's fps, which may be a speed of playing")
    ome = plain.ome_pixels(tiff)
    axis = {"units": ome.get("TimeIncrementUnit", "s"), "scale": ome.get("TimeIncrement", 0)}
    rate = frame_rate_of_axis(axis)
    return rate and FrameRate(rate.hz, "from OME's time increment")
