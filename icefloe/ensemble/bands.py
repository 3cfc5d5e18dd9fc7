"""Members' logits of an image of any size, a band of rows after another: never more in memory than that."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from icefloe.ensemble.engine import Engine
from icefloe.imaging.geometry import Geometry
from icefloe.imaging.windows import slide
from icefloe.scoring.calibration import probabilities
from icefloe.typing import FloatArray, Views

BAND_PIXELS = 2**22
"""Native pixels whose statistics are taken at a time: they need several times their own memory."""

Bands = Iterable[tuple[int, FloatArray]]
"""Number of the first row on the grid, and logits float32 (M, r, C) or (M, K, r, C) of K classes."""


class SeenImage(Protocol):
    """Logits and encoder features, float32 of shape (F,), of one image."""

    @property
    def features(self) -> FloatArray: ...
    def __iter__(self) -> Iterator[tuple[int, FloatArray]]: ...


@dataclass(frozen=True)
class Whole:
    """An image that was seen as a whole: all its logits are one band."""

    logits: FloatArray
    features: FloatArray

    def __iter__(self) -> Iterator[tuple[int, FloatArray]]:
        yield 0, self.logits


@dataclass
class Tiled:
    """An image seen by windows, which run when its bands are asked for.

    Attributes
    ----------
    engine
        The members' networks.
    image : float32, shape (R, C)
        Image on the networks' grid.
    views
        Sides from which networks look at each window.
    """

    engine: Engine
    image: FloatArray
    views: Views = 1
    _features: list[FloatArray] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[int, FloatArray]]:
        return slide(self.image, self._run)

    @property
    def features(self) -> FloatArray:
        """Mean over the windows that have been run."""
        return np.asarray(np.concatenate(self._features).mean(axis=0, dtype=np.float64), np.float32)

    def _run(self, windows: FloatArray) -> FloatArray:
        logits, features = self.engine.run(windows, self.views)
        self._features.append(features)
        return np.moveaxis(logits, 1, 0)


@dataclass(frozen=True)
class NativeBand:
    """Some native rows of an image, with the logits that they need.

    Attributes
    ----------
    rows
        The native rows.
    """

    rows: slice
    _logits: FloatArray
    _first: int
    _geometry: Geometry

    def members(self, temperature: float) -> FloatArray:
        """Members' probabilities at a temperature, float32 of shape (M, r, W) or (M, K, r, W)."""
        return self._geometry.restore_rows(probabilities(self._logits, temperature), self._first, self.rows)


def native_bands(bands: Bands, geometry: Geometry) -> Iterator[NativeBand]:
    """Bands of native rows, from those on the grid; one with all rows of an image seen as a whole."""
    height, width = geometry.native
    remaining = iter(bands)
    first, held = next(remaining)
    step = height if held.shape[-2:] == geometry.grid else max(1, BAND_PIXELS // width)
    for start in range(0, height, step):
        rows = slice(start, min(start + step, height))
        needed = geometry.rows_for(rows)
        parts = [held[..., needed.start - first :, :]]
        first, end = needed.start, first + held.shape[-2]
        while end < needed.stop:
            _, following = next(remaining)
            parts.append(following)
            end += following.shape[-2]
        held = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-2)
        yield NativeBand(rows, held[..., : needed.stop - first, :], first, geometry)
    for _ in remaining:  # rows of padding: their windows' features count, too
        pass
