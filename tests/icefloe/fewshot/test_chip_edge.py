"""The suggested chip edge, on images whose lengths are known."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.ndimage import gaussian_filter

from icefloe.errors import IcefloeError
from icefloe.fewshot.chip_edge import suggest_edge
from icefloe.simulate.nanoparticles import NanoparticleSpec, simulate_nanoparticles


def lattice(period, shape, noise=1.0):
    y, x = np.indices(shape)
    dots = np.cos(2 * np.pi * x / period) + np.cos(2 * np.pi * y / period)
    return (dots + noise * np.random.default_rng(0).normal(size=shape)).astype(np.float32)


@pytest.mark.parametrize("period", [9.0, 17.3, 30.0])
def test_a_lattice_gets_chips_of_two_periods(period):
    advice = suggest_edge(lattice(period, (400, 380)))
    assert advice.period_px == pytest.approx(period, rel=0.05)
    assert advice.spectrum_px == pytest.approx(period, rel=0.12)
    assert advice.edge == pytest.approx(2 * period, rel=0.1)
    assert "repeats every" in advice.sentence()


def test_a_large_image_is_measured_in_its_own_pixels():
    advice = suggest_edge(lattice(40.0, (1100, 2100)))
    assert advice.period_px == pytest.approx(40, rel=0.1)


def test_a_texture_without_period_gets_chips_of_a_few_correlation_lengths(rng):
    smooth = gaussian_filter(rng.normal(size=(400, 400)), 5)
    image = (smooth / smooth.std() + rng.normal(0, 0.5, smooth.shape)).astype(np.float32)
    advice = suggest_edge(image)
    # A Gaussian of sigma 5 px gives an autocorrelation exp(-r^2 / (4 sigma^2)), which is 1/e at 2 sigma.
    assert advice.period_px is None
    assert advice.correlation_px == pytest.approx(10, abs=1.5)
    assert advice.blob_px is None
    assert advice.edge == 4 * advice.correlation_px
    assert "don't repeat" in advice.sentence()


@pytest.mark.parametrize("radius_nm", [5.0, 8.0, 12.0])
def test_particles_of_known_diameter_get_chips_that_lie_in_one(radius_nm):
    spec = NanoparticleSpec(size_px=512, coverage=0.12, radius_nm=radius_nm, spread=0.2)
    field = simulate_nanoparticles(spec, np.random.default_rng(3))
    labels, n_particles = ndimage.label(field.mask)
    areas = np.bincount(labels.ravel())[1:]
    diameter = np.median(2 * np.sqrt(areas / np.pi))

    advice = suggest_edge(field.image.astype(np.float32))

    assert n_particles > 3
    assert advice.period_px is None
    assert advice.edge == pytest.approx(diameter, rel=0.35)
    assert f"blobs are about {advice.blob_px:.0f} px wide" in advice.sentence()


def test_a_few_bright_pixels_on_an_even_ground_are_blobs():
    image = np.zeros((200, 200), np.float32)
    image[90:94, 90:94] = 1
    assert suggest_edge(image).blob_px is not None


def test_noise_alone_gets_the_usual_edge(rng):
    advice = suggest_edge(rng.normal(size=(400, 400)).astype(np.float32))
    assert advice.edge == 50
    assert "usual" in advice.sentence()


def test_the_edge_leaves_chips_to_choose_from():
    assert suggest_edge(lattice(30.0, (120, 120))).edge == 20


def test_advice_goes_through_json_and_draws_its_curve():
    advice = suggest_edge(lattice(17.3, (200, 200)))
    assert type(advice).model_validate_json(advice.model_dump_json()) == advice
    figure = advice.figure()
    assert figure.axes[0].get_xlabel() == "distance (px)"
    assert len(advice.table().rows) == 5


def test_a_constant_image_is_refused():
    with pytest.raises(IcefloeError, match="nothing to see"):
        suggest_edge(np.ones((64, 64), np.float32))
