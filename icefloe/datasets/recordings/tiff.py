"""Multi-page TIFF: plain pages, BigTIFF, ImageJ's and OME's, compressed or not."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import tifffile

from icefloe.datasets import plain, tiff, tiff_notes
from icefloe.datasets.raw import CutOffError, unreadable
from icefloe.datasets.recordings.recording import Frame, FrameRate, Recording, cut_off, frame_rate_of_axis
from icefloe.errors import IcefloeError


@dataclass(frozen=True)
class TiffRecording(Recording):
    """A recording whose frames are the pages of a TIFF file, found one by one along their chain.

    Attributes
    ----------
    growing
        Whether pages were still being added when it was opened.
    """

    growing: bool

    def read(self, start: int) -> Iterator[Frame]:
        try:
            with tiff.opened(self.path, self.growing) as images:
                yield from islice(images.frames(start), max(0, (self.n_frames or 0) - start))
        except CutOffError as error:
            raise cut_off(self.path, error.found, error.promised) from error
        except IcefloeError:
            raise
        # A damaged page makes a decoder fail in any way at all: struct, zlib, end of file ...
        except Exception as error:
            raise unreadable(self.path, error) from error


def open_tiff(path: Path, growing: bool) -> TiffRecording:
    """A TIFF file as a recording, one page a frame.

    Raises
    ------
    IcefloeError
        If the file is damaged or cut off, in colour, or holds images of several sizes.
    """
    try:
        with tiff.opened(path, growing) as images:
            return TiffRecording(
                path=path,
                shape=images.shape,
                n_frames=images.n_frames,
                frame_rate=_frame_rate(images.tiff),
                pixel_size_nm=plain.tiff_pixel_size_nm(path, growing),
                growing=growing,
            )
    except CutOffError as error:
        raise cut_off(path, error.found, error.promised) from error
    except IcefloeError:
        raise
    except Exception as error:
        raise unreadable(path, error) from error


def _frame_rate(file: tifffile.TiffFile) -> FrameRate | None:
    imagej = file.imagej_metadata or {}
    axis = {"units": imagej.get("tunit", "s"), "scale": imagej.get("finterval", 0)}
    if rate := frame_rate_of_axis(axis):
        return FrameRate(rate.hz, "from ImageJ's frame interval")
    if fps := float(imagej.get("fps", 0)):
        return FrameRate.of_interval(1 / fps, "from ImageJ's fps, which may be a speed of playing")
    ome = tiff_notes.ome_pixels(file)
    axis = {"units": ome.get("TimeIncrementUnit", "s"), "scale": ome.get("TimeIncrement", 0)}
    rate = frame_rate_of_axis(axis)
    return rate and FrameRate(rate.hz, "from OME's time increment")
