"""Maps of large images from windows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import uniform_filter

from icefloe.imaging.windows import RAMP, _Axis, slide


def blurred(windows):
    """As a network: what is outside a window is taken as zero, and a pixel feels 20 neighbours each way."""
    return np.stack([np.stack([uniform_filter(w, 41, mode="constant"), w]) for w in windows])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.sampled_from([(2048, 256), (640, 256), (384, 64), (256, 0)]))
def test_windows_cover_every_pixel_with_weights_that_add_up_to_one(length, sides):
    length, (side, halo) = 32 * length, sides
    axis = _Axis.of(length, side, halo)
    total = np.zeros(length)
    for start, weights in zip(axis.starts, axis.weights, strict=True):
        assert start % 32 == 0
        total[start : start + axis.side] += weights
    assert axis.side <= side
    np.testing.assert_allclose(total, 1, atol=1e-5)
    for start, weights in zip(axis.starts, axis.weights, strict=True):
        assert start == 0 or not weights[:halo].any()
        assert start + axis.side == length or not weights[axis.side - halo :].any()


@pytest.mark.parametrize(("side", "halo"), [(256, 32), (384, 32), (512, 64), (2048, 256)])
def test_the_map_does_not_depend_on_the_windows(rng, side, halo):
    image = rng.normal(size=(1600, 960)).astype(np.float32)
    firsts, bands = zip(*slide(image, blurred, side, halo), strict=True)
    assert list(firsts) == list(np.cumsum([0, *(band.shape[-2] for band in bands[:-1])]))
    np.testing.assert_allclose(np.concatenate(bands, axis=-2), blurred(image[None])[0], atol=2e-6)


def test_an_image_that_fits_is_seen_once_as_it_is(rng):
    image = rng.normal(size=(96, 160)).astype(np.float32)
    seen = []
    ((first, maps),) = slide(image, lambda windows: seen.append(windows) or windows[:, None])
    assert first == 0
    np.testing.assert_array_equal(maps[0], image)
    assert [windows.shape for windows in seen] == [(1, 96, 160)]


def test_windows_run_together_as_far_as_one_large_window_has_pixels(rng):
    image = rng.normal(size=(96, 2000 // 32 * 32)).astype(np.float32)
    sizes = []
    for _ in slide(image, lambda windows: sizes.append(windows.shape) or windows[:, None], side=320, halo=64):
        pass
    assert len({shape[1:] for shape in sizes}) == 1
    assert max(shape[0] for shape in sizes) > 1
    assert all(np.prod(shape) <= 320**2 for shape in sizes)


def test_a_step_between_two_windows_is_smoothed(rng):
    """Networks that see a whole window disagree; the map has no edge there."""
    calls = iter(range(100))

    def numbered(windows):
        return np.stack([np.full((1, *w.shape), next(calls), np.float32) for w in windows])

    image = np.zeros((64, 1024), np.float32)
    (_, maps), *_ = slide(image, numbered, side=512, halo=64)
    assert np.abs(np.diff(maps[0, 0])).max() < 3 / RAMP
