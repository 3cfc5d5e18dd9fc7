"""Strategies: what each one prefers."""

import numpy as np
import pytest

from icefloe.active.strategies import STRATEGIES, Candidates, strategy
from icefloe.errors import IcefloeError


def candidates(features: np.ndarray | None = None, **columns) -> Candidates:
    count = len(next(iter(columns.values())))
    features = np.zeros((count, 2)) if features is None else features
    keys = tuple(f"D3/s{number}" for number in range(count))
    return Candidates(keys, {name: np.array(values) for name, values in columns.items()}, features)


def test_an_unknown_strategy_lists_the_names():
    with pytest.raises(IcefloeError) as error:
        strategy("magic")
    assert str(error.value) == (
        "'magic' is not a sampling strategy. There are: entropy, foreground-random, mean-uq, "
        "mutual-information, random, uncertainty-diversity, uncertainty-typical."
    )


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_every_strategy_goes_by_its_own_name(name):
    assert strategy(name).name == name


@pytest.mark.parametrize(
    ("name", "column"),
    [("mean-uq", "uq_mean"), ("entropy", "entropy"), ("mutual-information", "mutual_information")],
)
def test_score_strategies_prefer_the_largest_score(name, column, rng):
    given = candidates(**{column: [0.1, 0.3, 0.2]})
    np.testing.assert_array_equal(strategy(name).priorities(given, [], 1, rng), [0.1, 0.3, 0.2])
    assert strategy(name).explain(given, 2).endswith("0.2, rank 2 of 3 images")


def test_random_chooses_every_image_equally_often(rng):
    given = candidates(uq_mean=[0.0] * 4)
    first = [np.argmax(strategy("random").priorities(given, [], 1, rng)) for _ in range(4000)]
    np.testing.assert_allclose(np.bincount(first) / 4000, 0.25, atol=0.03)


def test_foreground_random_chooses_in_proportion_to_foreground(rng):
    given = candidates(foreground_fraction=[0.0, 0.1, 0.3, 0.6])
    first = [np.argmax(strategy("foreground-random").priorities(given, [], 1, rng)) for _ in range(4000)]
    np.testing.assert_allclose(np.bincount(first, minlength=4) / 4000, [0, 0.1, 0.3, 0.6], atol=0.03)
    assert "here 30.0% of the pixels" in strategy("foreground-random").explain(given, 2)


def test_foreground_random_works_where_no_foreground_is_seen(rng):
    priorities = strategy("foreground-random").priorities(
        candidates(foreground_fraction=[0.0] * 3), [], 1, rng
    )
    assert np.isfinite(priorities).all()


def test_diversity_starts_with_the_most_uncertain(rng):
    given = candidates(uq_mean=[0.1, 0.3, 0.2])
    assert np.argmax(strategy("uncertainty-diversity").priorities(given, [], 1, rng)) == 1


def test_diversity_is_uncertainty_times_distance_to_the_nearest_chosen(rng):
    features = rng.normal(size=(6, 3)) * (1, 100, 0)  # scales differ, one channel is dead
    uncertainty = rng.random(6)
    priorities = strategy("uncertainty-diversity").priorities(
        candidates(features, uq_mean=uncertainty), [4, 1], 1, rng
    )
    z = ((features - features.mean(axis=0)) / np.where(features.std(axis=0) > 0, features.std(axis=0), 1))[
        :, :2
    ]
    expected = [
        u * min(np.linalg.norm(f - z[4]), np.linalg.norm(f - z[1]))
        for u, f in zip(uncertainty, z, strict=True)
    ]
    np.testing.assert_allclose(priorities, expected, rtol=1e-10)


def test_diversity_passes_over_a_twin_of_what_is_labelled(rng):
    features = np.array([[0.0, 0], [0, 0], [1, 1]])
    given = candidates(features, uq_mean=[0.5, 0.5, 0.1])
    assert np.argmax(strategy("uncertainty-diversity").priorities(given, [0], 1, rng)) == 2


CLUSTERS = np.array([[0.0], [1], [2], [100], [103], [104], [105], [200]])
"""Three kinds of images."""


def picks(chosen, wanted, uncertainty=(1.0,) * 8):
    given = candidates(CLUSTERS, uq_mean=uncertainty)
    chosen, rng = list(chosen), np.random.default_rng(0)
    for left in range(wanted, 0, -1):
        priorities = strategy("uncertainty-typical").priorities(given, chosen, left, rng)
        chosen.append(int(np.argmax(priorities)))
    return chosen[-wanted:]


def test_typical_takes_the_medoid_of_each_cluster_the_largest_first():
    assert picks([], 3) == [4, 1, 7]


def test_typical_puts_the_most_uncertain_cluster_first():
    assert picks([], 3, uncertainty=[1.0] * 7 + [9.0]) == [7, 4, 1]


def test_typical_leaves_out_the_cluster_of_what_is_labelled():
    assert picks([3], 2) == [1, 7]


def test_typical_does_with_a_single_image_and_with_features_all_alike(rng):
    one = candidates(np.ones((1, 2)), uq_mean=[0.2])
    alike = candidates(np.ones((3, 2)), uq_mean=[0.1, 0.3, 0.2])
    assert strategy("uncertainty-typical").priorities(one, [], 1, rng).shape == (1,)
    assert np.argmax(strategy("uncertainty-typical").priorities(alike, [], 2, rng)) == 1
