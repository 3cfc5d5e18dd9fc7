"""Fuzz the image readers: valid small files with their headers changed, under limits of memory and time.

    python benchmarks/fuzz_headers.py --minutes 60 --output finds

Every input is read by each path (image, mask, stack, size, recording). It must be read, or refused by one
line; anything else is a find and is kept in `--output` with what happened: another exception, a message of
several lines, memory beyond the limit, a read that takes too long, a process that dies. Input number i is
the same in every run, so `--first i --count 1` reads one again. The process that reads has the limits; this
one starts it anew when it dies.
"""

import argparse
import hashlib
import io
import json
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image

MEMORY_BYTES = 6 * 2**30
"""Address space, of which libraries take 2 GB before they read anything."""

SLOW_S, DEAD_S = 10, 60

EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 10**9)


class TooSlow(BaseException):
    """Not an `Exception`, which readers turn into a refusal."""


def _dm(version: int, image: np.ndarray) -> bytes:
    """A DigitalMicrograph file of one image, after the format's published descriptions."""
    wide = version == 4

    def number(value: int) -> bytes:
        return struct.pack(">q" if wide else ">i", value)

    def tag(name: str, value: Any) -> bytes:
        if isinstance(value, dict | list):
            kind, body = 20, group(value, inner=True)
        else:
            kind, body = 21, b"%%%%" + data(value)
        sized = number(len(body)) if wide and kind == 21 else b""
        return struct.pack(">BH", kind, len(name)) + name.encode() + sized + body

    def data(value: Any) -> bytes:
        if isinstance(value, np.ndarray):
            code = {"uint16": 4, "float32": 6}[value.dtype.name]
            return number(3) + number(20) + number(code) + number(value.size) + value.tobytes()
        if isinstance(value, str):
            return data(np.array([ord(letter) for letter in value], np.uint16))
        code, form = (6, "<f") if isinstance(value, float) else (5, "<I")
        return number(1) + number(code) + struct.pack(form, value)

    def group(entries: Any, inner: bool) -> bytes:
        named = entries.items() if isinstance(entries, dict) else [("", entry) for entry in entries]
        body = b"".join(tag(name, value) for name, value in named)
        return b"\1\0" + (number(len(body)) if wide and inner else b"") + number(len(named)) + body

    axis = {"Origin": 0.0, "Scale": 0.5, "Units": "nm"}
    image_data = {
        "Calibrations": {"Brightness": axis, "Dimension": [axis] * image.ndim},
        "Data": image.ravel(),
        "DataType": {"uint16": 10, "float32": 2}[image.dtype.name],
        "Dimensions": list(image.shape[::-1]),
        "PixelDepth": image.itemsize,
    }
    root = {"ImageList": [{"ImageData": image_data, "ImageTags": {"Exposure (s)": 0.1}, "Name": "fuzz"}]}
    content = group(root, inner=False)
    return struct.pack(">i", version) + number(len(content)) + struct.pack(">i", 1) + content + bytes(8)


def _ser(frames: np.ndarray) -> bytes:
    n_frames, rows, columns = frames.shape
    dimension = struct.pack("<I2dI2I", n_frames, 0.0, 1.0, 0, 0, 0)
    table = 22 + 4 + 4 + len(dimension)
    header = struct.pack("<3H4I", 0x4949, 0x0197, 0x0210, 0x4122, 0x4152, n_frames, n_frames)
    calibration = struct.pack("<ddiddihii", 0, 5e-10, 0, 0, 5e-10, 0, 2, columns, rows)
    elements = [calibration + frame.tobytes() + struct.pack("<HHI", 0x4152, 0, 10**9) for frame in frames]
    first, length = table + 8 * n_frames, len(elements[0])
    offsets = [first + index * length for index in range(n_frames)]
    offsets += [first + (index + 1) * length - 8 for index in range(n_frames)]
    places = struct.pack("<II", table, 1) + dimension + struct.pack(f"<{2 * n_frames}I", *offsets)
    return header + places + b"".join(elements)


