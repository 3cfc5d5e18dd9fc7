"""Wrong pixels of the simulated camera are found among electrons, X-rays and a specimen with edges."""

import numpy as np
import pytest

from icefloe.errors import IcefloeError
from icefloe.imaging.hot_pixels import LOOKED_AT, find_hot_pixels
from icefloe.simulate.camera import Camera

SIDE = 128


@pytest.fixture
def clean(rng):
    """A bright disc with a sharp rim and a bright line through it, 64 frames, three X-rays in each."""
    rows, columns = np.indices((SIDE, SIDE)) - SIDE / 2
    scene = 0.02 + 0.75 * (np.hypot(rows, columns) < 50)
    scene[60:62] *= 1.3
    camera = Camera(dose_e_per_A2=0.8, frame_rate_hz=100, xrays_per_frame=3)
    still = np.zeros((LOOKED_AT, 2))
    return np.array(list(camera.frames(scene, camera.gain_map(SIDE), still, 2.0, rng)), np.int64)


@pytest.fixture
def where(rng):
    """30 pixels, none touching another."""
    cells = rng.permutation((SIDE // 4) ** 2)[:30]
    return 4 * np.stack(np.unravel_index(cells, (SIDE // 4,) * 2), axis=1) + rng.integers(0, 3, (30, 2))


def test_hot_pixels_are_found_and_nothing_else(clean, where):
    frames = clean.copy()
    frames[:, where[:, 0], where[:, 1]] += 150
    assert {*map(tuple, find_hot_pixels(frames, "r.mrc").where)} == {*map(tuple, where)}


def test_a_good_camera_has_none(clean):
    assert len(find_hot_pixels(clean, "r.mrc")) == 0


def test_dead_and_flickering_pixels_are_found(clean, rng):
    frames = clean.copy()
    frames[:, 64, 70] = 0
    frames[:, 30, 80] += rng.choice([-700, 700], len(frames))
    assert {*map(tuple, find_hot_pixels(frames, "r.mrc").where)} == {(64, 70), (30, 80)}


def test_two_that_touch_are_found_and_six_are_a_feature(clean):
    frames = clean.copy()
    frames[:, 40, 60:62] += 500
    frames[:, 80:83, 70:72] += 500
    assert {*map(tuple, find_hot_pixels(frames, "r.mrc").where)} == {(40, 60), (40, 61)}


def test_repaired_pixels_are_as_good_as_their_neighbours(clean, where):
    frames = clean.copy()
    frames[:, where[:, 0], where[:, 1]] += 3000
    hot = find_hot_pixels(frames, "r.mrc")
    repaired = np.mean([hot.repair(frame) for frame in frames], axis=0)
    error = (repaired - clean.mean(axis=0))[where[:, 0], where[:, 1]]
    noise = clean[:, 64, 64].std() / np.sqrt(len(clean))
    # Pixels on the rim take a mean over it.
    assert np.median(np.abs(error)) < 2 * noise
    others = np.ones((SIDE, SIDE), bool)
    others[where[:, 0], where[:, 1]] = False
    np.testing.assert_array_equal(repaired[others], clean.astype(np.float32).mean(axis=0)[others])


def test_a_hot_corner_is_repaired_from_the_pixels_inside(clean):
    frames = clean.copy()
    frames[:, 0, 0] += 3000
    hot = find_hot_pixels(frames, "r.mrc")
    assert hot.where.tolist() == [[0, 0]]
    expected = frames[5][[0, 1, 1], [1, 0, 1]].mean()
    assert hot.repair(frames[5])[0, 0] == pytest.approx(expected, rel=1e-6)


def test_only_the_first_frames_are_looked_at(clean):
    read = []
    frames = (read.append(index) or clean[index % 64] for index in range(100))
    find_hot_pixels(frames, "r.mrc")
    assert len(read) == LOOKED_AT


def test_too_few_frames_are_refused(clean):
    with pytest.raises(IcefloeError, match=r"r.mrc: 7 frames are too few to tell hot pixels from noise"):
        find_hot_pixels(clean[:7], "r.mrc")


def test_constant_frames_have_none():
    assert len(find_hot_pixels(np.zeros((10, 16, 16)), "r.mrc")) == 0
