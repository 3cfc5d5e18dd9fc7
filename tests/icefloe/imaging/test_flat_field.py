import numpy as np
import pytest

from icefloe.errors import IcefloeError
from icefloe.imaging.flat_field import bernstein, fit_surface, flatten, illumination


def uneven(side):
    """Illumination of a bright spot off the middle, float64, shape (side, side)."""
    row, column = np.mgrid[:side, :side] / (side - 1)
    return 1000 * (1 - 0.5 * (row - 0.4) ** 2 - 0.4 * (column - 0.6) ** 2 + 0.2 * row * column)


def with_dark_discs(image):
    """Twelve discs that let 70 % through, as particles do."""
    row, column = np.indices(image.shape)
    side, shown = len(image), image.copy()
    for y in (0.15, 0.5, 0.85):
        for x in (0.12, 0.38, 0.62, 0.88):
            shown[np.hypot(row - y * side, column - x * side) < side / 16] *= 0.7
    return shown


@pytest.mark.parametrize("length", [2, 3, 64, 501])
def test_the_basis_is_not_negative_and_adds_up_to_one(length):
    basis = bernstein(length)
    assert basis.shape == (length, 3)
    assert basis.min() >= 0
    np.testing.assert_allclose(basis.sum(axis=1), 1, rtol=1e-15)


def test_without_weights_the_fit_is_that_of_monomials(rng):
    values = rng.normal(1000, 50, (60, 83))
    rows, columns = bernstein(60), bernstein(83)
    fitted = rows @ fit_surface(values, rows, columns) @ columns.T
    row, column = np.meshgrid(np.linspace(0, 1, 60), np.linspace(0, 1, 83), indexing="ij")
    monomials = np.stack([row**i * column**j for i in range(3) for j in range(3)], axis=-1).reshape(-1, 9)
    reference = monomials @ np.linalg.lstsq(monomials, values.ravel(), rcond=None)[0]
    np.testing.assert_allclose(fitted.ravel(), reference, rtol=1e-9)


def test_with_weights_the_fit_is_that_of_the_papers_weighted_rows(rng):
    values, weights = rng.normal(1000, 50, (40, 50)), rng.random((40, 50))
    rows, columns = bernstein(40), bernstein(50)
    basis = np.einsum("ri,cj->rcij", rows, columns).reshape(-1, 9)
    factor = weights.reshape(-1, 1)
    reference = np.linalg.lstsq(factor * basis, factor[:, 0] * values.ravel(), rcond=None)[0]
    np.testing.assert_allclose(fit_surface(values, rows, columns, weights).ravel(), reference, rtol=1e-9)


def test_each_reweighting_brings_the_surface_nearer_to_the_light_behind_dark_discs(rng):
    light = uneven(512)
    image = rng.poisson(with_dark_discs(light)).astype(np.float32)
    plain, once, twice = (np.abs(illumination(image, n) / light - 1).mean() for n in range(3))
    assert 0.03 < plain < 0.06
    assert once < 0.01
    assert twice < 0.0015


@pytest.mark.parametrize("shape", [(512, 512), (130, 203), (64, 67), (9, 11)])
def test_a_light_that_is_a_surface_is_divided_out_whole_whatever_the_size(shape):
    rows, columns = (bernstein(length) for length in shape)
    light = (rows @ np.array([[900, 1000, 800], [1100, 1300, 950], [700, 990, 870]]) @ columns.T).astype("f4")
    np.testing.assert_allclose(flatten(light), 1, atol=1e-5)


def test_an_image_without_light_in_a_part_is_refused():
    image = np.tile(np.linspace(-100, 100, 64, dtype=np.float32), (64, 1))
    with pytest.raises(IcefloeError, match="illumination falls to 0"):
        flatten(image)