def _mrc(frames: np.ndarray, order: str) -> bytes:
    n_frames, rows, columns = frames.shape
    header = bytearray(1024)
    struct.pack_into(
        f"{order}4i", header, 0, columns, rows, n_frames, {"int8": 0, "int16": 1}[frames.dtype.name]
    )
    struct.pack_into(f"{order}3i3f", header, 28, columns, rows, n_frames, 80.0, 80.0, 80.0)
    struct.pack_into(f"{order}2f", header, 76, -100, 100)
    header[208:216] = b"MAP " + (b"\x44\x44\0\0" if order == "<" else b"\x11\x11\0\0")
    return bytes(header) + frames.astype(frames.dtype.newbyteorder(order)).tobytes()


def seeds() -> dict[str, bytes]:
    """Valid files, by name; the ending is that of the format."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 4000, (12, 16)).astype(np.uint16)
    frames = rng.integers(0, 100, (3, 12, 16))
    byte = (image >> 5).astype(np.uint8)
    files = {
        "a.dm3": _dm(3, image),
        "float.dm3": _dm(3, image.astype(np.float32)),
        "a.dm4": _dm(4, image),
        "stack.dm4": _dm(4, frames.astype(np.float32)),
        "a.ser": _ser(frames.astype(np.uint16)),
        "one.ser": _ser(frames[:1].astype(np.uint16)),
        "a.mrc": _mrc(frames.astype(np.int16), "<"),
        "big.mrc": _mrc(frames.astype(np.int8), ">"),
    }
    channels = {"photometric": "rgb", "compression": "zlib", "planarconfig": "contig"}
    written: dict[str, tuple[np.ndarray, dict[str, Any]]] = {
        "plain.tif": (image, {}),
        "tiled.tif": (image, {"tile": (16, 16), "compression": "lzw", "predictor": True}),
        "big.tif": (frames.astype(np.uint16), {"bigtiff": True, "compression": "zstd"}),
        "imagej.tif": (
            frames.astype(np.uint16),
            {"imagej": True, "resolution": (2, 2), "metadata": {"unit": "nm"}},
        ),
        "ome.tif": (frames.astype(np.uint8), {"ome": True, "metadata": {"axes": "TYX"}}),
        "rgb.tif": (np.dstack([byte] * 3), channels),
        "jpeg.tif": (byte, {"compression": "jpeg", "byteorder": ">"}),
        "palette.tif": (
            byte,
            {"photometric": "palette", "colormap": np.arange(768).reshape(3, 256).astype("u2")},
        ),
        "white.tif": (byte > 60, {"photometric": "miniswhite", "compression": "packbits"}),
    }
    for name, (pixels, options) in written.items():
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, pixels, **options)
        files[name] = buffer.getvalue()
    exif = Image.Exif()
    exif[0x0112] = 6
    palette = Image.fromarray(byte % 4)
    palette.putpalette(list(range(12)))
    pictures = {"grey.png": Image.fromarray(byte), "deep.png": Image.fromarray(image), "palette.png": palette}
    for name, picture in {**pictures, "a.jpg": Image.fromarray(byte)}.items():
        buffer = io.BytesIO()
        picture.save(buffer, {"png": "PNG", "jpg": "JPEG"}[name[-3:]], exif=exif)
        files[name] = buffer.getvalue()
    return files


def mutated(content: bytes, others: list[bytes], rng: np.random.Generator) -> bytes:
    """A file changed in one to eight places, mostly where its header is."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 9)):
        if not data:
            break
        header = min(len(data), 2048)
        where = int(rng.integers(0, header)) if rng.random() < 0.8 else int(rng.integers(0, len(data)))
        kind = rng.integers(0, 8)
        if kind == 0:
            data[where] ^= 1 << int(rng.integers(0, 8))
        elif kind == 1:
            data[where] = int(rng.integers(0, 256))
        elif kind <= 4:
            order = "<>"[int(rng.integers(0, 2))]
            value = int(rng.choice([*EXTREMES, len(data), int(rng.integers(0, 2**32))]))
            form = "HIQ"[int(rng.integers(0, 3))]
            packed = struct.pack(order + form, value % 2 ** (8 * struct.calcsize(form)))
            data[where : where + len(packed)] = packed
        elif kind == 5:
            del data[where : where + int(rng.integers(1, 64))]
        elif kind == 6:
            length = int(rng.integers(1, 64))
            data[where:where] = data[where : where + length]
        elif rng.random() < 0.3:
            del data[where:]
        else:
            other = others[int(rng.integers(0, len(others)))]
            length = int(rng.integers(1, 128))
            data[where : where + length] = other[where : where + length]
    return bytes(data)


