"""Writers of recordings, each of them independent of the readers under test."""

import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

Writer = Callable[[Path, NDArray], Path]


def write_mrc(path: Path, frames: NDArray, pixel_size_nm: float = 0.5, promised: int | None = None) -> Path:
    """MRC2014: 1024 bytes of header, then the frames."""
    n_frames, rows, columns = frames.shape
    mode = {"uint8": 0, "int16": 1, "float32": 2, "uint16": 6}[frames.dtype.name]
    header = bytearray(1024)
    struct.pack_into("<4i", header, 0, columns, rows, promised or n_frames, mode)
    struct.pack_into("<3i", header, 28, columns, rows, n_frames)
    cell = 10 * pixel_size_nm  # ångström
    struct.pack_into("<3f", header, 40, cell * columns, cell * rows, cell * n_frames)
    if frames.size:
        struct.pack_into("<2f", header, 76, frames.min(), frames.max())
    header[208:216] = b"MAP \x44\x44\0\0"
    path.write_bytes(bytes(header) + frames.tobytes())
    return path


def write_ser(path: Path, frames: NDArray, seconds: float = 0.0, pixel_size_m: float = 5e-10) -> Path:
    """A TIA series (version 0x210): header, offsets, then calibration, pixels bottom up and time of each."""
    n_frames, rows, columns = frames.shape
    kind = {"uint8": 1, "uint16": 2, "int32": 6, "float32": 7}[frames.dtype.name]
    dimension = struct.pack("<I2dI2I", n_frames, 0.0, 1.0, 0, 0, 0)
    table = 22 + 4 + 4 + len(dimension)
    header = struct.pack("<3H4I", 0x4949, 0x0197, 0x0210, 0x4122, 0x4152, n_frames + 3, n_frames)
    elements, offsets = [], []
    place = table + 2 * 4 * (n_frames + 3)  # offsets of frames and of tags, for all that were asked for
    for index, frame in enumerate(frames):
        calibration = struct.pack("<ddiddihii", 0, pixel_size_m, 0, 0, pixel_size_m, 0, kind, columns, rows)
        time = int(1.6e9 + seconds * index / max(n_frames - 1, 1))
        elements.append(calibration + frame[::-1].tobytes() + struct.pack("<HHI", 0x4152, 0, time))
        offsets.append(place)
        place += len(elements[-1])
    offsets += [0] * (2 * (n_frames + 3) - n_frames)
    content = header + struct.pack("<II", table, 1) + dimension + struct.pack(f"<{len(offsets)}I", *offsets)
    path.write_bytes(content + b"".join(elements))
    return path


