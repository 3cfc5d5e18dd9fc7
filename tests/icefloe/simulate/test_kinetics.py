import numpy as np
import pytest

from icefloe.simulate.kinetics import GIBBS_THOMSON_K_NM, radii, temperatures


def test_temperatures_are_those_in_the_middle_of_each_second():
    np.testing.assert_allclose(temperatures(-1.0, 0.5, 3), [-0.75, -0.25, 0.25])


def test_a_large_crystal_melts_linearly_at_constant_temperature():
    # 1e6 nm: the Gibbs-Thomson term is below 1e-4 K
    taken = radii(1e6, 2.0, 3.0, 0.0, 5)
    np.testing.assert_allclose(taken - 1e6, -6.0 * np.array([0.5, 1.5, 2.5, 3.5, 4.5]), rtol=1e-3)


def test_a_large_crystal_melts_quadratically_on_a_ramp():
    taken = radii(1e6, 2.0, 0.0, 0.4, 10)
    t = np.arange(10) + 0.5
    np.testing.assert_allclose(1e6 - taken, 2.0 * 0.4 * t**2 / 2, rtol=0.02, atol=0.01)


def test_a_crystal_at_its_own_melting_point_stays():
    taken = radii(100.0, 1.0, -GIBBS_THOMSON_K_NM / 100.0, 0.0, 20)
    np.testing.assert_allclose(taken, 100.0)


def test_a_supercooled_crystal_grows():
    assert np.all(np.diff(radii(80.0, 1.0, -3.0, 0.0, 10)) > 0)


def test_a_crystal_that_has_melted_stays_gone():
    taken = radii(100.0, 5.0, 2.0, 0.0, 20)
    assert taken[0] > 0
    assert taken[-1] == 0
    assert np.all(np.diff(taken) <= 0)


@pytest.mark.parametrize("n", [1, 40])
def test_there_is_one_radius_a_second(n):
    assert radii(100.0, 0.1, 1.0, 0.0, n).shape == (n,)
