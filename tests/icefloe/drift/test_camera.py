"""Spikes and uneven lines, put into images of known noise."""

import numpy as np
import pytest
from scipy import stats

from icefloe.drift.camera import line_noise, spike_rate
from icefloe.drift.evidence import measure_evidence

SHAPE, SIGMA = (192, 256), 4.0
EVERYWHERE = np.ones(SHAPE, bool)


@pytest.fixture
def noise(rng):
    return (100 + SIGMA * rng.normal(size=SHAPE)).astype(np.float32)


def test_noise_alone_has_hardly_a_spike(noise):
    expected = 1e6 * stats.norm.sf(5)

    assert spike_rate(noise, EVERYWHERE, SIGMA) == pytest.approx(20 + expected, abs=50)


def test_single_bright_pixels_are_counted_per_million(rng, noise):
    hits = rng.choice(noise.size, 60, replace=False)
    noise.flat[hits] += 12 * SIGMA

    assert spike_rate(noise, EVERYWHERE, SIGMA) == pytest.approx(20 + 60 * 1e6 / noise.size, rel=0.05)


def test_spikes_on_edges_are_left_out(noise):
    noise[5, 5] += 100
    flat = EVERYWHERE.copy()
    flat[:20] = False

    assert spike_rate(noise, flat, SIGMA) < 100


def test_a_step_of_the_specimen_is_no_spike(noise):
    noise[:, 100:] += 4 * SIGMA

    assert spike_rate(noise, EVERYWHERE, SIGMA) < 100


@pytest.mark.parametrize("uneven", [1.0, 4.0])
@pytest.mark.parametrize("axis", [0, 1])
def test_uneven_lines_are_measured_in_the_images_unit(rng, noise, uneven, axis):
    lines = rng.normal(size=SHAPE[1 - axis])
    lines *= uneven / lines.std()
    noise += np.expand_dims(lines, axis).astype(np.float32)

    assert line_noise(noise, EVERYWHERE, SIGMA) == pytest.approx(uneven, rel=0.2)


def test_without_uneven_lines_it_is_below_the_error_of_a_lines_mean(noise):
    assert 0 < line_noise(noise, EVERYWHERE, SIGMA) < SIGMA / np.sqrt(min(SHAPE))


def test_a_smooth_slope_of_the_light_is_no_uneven_line(noise):
    slope = np.linspace(0, 40, SHAPE[1], dtype=np.float32)

    assert line_noise(noise + slope, EVERYWHERE, SIGMA) < 2 * SIGMA / np.sqrt(min(SHAPE))


def test_too_little_flat_area_gives_a_number_all_the_same(noise):
    few = np.zeros(SHAPE, bool)
    few[:10, :4] = True

    assert np.isfinite(line_noise(noise, few, SIGMA))


def test_evidence_has_both_and_gain_and_offset_of_the_camera_change_neither(rng):
    image = rng.poisson(100, (128, 128)) * (1 + 0.03 * rng.normal(size=128))
    image[rng.integers(0, 128, 20), rng.integers(0, 128, 20)] += 300
    image[:, :20] = 2  # the shadow outside the aperture
    one, other = (measure_evidence(i).to_features() for i in (image, 7.5 * image - 300))

    assert one["spikes"] > 500
    assert other["spikes"] == pytest.approx(one["spikes"], rel=0.05)
    assert other["lines"] == pytest.approx(one["lines"], rel=0.02)