def write_video(
    path: Path,
    frames: NDArray,
    codec: str,
    stored_as: str,
    rate: Fraction | int = 25,
    given_as: str | None = None,
) -> Path:
    """A video by PyAV; lossless where the codec is."""
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = stored_as
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format=given_as or stored_as)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def write_timed_video(path: Path, stamps: Sequence[int], time_base: Fraction) -> Path:
    """A video whose frames, brighter one after the other, are shown at the given times."""
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        stream.time_base = stream.codec_context.time_base = time_base
        for index, stamp in enumerate(stamps):
            grey = np.full((48, 64), 20 + 5 * index % 200, np.uint8)
            picture = av.VideoFrame.from_ndarray(grey, format="gray")
            picture.pts, picture.time_base = stamp, time_base
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def write_imagej_avi(path: Path, frames: NDArray, rate: int) -> Path:
    """Uncompressed 8-bit AVI with a grey palette, bottom up, as ImageJ saves it."""
    n_frames, rows, columns = frames.shape
    assert columns % 4 == 0
    size = rows * columns

    def chunk(name: bytes, content: bytes) -> bytes:
        return name + struct.pack("<I", len(content)) + content

    def group(name: bytes, *chunks: bytes) -> bytes:
        return chunk(b"LIST", name + b"".join(chunks))

    palette = b"".join(bytes((grey, grey, grey, 0)) for grey in range(256))
    bitmap = struct.pack("<IiiHHIIiiII", 40, columns, rows, 1, 8, 0, size, 0, 0, 256, 0) + palette
    main = struct.pack("<14I", 10**6 // rate, 0, 0, 16, n_frames, 0, 1, 0, columns, rows, 0, 0, 0, 0)
    stream = (
        b"vids"
        + b"DIB "
        + struct.pack(
            "<IHHIIIIIIIIhhhh", 0, 0, 0, 0, 1, rate, 0, n_frames, size, 0xFFFFFFFF, 0, 0, 0, columns, rows
        )
    )
    headers = group(
        b"hdrl", chunk(b"avih", main), group(b"strl", chunk(b"strh", stream), chunk(b"strf", bitmap))
    )
    movie = group(b"movi", *(chunk(b"00db", frame[::-1].tobytes()) for frame in frames))
    path.write_bytes(chunk(b"RIFF", b"AVI " + headers + movie))
    return path


def write_folder(path: Path, frames: NDArray) -> Path:
    """One PNG a frame; the numbers are not padded, so that only natural order is right."""
    path.mkdir()
    for index, frame in enumerate(frames):
        Image.fromarray(frame).save(path / f"frame {index}.png")
    return path


def write_parts(path: Path, frames: NDArray) -> Path:
    """A recording that the camera split into three files."""
    path.mkdir()
    for index, part in enumerate(np.array_split(frames, 3)):
        write_mrc(path / f"part{index + 9}.mrc", part)
    return path


def write_growing_tiff(path: Path, frames: NDArray) -> Path:
    """A page for each frame, as a camera's software adds them."""
    with tifffile.TiffWriter(path) as tiff:
        for frame in frames:
            tiff.write(frame, contiguous=False, metadata=None)
    return path


WRITERS: dict[str, tuple[str, Writer]] = {
    "pages": ("r.tif", write_growing_tiff),
    "BigTIFF": ("r.btf", lambda path, frames: tifffile.imwrite(path, frames, bigtiff=True) or path),
    "ImageJ": ("r.tif", lambda path, frames: tifffile.imwrite(path, frames, imagej=True) or path),
    "deflated": ("r.tif", lambda path, frames: tifffile.imwrite(path, frames, compression="zlib") or path),
    "MRC": ("r.mrc", write_mrc),
    "MRCS": ("r.mrcs", write_mrc),
    "SER": ("r.ser", write_ser),
    "NumPy": ("r.npy", lambda path, frames: np.save(path, frames) or path),
    "AVI": ("r.avi", lambda path, frames: write_video(path, frames, "rawvideo", "gray")),
    "AVI of ImageJ": ("r.avi", lambda path, frames: write_imagej_avi(path, frames, 25)),
    "MKV": ("r.mkv", lambda path, frames: write_video(path, frames, "ffv1", "gray")),
    "folder": ("r", write_folder),
    "folder of parts": ("r", write_parts),
}


@pytest.fixture
def frames(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Eleven frames of 12 x 16 pixels, all different."""
    return rng.integers(0, 256, (11, 12, 16)).astype(np.uint8)


@pytest.fixture(params=WRITERS)
def recording_path(request: pytest.FixtureRequest, tmp_path: Path, frames: NDArray[np.uint8]) -> Path:
    """The same eleven frames in every format."""
    name, write = WRITERS[request.param]
    return write(tmp_path / name, frames)


@pytest.fixture
def write() -> type:
    """The writers by name, for tests of one format."""

    class Write:
        mrc = staticmethod(write_mrc)
        ser = staticmethod(write_ser)
        video = staticmethod(write_video)
        timed_video = staticmethod(write_timed_video)
        imagej_avi = staticmethod(write_imagej_avi)
        folder = staticmethod(write_folder)
        pages = staticmethod(write_growing_tiff)

    return Write
