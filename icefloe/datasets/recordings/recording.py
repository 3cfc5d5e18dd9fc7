"""What every recording is: frames in order, one at a time, and what the file says of them."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icefloe.datasets.units import SECONDS
from icefloe.errors import IcefloeError

Frame = NDArray[Any]


@dataclass(frozen=True)
class FrameRate:
    """How fast the camera was, and who says so.

    Attributes
    ----------
    hz
        Frames a second, exact: 30000/1001 of NTSC video has no float.
    source
        Where the number comes from, in words that end a sentence, such as `from the file's time axis`.
    is_even
        Whether frames follow each other at this rate; else it is an average, and each has its own time.
    """

    hz: Fraction
    source: str
    is_even: bool = True

    @classmethod
    def of_interval(cls, seconds: float, source: str) -> "FrameRate | None":
        """The rate of frames `seconds` apart; None where that is no time at all.

        A float near a rate that cameras have (25, 29.97 = 30000/1001, 400) becomes that rate: the
        denominator is at most 1001.
        """
        if not 0 < seconds < 1e6:
            return None
        return cls(Fraction(1 / seconds).limit_denominator(1001), source)


@dataclass(frozen=True)
class Recording(ABC):
    """A camera's frames in a file or folder, read one after the other.

    Attributes
    ----------
    path
        File or folder that the frames are in.
    shape
        (H, W) of a frame in pixels.
    n_frames
        How many there are; None where only reading to the end tells.
    frame_rate
        None where the file does not say.
    pixel_size_nm
        Edge of a square pixel; None where the file does not say.
    times_s
        Time of each frame in s from the first, by the file's time stamps, where they are not even; None where
        frames are as far apart as the rate says.
    """

    path: Path
    shape: tuple[int, int]
    n_frames: int | None
    frame_rate: FrameRate | None
    pixel_size_nm: float | None
    times_s: tuple[float, ...] | None = field(default=None, kw_only=True)

    @abstractmethod
    def read(self, start: int) -> Iterator[Frame]:
        """Frames from index `start` on as stored, unchecked."""

    def frames(self, start: int = 0) -> Iterator[Frame]:
        """Frames from index `start` on; what came before is not held in memory.

        Yields
        ------
        any real dtype, shape (H, W)
            Intensity in the file's own units.

        Raises
        ------
        IcefloeError
            If a frame can't be read, has another size than the first, or has NaN or infinite pixels.
        """
        for index, frame in enumerate(self.read(start), start):
            if frame.shape != self.shape:
                raise IcefloeError(
                    f"{self.path}: frame {index} is {frame.shape[1]}x{frame.shape[0]} but the first is "
                    f"{self.shape[1]}x{self.shape[0]}. Stack frames of one size only."
                )
            # One NaN makes the sum NaN, and a sum is faster than looking at each pixel.
            if frame.dtype.kind == "f" and not np.isfinite(frame.sum(dtype=np.float64)):
                raise IcefloeError(
                    f"{self.path}: frame {index} has NaN or infinite pixels. Repair or remove that frame."
                )
            yield frame


def frame_rate_of_axis(axis: dict[str, Any]) -> FrameRate | None:
    """The rate by RosettaSciIO's description of a stack's first axis; None unless that axis is time."""
    factor = SECONDS.get(str(axis.get("units") or "").strip().lower())
    if factor is None:
        return None
    return FrameRate.of_interval(float(axis.get("scale") or 0) * factor, "from the file's time axis")


def cut_off(path: Path, found: int, promised: int) -> IcefloeError:
    """The error for a file that ends before its last frame."""
    return IcefloeError(
        f"{path}: cut off after {found} of {promised} frames. "
        "Copy it again, or stack the frames that are there with `icefloe watch`."
    )
