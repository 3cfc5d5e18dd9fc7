"""Leave-one-out among supports, and the temperature that it gives."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from icefloe.fewshot.prototypes import probabilities
from icefloe.fewshot.temperature import fit_temperature, leave_one_out


def test_left_out_distances_are_those_to_prototypes_made_without_the_support(rng):
    supports = [rng.normal(size=(n, 4)) for n in (3, 5, 1)]
    left_out = leave_one_out(supports)

    row = 0
    for index, of_set in enumerate(supports[:2]):
        for position, support in enumerate(of_set):
            means = [one.mean(axis=0) for one in supports]
            means[index] = np.delete(of_set, position, axis=0).mean(axis=0)
            np.testing.assert_allclose(left_out.distances[row], cdist([support], means)[0] ** 2)
            assert left_out.classes[row] == index
            row += 1
    assert row == len(left_out.distances)
    assert left_out.singles == (2,)
    assert left_out.is_honest


def confidence(left_out, temperature):
    return probabilities(left_out.distances, temperature).max(axis=1).mean()


def test_supports_that_are_all_right_do_not_make_every_chip_certain(rng):
    supports = [rng.normal(size=(4, 3)), rng.normal(size=(4, 3)) + 100]
    left_out = leave_one_out(supports)
    assert confidence(left_out, fit_temperature(left_out)) == pytest.approx(0.99, abs=1e-4)


def test_many_supports_are_as_confident_as_they_are_right(rng):
    left_out = leave_one_out([rng.normal(size=(1500, 3)), rng.normal(size=(1500, 3)) + 1])
    right = np.mean(left_out.distances.argmin(axis=1) == left_out.classes)
    assert confidence(left_out, fit_temperature(left_out)) == pytest.approx(right, abs=0.01)


def test_few_supports_move_the_temperature_little(rng):
    for _ in range(10):
        left_out = leave_one_out([rng.normal(size=(2, 3)), rng.normal(size=(2, 3)) + 1])
        usual = 0.2 * np.median(left_out.distances)
        at_99_percent = confidence(left_out, fit_temperature(left_out)) > 0.989
        assert at_99_percent or 0.3 * usual < fit_temperature(left_out) < 3 * usual


def test_log_temperature_is_the_mean_of_the_supports_and_the_usual_one(rng):
    left_out = leave_one_out([rng.normal(size=(5, 3)), rng.normal(size=(5, 3)) + 1])
    n_right = np.count_nonzero(left_out.distances.argmin(axis=1) == left_out.classes)
    unit = np.median(left_out.distances)
    # Out of (10 log t + 40 log 0.2) / 50, where t is in units of the median distance.
    own = unit * (fit_temperature(left_out) / unit) ** 5 / 0.2**4
    assert confidence(left_out, own) == pytest.approx((n_right + 1) / 12, abs=1e-4)


def test_the_temperature_follows_the_unit_of_the_embeddings(rng):
    supports = [rng.normal(size=(5, 3)), rng.normal(size=(5, 3)) + 2]
    once = fit_temperature(leave_one_out(supports))
    tenfold = fit_temperature(leave_one_out([10 * of_set for of_set in supports]))
    assert tenfold == pytest.approx(100 * once, rel=1e-2)


def test_sets_of_one_are_judged_by_their_own_distances_and_say_so(rng):
    left_out = leave_one_out([rng.normal(size=(1, 3)), rng.normal(size=(1, 3))])
    assert not left_out.is_honest
    assert left_out.singles == (0, 1)
    assert probabilities(left_out.distances, fit_temperature(left_out)).max() < 0.999


def test_equal_sets_have_a_temperature_too():
    left_out = leave_one_out([np.ones((1, 3)), np.ones((1, 3))])
    assert np.isfinite(fit_temperature(left_out))
