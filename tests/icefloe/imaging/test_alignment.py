"""Known motions are measured and undone, at doses that specimens bear."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import ndimage

from icefloe.imaging.alignment import AlignedMean, DriftTracker, Shift
from icefloe.imaging.stacking import Stacker

SIDE = 192


@pytest.fixture
def scene(rng):
    """Mottle of two sizes, relative contrast 10 %, on a grid that may be moved without an edge coming in."""
    mottle = sum(
        _normal(ndimage.gaussian_filter(rng.standard_normal((SIDE, SIDE)), s, mode="wrap")) for s in (1.5, 6)
    )
    return 1.0 + 0.07 * mottle


def _normal(values):
    return values / values.std()


def _moved(scene, row, column):
    """Exact for a periodic picture: a phase ramp over the whole period."""
    return np.fft.ifft2(ndimage.fourier_shift(np.fft.fft2(scene), (row, column))).real


def _exposed(rng, scene, electrons, n):
    return [rng.poisson(electrons * scene).astype(np.uint16) for _ in range(n)]


def test_a_steady_drift_is_found_to_a_tenth_of_a_pixel(scene, rng):
    """12 electrons a pixel and frame: 0.8 e/A^2 a second at 2 nm a pixel and 25 Hz."""
    n_seconds, rate = 5, 25
    velocity = np.array([0.37, -0.83])
    frames = (
        rng.poisson(12 * _moved(scene, *(velocity * index / rate))).astype(np.uint16)
        for index in range(n_seconds * rate)
    )
    made = list(Stacker(Fraction(rate), drift=DriftTracker()).composites(frames))

    found = np.array([composite.displacement for composite in made])
    middle = (np.arange(n_seconds) * rate + (rate - 1) / 2) / rate
    errors = found - middle[:, None] * velocity
    errors -= errors[0]  # the first composite's first block is the origin
    assert np.abs(errors).max() < 0.1
    assert all(composite.drift_scatter < 0.15 for composite in made)
    blocks = np.array([(s.row, s.column) for c in made for s in c.drift])
    times = (np.arange(len(blocks)) + 0.5) / 5
    assert np.std(blocks - times[:, None] * velocity, axis=0).max() < 0.1


@pytest.mark.parametrize("motion", [(0.5, 0.0), (-0.25, 0.75), (3.3, -7.6), (20.15, 11.4)])
def test_a_jump_is_undone(scene, rng, motion):
    before, after = _exposed(rng, scene, 40, 5), _exposed(rng, _moved(scene, *motion), 40, 5)
    still, moved = Stacker(Fraction(5), drift=DriftTracker()).composites(before + after)

    np.testing.assert_allclose(np.subtract(moved.displacement, still.displacement), motion, atol=0.1)
    inner = np.s_[24:-24, 24:-24]
    correlation = np.corrcoef(still.image[inner].ravel(), moved.image[inner].ravel())[0, 1]
    unmoved = np.corrcoef(still.image[inner].ravel(), np.mean(_exposed(rng, scene, 40, 5), 0)[inner].ravel())
    assert correlation > 0.97 * unmoved[0, 1]


def test_an_aperture_and_a_beam_that_stay_do_not_hold_the_drift_back(scene, rng):
    rows, columns = np.indices((SIDE, SIDE)) - SIDE / 2
    beam = (1.0 + 0.3 * columns / SIDE) / (1.0 + np.exp((np.hypot(rows, columns) - 80) / 1.5)) + 0.02
    n_seconds = 8
    frames = (
        rng.poisson(60 * beam * _moved(scene, 0.0, 1.5 * index / 5)).astype(np.uint16)
        for index in range(5 * n_seconds)
    )
    made = list(Stacker(Fraction(5), drift=DriftTracker()).composites(frames))

    travelled = made[-1].displacement[1] - made[0].displacement[1]
    assert travelled == pytest.approx(1.5 * (n_seconds - 1), rel=0.05)
    assert abs(made[-1].displacement[0]) < 0.2


def test_noise_is_not_taken_for_a_motion(rng):
    frames = rng.poisson(3.0, (100, 64, 96))
    made = list(Stacker(Fraction(5), drift=DriftTracker()).composites(frames))
    measured = [shift.is_measured for composite in made for shift in composite.drift][1:]
    assert sum(measured) <= 1
    assert all(abs(value) < 1 for c in made for value in c.displacement) or any(measured)


def test_constant_frames_stay_where_they_are():
    made = list(Stacker(Fraction(4), drift=DriftTracker()).composites(np.full((8, 32, 32), 7, np.uint8)))
    assert [composite.displacement for composite in made] == [(0, 0), (0, 0)]
    np.testing.assert_array_equal(made[1].image, np.full((32, 32), 7, np.float32))


def test_pixels_at_the_margin_are_means_of_those_images_that_saw_them():
    mean = AlignedMean((6, 8))
    mean.add(np.full((6, 8), 10, np.float32), Shift(0, 0, True), 3)
    mean.add(np.full((6, 8), 20, np.float32), Shift(2, -1, True), 1)
    image, unseen = mean.image()
    # The specimen moved two rows down and a column left: the second image lacks the last two rows and
    # the first column of where it was.
    expected = np.full((6, 8), 12.5)
    expected[4:] = expected[:, :1] = 10
    np.testing.assert_allclose(image, expected, rtol=1e-6)
    assert unseen == 0


def test_pixels_that_no_image_saw_are_counted_and_filled_from_the_nearest():
    ramp = np.tile(np.arange(8, dtype=np.float32), (4, 1))
    mean = AlignedMean((4, 8))
    mean.add(ramp, Shift(0, -3, True), 1)
    image, unseen = mean.image()
    np.testing.assert_allclose(image[0], [0, 0, 0, 0, 1, 2, 3, 4], atol=1e-6)
    assert unseen == 4 * 3


def test_a_sub_pixel_shift_keeps_detail_and_brightness(scene):
    mean = AlignedMean(scene.shape)
    mean.add(_moved(scene, 0.4, -0.3).astype(np.float32), Shift(0.4, -0.3, True), 1)
    image, _ = mean.image()
    inner = np.s_[8:-8, 8:-8]
    np.testing.assert_allclose(image[inner], scene[inner], atol=0.02)
    assert image[inner].std() == pytest.approx(scene[inner].std(), rel=1e-2)


def test_large_frames_are_binned_and_keep_their_accuracy(rng):
    coarse = ndimage.gaussian_filter(rng.standard_normal((300, 1200)), 3, mode="wrap")
    scene = 1 + 0.1 * _normal(coarse)
    frames = _exposed(rng, scene, 20, 5) + _exposed(rng, _moved(scene, 1.3, -4.6), 20, 5)
    _, moved = Stacker(Fraction(5), drift=DriftTracker()).composites(frames)
    np.testing.assert_allclose(moved.displacement, (1.3, -4.6), atol=0.15)
