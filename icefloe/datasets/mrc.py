"""MRC files (MRC2014, IMOD's and older ones): what the header says, and the image or stack behind it.

Cheng et al., J. Struct. Biol. 192 (2015) 146, and IMOD's description of the format.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icefloe.datasets.raw import CutOffError, RawImage, refuse_too_large, unreadable
from icefloe.datasets.units import pixel_size_nm
from icefloe.errors import IcefloeError

SUFFIXES = (".ali", ".mrc", ".mrcs")

HEADER_BYTES = 1024

_SIGNED, _UNSIGNED = "i1", "u1"
_DTYPES = {0: _SIGNED, 1: "i2", 2: "f4", 6: "u2", 12: "f2"}
_STAMPS = {b"\x44": "<", b"\x11": ">"}
"""First byte of the machine stamp: the byte order of all numbers."""

_IMOD_STAMP, _IMOD_SIGNED_BYTES = 1146047817, 1


@dataclass(frozen=True)
class MrcHeader:
    """What an MRC header says of its frames.

    Attributes
    ----------
    shape
        (H, W) of a frame in pixels.
    n_frames
        Number of sections that the header promises.
    dtype
        Stored type, with its byte order.
    offset
        Byte of the first frame's first pixel.
    pixel_size_nm
        Edge of a square pixel; None where the header has no sampling (MX, MY) or no cell.
    is_sign_unknown
        Whether nothing in the header tells if its bytes are signed.
    """

    shape: tuple[int, int]
    n_frames: int
    dtype: np.dtype
    offset: int
    pixel_size_nm: float | None
    is_sign_unknown: bool = False

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame's pixels."""
        return self.shape[0] * self.shape[1] * self.dtype.itemsize

    @property
    def end(self) -> int:
        """Byte behind the last frame that is promised."""
        return self.offset + self.n_frames * self.frame_bytes


def read_header(path: Path) -> MrcHeader:
    """The header of an MRC file, in either byte order.

    The machine stamp tells the order; where it is missing or leads to no header, the order that fits the
    file's length counts. Bytes (mode 0) are signed, as MRC2014 has it, unless IMOD's stamp or the header's
    own extremes say that they are not.

    Raises
    ------
    IcefloeError
        If it is no MRC file of grey values, or its bytes may be either signed or not.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        content = file.read(HEADER_BYTES)
    if len(content) < HEADER_BYTES:
        raise unreadable(path, EOFError(f"{len(content)} bytes, less than a header"))
    stamped = _STAMPS.get(content[212:213], "<")
    orders = (stamped, "<" if stamped == ">" else ">")
    candidates = [header for order in orders if (header := _parsed(content, order)) is not None]
    if not candidates:
        raise IcefloeError(
            f"{path}: not an MRC file of 8, 16 or 32 bit grey values. "
            "Export it as TIFF or as such an MRC file."
        )
    # The wrong order makes a few pixels into billions, which no file holds.
    return next((header for header in candidates if header.end <= size), candidates[0])


def read_mrc(path: Path) -> RawImage:
    """The image of an MRC file, or its stack.

    Raises
    ------
    IcefloeError
        If it is no MRC file of grey values, or larger than what is read at once.
    CutOffError
        If the file ends before its last frame.
    """
    header = read_header(path)
    n_there = (path.stat().st_size - header.offset) // header.frame_bytes
    if n_there < header.n_frames:
        raise CutOffError(max(n_there, 0), header.n_frames)
    shape = (header.n_frames, *header.shape)
    refuse_too_large(path, shape)
    data = np.fromfile(path, header.dtype, count=int(np.prod(shape)), offset=header.offset).reshape(shape)
    refuse_unknown_sign(path, header, data)
    return RawImage(data[0] if len(data) == 1 else data, header.pixel_size_nm)


def refuse_unknown_sign(path: Path, header: MrcHeader, pixels: NDArray[Any]) -> None:
    """Refuse bytes that are one value if they are signed and another if not, where nothing tells which.

    Parameters
    ----------
    path
        MRC file that the error names.
    header
        Header of that file, which says whether the sign is known.
    pixels : int8, any shape
        Grey values read from it as signed bytes.

    Raises
    ------
    IcefloeError
        If the header does not tell, and it matters to one of the pixels.
    """
    if header.is_sign_unknown and pixels.min() < 0:
        raise IcefloeError(
            f"{path}: its bytes are values up to 255 or from -128 on, and the header does not tell which. "
            "Save it as 16 bit, or as MRC2014."
        )


def _parsed(content: bytes, order: str) -> MrcHeader | None:
    """The header in one byte order; None where its numbers can't be a header's."""
    columns, rows, sections, mode = struct.unpack_from(f"{order}4i", content)
    sampling = struct.unpack_from(f"{order}2i", content, 28)
    cell = struct.unpack_from(f"{order}2f", content, 40)
    (extended,) = struct.unpack_from(f"{order}i", content, 92)
    if mode not in _DTYPES or min(columns, rows) < 1 or min(sections, extended) < 0:
        return None
    kind, is_sign_unknown = _kind_of_bytes(content, order) if mode == 0 else (_DTYPES[mode], False)
    axes = [
        {"units": "Å", "scale": length / n if n > 0 else 0}
        for length, n in zip(reversed(cell), reversed(sampling), strict=True)
    ]
    return MrcHeader(
        shape=(rows, columns),
        n_frames=sections,
        dtype=np.dtype(order + kind),
        offset=HEADER_BYTES + extended,
        pixel_size_nm=pixel_size_nm(axes),
        is_sign_unknown=is_sign_unknown,
    )


def _kind_of_bytes(content: bytes, order: str) -> tuple[str, bool]:
    """Type of mode 0, and whether that is a guess: by IMOD's flag, the header's extremes, or MRC2014."""
    stamp, flags = struct.unpack_from(f"{order}2i", content, 152)
    if stamp == _IMOD_STAMP:
        return (_SIGNED if flags & _IMOD_SIGNED_BYTES else _UNSIGNED), False
    lowest, highest = struct.unpack_from(f"{order}2f", content, 76)
    if lowest < highest and lowest < 0:  # a maximum below the minimum means that nobody looked
        return _SIGNED, False
    if lowest < highest:
        return (_UNSIGNED if highest > 127 else _SIGNED), False
    return _SIGNED, content[208:211] != b"MAP"
