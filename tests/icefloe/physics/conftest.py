"""Probability maps whose outline is known exactly."""

from collections.abc import Callable

import numpy as np
import pytest

Maps = Callable[..., np.ndarray]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(x, -50, 50)))


@pytest.fixture(name="disc")
def _disc() -> Maps:
    """Disc that crosses 0.5 at `radius`, and the threshold t at radius - width ln(t / (1 - t))."""

    def build(radius, row=63.7, column=70.2, size=140, width=1.5):
        rows, columns = np.mgrid[:size, :size]
        return sigmoid((radius - np.hypot(rows - row, columns - column)) / width).astype(np.float32)

    return build


@pytest.fixture(name="ellipse")
def _ellipse() -> Maps:
    """Ellipse with the semi-axis a along the columns and b along the rows, crossing 0.5 on its outline."""

    def build(a, b, row=159.6, column=160.3, size=320):
        rows, columns = np.mgrid[:size, :size]
        inside = 1 - np.hypot((columns - column) / a, (rows - row) / b)
        return sigmoid(inside * min(a, b) / 1.5).astype(np.float32)

    return build
