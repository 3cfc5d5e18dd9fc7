"""The boundary followed in the image: step, sharpness and shape of synthetic crystals."""

import numpy as np
import pytest
from scipy import ndimage

from icefloe.drift.boundary import measure_boundary
from icefloe.drift.evidence import measure_evidence
from icefloe.errors import IcefloeError
from icefloe.simulate.outline import ellipse, hexagon

SIZE, RADIUS, FINER = 192, 45.0, 4


def crystal(reach, shift=0.0, grow=1.0):
    """Share of each pixel inside an outline given by its reach over angle, float64 (SIZE, SIZE)."""
    y, x = (np.mgrid[: SIZE * FINER, : SIZE * FINER] + 0.5) / FINER - SIZE / 2
    angles = np.mod(np.arctan2(y, x - shift), 2 * np.pi)
    edge = np.interp(angles, np.arange(len(reach)) * 2 * np.pi / len(reach), reach, period=2 * np.pi)
    inside = np.hypot(y, x - shift) < grow * RADIUS * edge
    return inside.reshape(SIZE, FINER, SIZE, FINER).mean(axis=(1, 3))


def image(inside, contrast=0.2, blur=1.0, noise=0.03, seed=0):
    rng = np.random.default_rng(seed)
    clean = 1 - contrast * ndimage.gaussian_filter(inside, blur)
    return (clean + noise * rng.normal(size=clean.shape)).astype(np.float32)


def mask(inside):
    return (inside > 0.5).astype(np.uint8)


ROUND = crystal(ellipse(1.0))


@pytest.mark.parametrize("contrast", [0.1, 0.3])
def test_contrast_is_the_step_relative_to_the_mean_of_both_sides(contrast):
    found = measure_boundary(image(ROUND, contrast), mask(ROUND))

    assert found.contrast == pytest.approx(contrast / (1 - contrast / 2), rel=0.08)


def test_the_boundary_is_found_in_the_image_where_the_mask_misses_it():
    pixels = image(ROUND)
    exact = measure_boundary(pixels, mask(ROUND))
    missed = measure_boundary(pixels, mask(crystal(ellipse(1.0), grow=1.05)))

    assert missed.contrast == pytest.approx(exact.contrast, rel=0.05)
    assert missed.sharpness == pytest.approx(exact.sharpness, rel=0.08)


def test_sharpness_falls_with_blur_and_rises_with_a_fringe_of_overfocus():
    sharpness = [measure_boundary(image(ROUND, blur=blur), mask(ROUND)).sharpness for blur in (0.8, 1.5, 3.0)]
    fringe = -0.5 * ndimage.gaussian_laplace(ROUND, 1.0)  # dark inside, bright outside: the step overshoots
    fringed = measure_boundary(image(ROUND + fringe), mask(ROUND)).sharpness

    assert sharpness == sorted(sharpness, reverse=True)
    assert sharpness[0] > 1.5 * sharpness[2]
    assert fringed > measure_boundary(image(ROUND), mask(ROUND)).sharpness


@pytest.mark.parametrize("elongation", [1.0, 1.6])
def test_elongation_is_that_of_the_crystal_whatever_its_habit(elongation):
    for habit in (ellipse, hexagon):
        inside = crystal(habit(elongation))
        assert measure_boundary(image(inside), mask(inside)).elongation == pytest.approx(elongation, rel=0.03)


@pytest.mark.parametrize("elongation", [1.0, 1.6])
def test_facets_are_those_of_a_hexagon_however_stretched(elongation):
    reach = hexagon(1.0)
    sixth = 2 * abs(np.fft.rfft(reach)[6]) / abs(np.fft.rfft(reach)[0])
    faceted, smooth = crystal(hexagon(elongation)), crystal(ellipse(elongation))

    # Noise is averaged along the outline, which takes a part of the corners too.
    assert 0.65 * sixth < measure_boundary(image(faceted), mask(faceted)).facets < 1.05 * sixth
    assert measure_boundary(image(smooth), mask(smooth)).facets < 0.25 * sixth


def test_where_mask_and_image_disagree_the_shape_is_not_believed():
    found = measure_boundary(image(ROUND), mask(crystal(ellipse(2.0))))

    assert np.isnan(found.elongation)
    assert np.isnan(found.facets)
    assert found.contrast > 0


@pytest.mark.parametrize("pixels_inside", [0, 9])
def test_without_an_outline_there_is_nothing_to_measure(pixels_inside):
    speck = np.zeros((SIZE, SIZE), np.uint8)
    speck.flat[:pixels_inside] = 1

    assert measure_boundary(image(ROUND), speck) is None


def test_of_a_crystal_that_the_images_edge_cuts_the_step_is_measured_and_the_shape_is_not():
    whole, cut = image(ROUND), image(ROUND)[60:]
    found = measure_boundary(cut, mask(ROUND)[60:])

    assert found.contrast == pytest.approx(measure_boundary(whole, mask(ROUND)).contrast, rel=0.05)
    assert np.isnan(found.elongation)


def test_evidence_has_the_boundarys_columns_only_where_a_mask_is_given():
    pixels = image(ROUND)
    columns = {"boundary_contrast", "boundary_sharpness", "boundary_elongation", "boundary_facets"}

    assert columns < set(measure_evidence(pixels, mask(ROUND)).to_features())
    assert not columns & set(measure_evidence(pixels).to_features())


def test_a_mask_of_another_image_is_refused():
    with pytest.raises(IcefloeError, match=r"the mask has the shape \(64, 64\), the image \(192, 192\)"):
        measure_evidence(image(ROUND), np.zeros((64, 64), np.uint8))
