"""Recordings in microscopes' containers (DigitalMicrograph, Velox, HyperSpy, ...), read block by block."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask.array
import numpy as np

from icefloe.datasets.containers import choose_image
from icefloe.datasets.raw import grey_from_fields, quiet_readers, unreadable
from icefloe.datasets.recordings.recording import Frame, FrameRate, Recording, frame_rate_of_axis
from icefloe.datasets.units import SECONDS, pixel_size_nm
from icefloe.errors import IcefloeError

_BLOCK = "64MiB"


@dataclass(frozen=True)
class ContainerRecording(Recording):
    """A stack that RosettaSciIO opens without reading it."""

    stack: Any

    def read(self, start: int) -> Iterator[Frame]:
        first = 0
        for n_frames in self.stack.chunks[0]:
            if first + n_frames > start:
                block = self._block(max(first, start), first + n_frames)
                yield from block
            first += n_frames

    def _block(self, start: int, stop: int) -> Frame:
        try:
            with quiet_readers():
                block = self.stack[start:stop].compute(scheduler="synchronous")
        # A file that is cut off fails here, in whatever way its reader has.
        except Exception as error:
            raise unreadable(self.path, error) from error
        return grey_from_fields(self.path, block) if block.dtype.names else np.asarray(block)


def open_container(path: Path) -> ContainerRecording:
    """A container's stack of images as a recording; a single image is a recording of one frame.

    Raises
    ------
    IcefloeError
        If the file is damaged, or holds no image or stack.
    """
    with dask.config.set({"array.chunk-size": _BLOCK}):
        signal, _ = choose_image(path, lazy=True)
    stack, axes = dask.array.asarray(signal["data"]), signal["axes"]  # some readers are never lazy
    stack = stack.reshape((-1, *stack.shape[-2:]))
    if stack.dtype.names is None and stack.dtype.kind not in "buif":
        raise IcefloeError(f"{path}: {stack.dtype} pixels are no grey values. Export it as TIFF.")
    time = frame_rate_of_axis(axes[0]) if len(axes) > 2 else None
    return ContainerRecording(
        path=path,
        shape=(stack.shape[1], stack.shape[2]),
        n_frames=stack.shape[0],
        frame_rate=time or _exposure_rate(signal["original_metadata"]),
        pixel_size_nm=pixel_size_nm(axes),
        stack=stack,
    )


def _exposure_rate(tags: dict[str, Any]) -> FrameRate | None:
    """1 / exposure by DigitalMicrograph's tags, for stacks without a time axis; None where there is none.

    Exposure is looked for under any camera's group, since each plug-in has its own place for it.
    """
    for name, value in _leaves(tags):
        match = re.fullmatch(r"(?:frame_)?exposure(?:_time)?_\(?(s|ns)\)?", name.lower().replace(" ", "_"))
        if match and isinstance(value, int | float | np.number):
            source = "from the exposure time; frames may lie further apart"
            return FrameRate.of_interval(float(value) * SECONDS[match[1]], source)
    return None


def _leaves(tags: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in tags.items():
        if isinstance(value, dict):
            yield from _leaves(value)
        else:
            yield name, value