def made(index: int, files: dict[str, bytes]) -> tuple[str, bytes]:
    """Name and content of input number `index`."""
    rng = np.random.default_rng(index)
    name = sorted(files)[index % len(files)]
    alike = [content for other, content in files.items() if other[-3:] == name[-3:]]
    return name, mutated(files[name], alike, rng)


def outcome(path: Path) -> tuple[str, str]:
    """What became of reading a file by every path: `read`, `refused`, or a find, with where it comes from."""
    from icefloe.datasets.readers import image_shape, read_image, read_mask, read_metadata, read_stack
    from icefloe.datasets.recordings.opening import open_recording
    from icefloe.errors import IcefloeError

    def record(path: Path) -> None:
        for _ in open_recording(path).frames():
            pass

    result = "refused"
    for read in (read_image, read_stack, read_mask, image_shape, read_metadata, record):
        try:
            read(path)
            result = "read"
        except IcefloeError as error:
            text = str(error)
            if "\n" in text or len(text) > 500 or "Traceback" in text:
                return "not one line", f"{read.__name__}: {text[:200]!r}"
            if "more memory than there is" in text:
                return "memory", f"{read.__name__}: {_origin(error)}"
        except TooSlow as error:
            return "slow", f"{read.__name__}: {_origin(error)}"
        except BaseException as error:
            return type(error).__name__, f"{read.__name__}: {_origin(error)}: {str(error)[:100]}"
    return result, ""


def _origin(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))


def read_many(first: int, count: int, until: float) -> None:
    """In the process with the limits: read inputs, and print a line of JSON before and after each."""
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def too_slow(*_: Any) -> None:
        raise TooSlow

    signal.signal(signal.SIGALRM, too_slow)
    files = seeds()
    with tempfile.TemporaryDirectory() as folder:
        for index in range(first, first + count):
            if time.time() > until:
                return
            name, content = made(index, files)
            path = Path(folder) / f"fuzz{Path(name).suffix}"
            path.write_bytes(content)
            print(json.dumps([index]), flush=True)
            signal.alarm(SLOW_S)
            try:
                what, where = outcome(path)
            except TooSlow:
                what, where = "slow", "between two reads"
            signal.alarm(0)
            print(json.dumps([index, what, where]), flush=True)


def main() -> None:
    """Read until the time is over, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=10**9)
    parser.add_argument("--output", type=Path, default=Path("finds"))
    parser.add_argument("--worker", type=float, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        read_many(arguments.first, arguments.count, arguments.worker)
        return
    until = time.time() + 60 * arguments.minutes
    files, counts, kinds = seeds(), Counter[tuple[str, str]](), Counter[tuple[str, str, str]]()
    index, end = arguments.first, arguments.first + arguments.count
    arguments.output.mkdir(parents=True, exist_ok=True)

    def note(number: int, what: str, where: str) -> None:
        name, content = made(number, files)
        counts[Path(name).suffix, what if what in ("read", "refused") else "find"] += 1
        if what in ("read", "refused"):
            return
        kinds[Path(name).suffix, what, where] += 1
        if kinds[Path(name).suffix, what, where] == 1:
            digest = hashlib.sha256(content).hexdigest()[:8]
            (arguments.output / f"{number}_{digest}{Path(name).suffix}").write_bytes(content)
            print(f"{number} {name} {what}: {where}", flush=True)

    while index < end and time.time() < until:
        worker = [sys.executable, __file__, "--worker", str(until), "--first", str(index)]
        process = subprocess.Popen(
            [*worker, "--count", str(end - index)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        begun, before = None, index
        signal.signal(signal.SIGALRM, lambda *_, process=process: process.kill())
        assert process.stdout is not None
        for line in process.stdout:
            signal.alarm(DEAD_S)
            number, *found = json.loads(line)
            begun, index = (None, number + 1) if found else (number, number)
            if found:
                note(number, *found)
        signal.alarm(0)
        code = process.wait()
        if begun is not None:  # it died in the midst of one
            note(begun, "died", f"exit code {code}")
            index = begun + 1
        elif code != 0 and index == before:
            sys.exit("The process that reads does not start; run it with --worker to see why.")
    print(f"{index - arguments.first:,} inputs, {sum(kinds.values())} finds of {len(kinds)} kinds")
    for (suffix, what), n in sorted(counts.items()):
        print(f"{suffix} {what}: {n:,}")


if __name__ == "__main__":
    main()
