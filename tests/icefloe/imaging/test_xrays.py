"""X-ray hits of the simulated camera are found, the electrons left alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icefloe.imaging.xrays import BLOCK, XrayRemover
from icefloe.simulate.camera import Camera


def _recording(camera, rng, n_frames, hits_per_frame, side=128):
    """Frames with and without hits, and where the hits are; half of the field is dark."""
    scene = np.full((side, side), 0.02)
    scene[:, side // 2 :] = 0.8
    gain, still = camera.gain_map(side), np.zeros((n_frames, 2))
    clean = np.array(list(camera.frames(scene, gain, still, 2.0, rng)))
    hits = np.zeros(clean.shape)
    index = rng.integers(0, hits.size, hits_per_frame * n_frames)
    hits.reshape(-1)[index] = camera.xray_counts * rng.standard_exponential(len(index))
    dirty = np.clip(clean + np.rint(hits), 0, 65535).astype(np.uint16)
    return clean, dirty, hits


@pytest.mark.parametrize(
    ("dose", "rate", "tall"), [(0.8, 25, 1500), (0.8, 400, 400), (0.05, 100, 400)], ids=str
)
def test_hits_are_found_and_little_else(rng, dose, rate, tall):
    camera = Camera(dose_e_per_A2=dose, frame_rate_hz=rate, xrays_per_frame=0)
    clean, dirty, hits = _recording(camera, rng, min(rate, 50), 3)
    remover = XrayRemover()
    cleaned = np.array(list(remover.clean(dirty)))

    replaced = cleaned != dirty
    assert replaced[hits > tall].mean() > 0.97  # recall
    assert replaced[hits > 0].mean() > 0.75
    assert (hits[replaced] > 0).mean() > 0.8  # precision
    assert replaced[hits == 0].mean() < 2e-5
    before = np.sqrt(np.mean((dirty.mean(0) - clean.mean(0)) ** 2))
    after = np.sqrt(np.mean((cleaned.mean(0) - clean.mean(0)) ** 2))
    assert after < 0.25 * before
    assert abs(cleaned.mean() - clean.mean()) < 0.05


def test_a_recording_without_hits_is_left_as_it_is(rng):
    camera = Camera(frame_rate_hz=50, xrays_per_frame=0)
    clean, _, _ = _recording(camera, rng, 50, 0)
    remover = XrayRemover()
    cleaned = np.array(list(remover.clean(clean)))
    assert remover.n_replaced < 2e-5 * clean.size
    assert abs(cleaned.mean() - clean.mean()) < 0.01


def test_a_hit_is_replaced_by_the_mean_of_the_other_frames(rng):
    frames = rng.normal(100, 5, (12, 32, 32)).astype(np.float32)
    others = np.delete(frames[:, 10, 11], 7).mean()
    frames[7, 10, 11] = 5000
    remover = XrayRemover()
    cleaned = list(remover.clean(frames))
    assert cleaned[7][10, 11] == pytest.approx(others, rel=1e-5)
    assert remover.n_replaced == 1
    np.testing.assert_array_equal(np.delete(cleaned, 7, axis=0), np.delete(frames, 7, axis=0))


def test_the_charge_that_spreads_to_neighbours_goes_with_the_hit(rng):
    frames = rng.normal(100, 5, (12, 32, 32)).astype(np.float32)
    frames[3, 10:12, 11] += (3000, 40)  # 40 is 8 standard deviations: no hit of its own
    remover = XrayRemover()
    list(remover.clean(frames))
    assert remover.n_replaced == 2


def test_an_edge_that_moves_and_a_flash_are_no_hits(rng):
    frames = rng.normal(100, 2, (12, 64, 64)).astype(np.float32)
    frames[5, :, 30] += 400  # a bright edge passes
    frames[8] += 1000  # the beam flickers
    remover = XrayRemover()
    np.testing.assert_array_equal(list(remover.clean(frames)), frames)


def test_a_hot_pixel_is_no_hit(rng):
    frames = rng.normal(100, 2, (12, 32, 32)).astype(np.float32)
    frames[:, 4, 4] += 3000
    remover = XrayRemover()
    np.testing.assert_array_equal(list(remover.clean(frames)), frames)


def test_three_frames_are_too_few_to_judge(rng):
    frames = rng.normal(100, 2, (3, 16, 16)).astype(np.float32)
    frames[1, 4, 4] = 5000
    np.testing.assert_array_equal(list(XrayRemover().clean(frames)), frames)


@settings(max_examples=20, deadline=None)
@given(n_frames=st.integers(0, 3 * BLOCK + 1))
def test_as_many_frames_come_out_in_their_order(n_frames):
    frames = np.arange(n_frames, dtype=np.float32)[:, None, None] + np.zeros((4, 4), np.float32)
    cleaned = list(XrayRemover().clean(frames))
    np.testing.assert_array_equal(np.reshape(cleaned, (-1, 4, 4)), frames)
