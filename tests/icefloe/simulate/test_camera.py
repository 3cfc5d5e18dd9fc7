import numpy as np
import pytest

from icefloe.errors import IcefloeError
from icefloe.simulate.camera import Camera

PIXEL_NM = 2.0
QUIET = Camera(
    read_noise_counts=0,
    gain_variation=0,
    column_variation=0,
    xrays_per_frame=0,
    drift_nm_per_s=0,
    jitter_nm=0,
)


def expose(camera: Camera, scene: np.ndarray, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    gain = camera.gain_map(scene.shape[0])
    moved = camera.displacements(0.3, PIXEL_NM, rng)
    return camera.composite(scene, gain, moved, PIXEL_NM, rng).astype(float)


@pytest.mark.parametrize("dose", [0.02, 0.8, 5.0])
def test_composite_of_a_flat_scene_has_poisson_mean_and_variance(dose):
    camera = QUIET.changed(dose_e_per_A2=dose, counts_per_electron=400.0)
    counts = expose(camera, np.ones((256, 256)))
    electrons = (counts - camera.offset_counts) * camera.frame_rate_hz / camera.counts_per_electron
    expected = dose * 20.0**2
    assert electrons.mean() == pytest.approx(expected, rel=4 / np.sqrt(expected * 256**2))
    assert electrons.var() == pytest.approx(expected, rel=0.03)


def test_read_noise_of_a_composite_falls_with_the_number_of_frames():
    camera = QUIET.changed(read_noise_counts=200.0, offset_counts=5000.0)
    dark = expose(camera, np.zeros((256, 256)))
    assert dark.std() == pytest.approx(200 / 5, rel=0.02)
    assert dark.mean() == pytest.approx(5000, abs=1)


def test_xrays_add_their_mean_number_times_their_mean_height():
    camera = QUIET.changed(xrays_per_frame=100.0, xray_counts=2000.0, offset_counts=0.0)
    counts = expose(camera, np.zeros((256, 256)))
    # 2500 hits of exponential height: the sum varies by sqrt(2 / 2500)
    assert counts.sum() * 25 == pytest.approx(2500 * 2000, rel=4 * np.sqrt(2 / 2500))


def test_gain_map_belongs_to_the_camera():
    one, two = Camera(serial=1), Camera(serial=2)
    np.testing.assert_array_equal(one.gain_map(64), Camera(serial=1).gain_map(64))
    assert not np.array_equal(one.gain_map(64), two.gain_map(64))


def test_gain_map_has_the_stated_spread_between_columns_and_pixels():
    camera = Camera(gain_variation=0.02, column_variation=0.05)
    gain = camera.gain_map(512)
    columns = gain.mean(axis=0)
    assert columns.std() == pytest.approx(0.05, rel=0.1)
    assert (gain - columns).std() == pytest.approx(0.02, rel=0.02)


def test_displacements_sum_to_zero_so_that_the_mask_stays_where_the_composite_is(rng):
    moved = Camera(drift_nm_per_s=5.0, jitter_nm=2.0).displacements(1.0, PIXEL_NM, rng)
    assert moved.shape == (25, 2)
    np.testing.assert_allclose(moved.mean(axis=0), 0, atol=1e-12)


def test_steady_drift_spans_its_speed_times_a_second(rng):
    moved = Camera(drift_nm_per_s=5.0, jitter_nm=0.0).displacements(0.0, PIXEL_NM, rng)
    assert moved[-1, 1] - moved[0, 1] == pytest.approx(5.0 / PIXEL_NM * 24 / 25)
    np.testing.assert_allclose(moved[:, 0], 0, atol=1e-12)


def test_a_displaced_frame_shows_the_scene_displaced(rng):
    camera = QUIET.changed(frame_rate_hz=1, dose_e_per_A2=100.0, blur_px=1.5)
    rows, columns = np.mgrid[:96, :96]
    blob = np.exp(-((rows - 48.0) ** 2 + (columns - 48.0) ** 2) / 50)
    (frame,) = camera.frames(blob, np.ones((96, 96)), np.array([[3.0, -5.0]]), PIXEL_NM, rng)
    signal = frame.astype(float) - camera.offset_counts
    assert (signal * rows).sum() / signal.sum() == pytest.approx(51.0, abs=0.1)
    assert (signal * columns).sum() / signal.sum() == pytest.approx(43.0, abs=0.1)


def test_counts_saturate_at_sixteen_bits():
    camera = QUIET.changed(dose_e_per_A2=1000.0, counts_per_electron=1e4)
    assert expose(camera, np.ones((64, 64))).min() == 65535


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("dose_e_per_A2", 0, "Input should be greater than 0, not 0"),
        ("frame_rate_hz", 0, "Input should be greater than or equal to 1, not 0"),
        ("counts_per_electron", -1, "Input should be greater than 0, not -1"),
        ("offset_counts", -1, "Input should be greater than or equal to 0, not -1"),
        ("read_noise_counts", -1, "Input should be greater than or equal to 0, not -1"),
        ("gain_variation", 0.6, "Input should be less than or equal to 0.5, not 0.6"),
        ("column_variation", -0.1, "Input should be greater than or equal to 0, not -0.1"),
        ("serial", -1, "Input should be greater than or equal to 0, not -1"),
        ("xrays_per_frame", -1, "Input should be greater than or equal to 0, not -1"),
        ("xray_counts", 0, "Input should be greater than 0, not 0"),
        ("drift_nm_per_s", -1, "Input should be greater than or equal to 0, not -1"),
        ("jitter_nm", -1, "Input should be greater than or equal to 0, not -1"),
        ("blur_px", -1, "Input should be greater than or equal to 0, not -1"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(name, value, complaint):
    with pytest.raises(IcefloeError) as caught:
        Camera(**{name: value})
    assert str(caught.value) == f"Camera.{name}: {complaint}. Choose another value."


def test_expected_counts_are_the_mean_of_many_composites():
    camera = Camera(gain_variation=0.0, column_variation=0.0, xrays_per_frame=0.0, dose_e_per_A2=2.0)
    rng = np.random.default_rng(0)
    scene = rng.uniform(0.2, 1.0, (32, 32))
    tremor = camera.displacements(0.0, 2.0, rng)
    composites = [camera.composite(scene, np.ones((32, 32)), tremor, 2.0, rng) for _ in range(400)]
    expected = camera.expected_counts(scene, tremor, 2.0)
    error = np.std(composites, axis=0) / np.sqrt(len(composites))
    assert np.abs((np.mean(composites, axis=0) - expected) / error).max() < 5
