"""A network's map of an image of any size, from windows that overlap."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from icefloe.imaging.geometry import STRIDE
from icefloe.typing import FloatArray

SIDE = 2048
"""Of the largest window in pixels: an image that fits is seen at once, and memory stays near 1 GB."""

HALO = 256
"""Pixels along a window's inner edges that are thrown away. Networks put zeros outside a window, and what is
farther inside does not feel them: a U-Net of four stages sees 165 px at most (MobileNetV2), one of five up to
309 px, and trained ones changed by less than 2e-5 (probability) at 224 px from an edge."""

RAMP = 64
"""Pixels over which one window's map fades into the next one's."""


def slide(
    image: FloatArray,
    run: Callable[[FloatArray], FloatArray],
    side: int = SIDE,
    halo: int = HALO,
) -> Iterator[tuple[int, FloatArray]]:
    """A network's map of an image, a band of rows after another from the top down.

    Windows begin at multiples of the networks' stride, so that each feature is computed as it would be for
    the whole image. What they throw away makes the map one and the same whatever their side, to 1e-3 in
    probability; that needs networks whose every number comes from a neighbourhood of its pixel.

    Parameters
    ----------
    image : float32, shape (R, C)
        Image on the networks' grid; both sides are multiples of 32.
    run
        From windows, float32 of shape (B, h, w), to maps, float32 of shape (B, ..., h, w). All windows of an
        image have one shape; as many run together as have no more pixels than one window of `side`.
    side
        Largest side of a window, a multiple of 32 above twice `halo` plus 96.
    halo
        Pixels along inner edges that are thrown away.

    Yields
    ------
    first, maps : int, float32 of shape (..., r, C)
        Number of the band's first row, and the maps of its r rows.
    """
    rows, columns = (_Axis.of(length, side, halo) for length in image.shape)
    if rows.count == columns.count == 1:
        yield 0, run(image[None])[0]
        return
    together = max(1, side**2 // (rows.side * columns.side))
    done, held = 0, None
    for index, top in enumerate(rows.starts):
        band: FloatArray | None = None
        for first in range(0, columns.count, together):
            lefts = columns.starts[first : first + together]
            windows = [image[top : top + rows.side, left : left + columns.side] for left in lefts]
            for maps, left, weight in zip(
                run(np.stack(windows)), lefts, columns.weights[first:], strict=False
            ):
                if band is None:
                    band = np.zeros((*maps.shape[:-1], image.shape[1]), np.float32)
                band[..., left : left + columns.side] += maps * (rows.weights[index][:, None] * weight)
        assert band is not None  # there is a window in every row of them
        if held is not None:
            band[..., : held.shape[-2], :] += held
        last = index == rows.count - 1
        following = image.shape[0] if last else int(rows.starts[index + 1])
        final = image.shape[0] if last else following + halo
        yield done, band[..., done - top : final - top, :]
        done, held = final, None if last else band[..., following - top :, :].copy()


@dataclass(frozen=True)
class _Axis:
    """Windows along one axis.

    Attributes
    ----------
    side
        Their side.
    starts
        Where they begin.
    weights : float32, shape (n, side)
        Of each window's pixels; those of all windows at one pixel add up to 1.
    """

    side: int
    starts: tuple[int, ...]
    weights: FloatArray

    @property
    def count(self) -> int:
        return len(self.starts)

    @classmethod
    def of(cls, length: int, largest: int, halo: int) -> "_Axis":
        """As few windows as cover the length, no larger than they need to be."""
        if length <= largest:
            return cls(length, (0,), np.ones((1, length), np.float32))
        overlap = 2 * halo + RAMP + STRIDE  # the stride is what rounding may take
        count = -(-(length - overlap) // (largest - overlap))
        side = -(-(length + (count - 1) * overlap) // count)
        side = -(-side // STRIDE) * STRIDE
        starts = [number * (length - side) // (count - 1) // STRIDE * STRIDE for number in range(count)]
        raw = np.zeros((count, length), np.float32)
        for number, start in enumerate(starts):
            raw[number, start : start + side] = _fading(side, halo, number > 0, number < count - 1)
        raw /= raw.sum(axis=0)
        return cls(
            side,
            tuple(starts),
            np.stack([row[start : start + side] for row, start in zip(raw, starts, strict=True)]),
        )


def _fading(side: int, halo: int, at_start: bool, at_end: bool) -> FloatArray:
    """Weight of a window's pixels: 0 in the halo, then rising smoothly to 1; only where others follow."""
    inside = np.clip((np.arange(side) + 0.5 - halo) / RAMP, 0, 1)
    rise = inside**2 * (3 - 2 * inside)
    return np.asarray((rise if at_start else 1) * (rise[::-1] if at_end else 1) * np.ones(side), np.float32)
