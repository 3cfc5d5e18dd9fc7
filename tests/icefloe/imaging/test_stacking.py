import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icefloe.errors import IcefloeError
from icefloe.imaging.alignment import DriftTracker, Shift
from icefloe.imaging.hot_pixels import find_hot_pixels
from icefloe.imaging.stacking import Composite, Stacker, composites_by_time, first_frame_of


def _stack(frames, per_composite, **options):
    return list(Stacker(Fraction(per_composite), **options).composites(iter(frames)))


def test_without_options_a_composite_is_the_mean_exactly(rng):
    for frames in (
        rng.integers(0, 65536, (12, 6, 7)).astype(np.uint16),
        rng.standard_normal((12, 6, 7)).astype(np.float32),
    ):
        images = [composite.image for composite in _stack(frames, 4)]
        expected = frames.reshape(3, 4, 6, 7).mean(axis=1, dtype=np.float64).astype(np.float32)
        np.testing.assert_array_equal(images, expected)
        assert images[0].dtype == np.float32


@given(
    n_frames=st.integers(1, 60),
    per_composite=st.fractions(1, 13, max_denominator=1001),
    keep_tail=st.sampled_from([True, False, None]),
)
def test_every_frame_is_in_one_composite_or_in_the_dropped_tail(n_frames, per_composite, keep_tail):
    frames = np.arange(n_frames, dtype=np.float32)[:, None, None] * np.ones((2, 2), np.float32)
    stacker = Stacker(per_composite, keep_tail)
    made = list(stacker.composites(frames))

    position = 0
    for index, composite in enumerate(made):
        assert (composite.index, composite.first_frame) == (index, position)
        expected = frames[position : position + composite.n_frames].mean()
        np.testing.assert_allclose(composite.image, expected, rtol=1e-6)
        position += composite.n_frames
    assert position + stacker.n_dropped == stacker.n_frames == n_frames
    assert not any(composite.is_tail for composite in made[:-1])


@given(rate=st.fractions(1, 500, max_denominator=1001), n_frames=st.integers(1, 2000))
def test_a_frame_belongs_to_the_second_in_which_it_begins(rate, n_frames):
    seconds = [int(index / rate) for index in range(n_frames)]
    for second in range(seconds[-1] + 1):
        assert first_frame_of(second, rate) == seconds.index(second)


