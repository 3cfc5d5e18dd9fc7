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


def test_supports_that_are_all_right_do_not_make_every_chip_certain(rng):
    supports = [rng.normal(size=(4, 3)), rng.normal(size=(4, 3)) + 100]
    left_out = leave_one_out(supports)

    highest = probabilities(left_out.distances, fit_temperature(left_out)).max(axis=1)

    # Eight right of eight: the next is right with (8 + 1) / (8 + 2).
    assert highest.mean() == pytest.approx(0.9, abs=1e-4)


def test_the_mean_confidence_of_supports_is_the_share_that_is_right(rng):
    supports = [rng.normal(size=(30, 3)), rng.normal(size=(30, 3)) + 1]
    left_out = leave_one_out(supports)
    n_right = np.sum(left_out.distances.argmin(axis=1) == left_out.classes)
    assert 30 < n_right < 60

    highest = probabilities(left_out.distances, fit_temperature(left_out)).max(axis=1)

    assert highest.mean() == pytest.approx((n_right + 1) / 62, abs=1e-4)


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
