import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icefloe.errors import IcefloeError
from icefloe.imaging.stacking import composites


def test_composites_equal_the_mean_over_each_group_of_frames(rng):
    frames = rng.poisson(5, (12, 6, 7)).astype(np.float32)
    images = [composite.image for composite in composites(frames, 4)]
    np.testing.assert_allclose(images, frames.reshape(3, 4, 6, 7).mean(axis=1), rtol=1e-6)
    assert images[0].dtype == np.float32


def test_an_iterator_gives_the_same_as_an_array(rng):
    frames = rng.normal(size=(10, 4, 4)).astype(np.float32)
    from_array = [composite.image for composite in composites(frames, 3)]
    from_iterator = [composite.image for composite in composites(iter(frames), 3)]
    np.testing.assert_array_equal(from_array, from_iterator)


@given(n_frames=st.integers(1, 40), per_composite=st.integers(1, 12), min_tail=st.floats(0, 1))
def test_every_frame_is_in_exactly_one_composite(n_frames, per_composite, min_tail):
    frames = np.arange(n_frames, dtype=np.float32)[:, None, None] * np.ones((2, 2), np.float32)
    made = list(composites(frames, per_composite, min_tail))
    assert sum(composite.n_frames for composite in made) == n_frames
    position = 0
    for composite in made:
        assert composite.first_frame == position
        expected = frames[position : position + composite.n_frames].mean()
        np.testing.assert_allclose(composite.image, expected, rtol=1e-6)
        position += composite.n_frames


def test_a_long_tail_stands_alone_and_a_short_one_joins_the_last_composite():
    frames = np.zeros((15, 2, 2), np.float32)
    assert [composite.n_frames for composite in composites(frames, 10)] == [10, 5]
    assert [composite.n_frames for composite in composites(frames[:14], 10)] == [14]


def test_a_recording_shorter_than_a_composite_gives_one_that_says_so():
    (only,) = composites(np.ones((3, 2, 2), np.float32), 25)
    assert only.n_frames == 3


def test_memory_does_not_grow_with_the_number_of_frames():
    def peak(n_frames):
        tracemalloc.start()
        for _ in composites((np.zeros((128, 128), np.float32) for _ in range(n_frames)), 5):
            pass
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    assert peak(200) < 1.2 * peak(20)


def test_sums_of_bright_frames_lose_nothing():
    frames = (np.full((1, 1), 65535.0 - index % 2, np.float32) for index in range(2000))
    (only,) = composites(frames, 2000)
    assert only.image[0, 0] == np.float32(65534.5)


def test_frames_of_two_sizes_are_refused():
    frames = [np.zeros((4, 4), np.float32), np.zeros((4, 4), np.float32), np.zeros((4, 5), np.float32)]
    with pytest.raises(IcefloeError, match=r"Frame 2 has shape \(4, 5\) but the first has \(4, 4\)"):
        list(composites(frames, 2))


def test_an_empty_recording_is_refused():
    with pytest.raises(IcefloeError, match="has no frames"):
        list(composites(iter([]), 2))


def test_a_composite_of_no_frames_is_refused():
    with pytest.raises(IcefloeError, match="at least one frame; 0 asked for"):
        list(composites(np.zeros((2, 2, 2), np.float32), 0))