@given(
    intervals=st.lists(st.integers(1, 900), min_size=1, max_size=80),
    keep_tail=st.sampled_from([True, False, None]),
)
def test_by_time_stamps_a_frame_is_in_the_second_in_which_it_begins(intervals, keep_tail):
    times_ms = np.concatenate([[0], np.cumsum(intervals)])
    frames = np.arange(len(times_ms), dtype=np.float32)[:, None, None] * np.ones((2, 2), np.float32)
    stacker = Stacker(Fraction(10), keep_tail, firsts=composites_by_time((times_ms / 1000).tolist()))
    made = list(stacker.composites(frames))

    seconds = [
        group.tolist() for group in np.split(frames[:, 0, 0], np.flatnonzero(np.diff(times_ms // 1000)) + 1)
    ]
    whole = seconds[: len(made)]
    assert [composite.n_frames for composite in made] == [len(second) for second in whole]
    np.testing.assert_allclose([composite.image[0, 0] for composite in made], [np.mean(s) for s in whole])
    assert len(seconds) - len(made) == (1 if stacker.n_dropped else 0)
    assert sum(map(len, whole)) + stacker.n_dropped == len(times_ms)


def test_a_last_second_by_time_stamps_is_a_tail_if_it_is_not_over():
    times = [*np.arange(10) / 10, *(1 + np.arange(3) / 10)]
    assert composites_by_time(times) == (0, 10, 20)
    assert composites_by_time(times[:10]) == (0, 10)
    assert len(_stack(np.ones((13, 2, 2), np.float32), 10, firsts=composites_by_time(times))) == 1


def test_ntsc_seconds_have_30_frames_and_one_in_33_has_29():
    starts = [first_frame_of(second, Fraction(2997, 100)) for second in range(101)]
    lengths = np.diff(starts)
    assert set(lengths) == {29, 30}
    assert list(lengths).count(29) == 3
    assert starts[100] == 2997


def test_composites_depend_on_their_own_frames_only(rng):
    """What has been stacked before can be skipped, as when a run is gone on with."""
    frames = rng.poisson(3, (50, 16, 16)).astype(np.float32)
    rate = Fraction(73, 10)
    options = {"remove_xrays": True, "keep_tail": True}
    whole = _stack(frames, rate, **options)
    for first in (1, 3, 6):
        rest = Stacker(rate, **options).composites(iter(frames[first_frame_of(first, rate) :]), first)
        for one, other in zip(rest, whole[first:], strict=True):
            assert one.first_frame == other.first_frame
            np.testing.assert_array_equal(one.image, other.image)


def test_a_tail_is_kept_if_it_is_at_least_half_a_composite():
    frames = np.zeros((15, 2, 2), np.float32)
    kept = Stacker(Fraction(10))
    assert [(c.n_frames, c.is_tail) for c in kept.composites(frames)] == [(10, False), (5, True)]
    dropped = Stacker(Fraction(10))
    assert [c.n_frames for c in dropped.composites(frames[:14])] == [10]
    assert (dropped.n_dropped, dropped.n_frames) == (4, 14)


@pytest.mark.parametrize(("keep_tail", "lengths", "n_dropped"), [(True, [10, 1], 0), (False, [10], 1)])
def test_a_tail_is_kept_or_dropped_as_asked(keep_tail, lengths, n_dropped):
    stacker = Stacker(Fraction(10), keep_tail)
    assert [c.n_frames for c in stacker.composites(np.zeros((11, 2, 2)))] == lengths
    assert stacker.n_dropped == n_dropped


def test_a_composite_is_there_before_the_next_frame_is_read(rng):
    read = []

    def frames():
        for index in range(10):
            read.append(index)
            yield np.zeros((2, 2), np.uint16)

    composites = Stacker(Fraction(4), remove_xrays=True, drift=DriftTracker()).composites(frames())
    next(composites)
    assert read == [0, 1, 2, 3]
    next(composites)
    assert read == [*range(8)]


@pytest.mark.parametrize("options", [{}, {"remove_xrays": True}, {"drift": True}], ids=str)
def test_memory_does_not_grow_with_the_number_of_frames(rng, options):
    pool = rng.poisson(5, (7, 96, 96)).astype(np.uint16)

    def peak(n_frames):
        chosen = {name: DriftTracker() if name == "drift" else value for name, value in options.items()}
        tracemalloc.start()
        for _ in Stacker(Fraction(10), **chosen).composites(pool[i % 7] for i in range(n_frames)):
            pass
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(20)  # what is allocated once
    assert peak(200) < 1.2 * peak(20)


def test_sums_of_bright_frames_lose_nothing():
    frames = (np.full((1, 1), 65535.0 - index % 2, np.float32) for index in range(2000))
    (only,) = _stack(frames, 2000)
    assert only.image[0, 0] == np.float32(65534.5)


def test_all_repairs_work_together(rng):
    """A hot pixel, X-rays and drift in one recording, each undone."""
    scene = _textured(rng, 160)
    moved = [np.roll(scene, (0, second), (0, 1)) for second in range(4) for _ in range(10)]
    clean = [rng.poisson(60 * frame)[16:-16, 16:-16].astype(np.uint16) for frame in moved]
    frames = [frame.copy() for frame in clean]
    for frame in frames:
        frame[40, 50] += 2000
    for index in range(0, 40, 4):
        frames[index][20 + index, 90] += 5000

    stacker = Stacker(
        Fraction(10), None, find_hot_pixels(iter(frames), "r.mrc"), remove_xrays=True, drift=DriftTracker()
    )
    made = list(stacker.composites(iter(frames)))

    assert 10 <= sum(composite.xray_pixels for composite in made) <= 13  # a neighbour's noise at times
    np.testing.assert_allclose([c.displacement for c in made], [(0, k) for k in range(4)], atol=0.1)
    truth = 60 * scene[16:-16, 16:-16]
    for composite in made:
        error = (composite.image - truth)[:, 4:-4]
        assert np.abs(error.mean()) < 0.2
        assert error.std() < 1.2 * np.sqrt(truth.mean() / 10)
        assert np.abs(error).max() < 8 * np.sqrt(truth.mean() / 10)


def _textured(rng, side):
    from scipy import ndimage

    texture = ndimage.gaussian_filter(rng.standard_normal((side, side)), 1.5, mode="wrap")
    return 1.0 + 0.2 * texture / texture.std()


def test_scatter_is_that_about_a_straight_line(rng):
    steps = np.arange(5)
    along_a_line = [Shift(0.3 * k, -2.0 * k, True) for k in steps]
    assert Composite(np.zeros((2, 2)), 0, 0, 5, drift=tuple(along_a_line)).drift_scatter < 1e-9
    noise = 0.2 * rng.standard_normal((4000, 5, 2))
    scatters = [
        Composite(
            np.zeros((2, 2)), 0, 0, 5, drift=tuple(Shift(k + r, c, True) for k, (r, c) in enumerate(n))
        ).drift_scatter
        for n in noise
    ]
    assert np.sqrt(np.mean(np.square(scatters))) == pytest.approx(0.2, rel=0.02)
    assert Composite(np.zeros((2, 2)), 0, 0, 2, drift=tuple(along_a_line[:2])).drift_scatter is None


def test_frames_of_two_sizes_are_refused():
    frames = [np.zeros((4, 4), np.float32), np.zeros((4, 4), np.float32), np.zeros((4, 5), np.float32)]
    with pytest.raises(IcefloeError, match=r"Frame 2 has shape \(4, 5\) but the first has \(4, 4\)"):
        _stack(frames, 2)


def test_no_frames_make_no_composite():
    assert _stack([], 2) == []


def test_a_composite_of_no_frames_is_refused():
    with pytest.raises(IcefloeError, match=r"at least one frame; 0.5 asked for"):
        Stacker(Fraction(1, 2))
