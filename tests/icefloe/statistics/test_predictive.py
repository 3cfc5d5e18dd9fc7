"""The predictive test against scipy's t test and against simulated experiments."""

import numpy as np
import pytest
from scipy import stats

from icefloe.statistics.predictive import (
    ExperimentMean,
    Predictive,
    SpreadPrior,
    course_means,
    experiment_means,
)

BETWEEN, WITHIN, N_IMAGES = 0.2, 0.05, 12


def autoregression(rng, n, correlation):
    """n series of correlated frames, shape (n, N_IMAGES), standard deviation 1."""
    frames = np.empty((n, N_IMAGES))
    frames[:, 0] = rng.normal(size=n)
    for t in range(1, N_IMAGES):
        frames[:, t] = correlation * frames[:, t - 1] + np.sqrt(1 - correlation**2) * rng.normal(size=n)
    return frames


def experiments(rng, n, correlation=0.7, shift=0.0, between=BETWEEN):
    """Log scores of n experiments, shape (n, N_IMAGES): experiment effect plus autoregressive frames."""
    return shift + between * rng.normal(size=(n, 1)) + WITHIN * autoregression(rng, n, correlation)


def p_values(reference, new, prior, alternative="greater"):
    known = experiment_means(list(reference))
    predictive = Predictive([k.mean for k in known], [k.squared_error for k in known], prior)
    error = np.full(len(new), known[0].squared_error)
    return predictive.p_value(new.mean(axis=1)[:, None], error, alternative)


def test_without_error_of_the_means_the_test_is_a_t_test_with_the_priors_degrees_added():
    reference, scale, weight = np.array([0.1, 0.5, 0.2]), 0.3, 5.0
    k, freedom = 3, weight + 2
    variance = (weight * scale**2 + reference.var() * k) / freedom
    t = (1.1 - reference.mean()) / np.sqrt(variance * (1 + 1 / k))
    predictive = Predictive(reference[:, None], np.zeros(k), SpreadPrior(scale, weight))

    greater = predictive.p_value([1.1], 0.0, "greater")
    two_sided = predictive.p_value([1.1], 0.0, "two-sided")

    assert greater == pytest.approx(stats.t.sf(t, freedom), rel=1e-3)
    assert two_sided == pytest.approx(2 * stats.t.sf(t, freedom), rel=1e-3)


def test_a_single_reference_experiment_gives_a_t_test_on_the_prior_alone():
    predictive = Predictive([[0.0]], [0.0], SpreadPrior(0.2, 8.0))

    p = predictive.p_value([0.6], 0.0, "greater")

    assert p == pytest.approx(stats.t.sf(0.6 / (0.2 * np.sqrt(2)), 8.0), rel=1e-3)


def test_with_many_dimensions_the_two_sided_test_is_an_f_test(rng):
    reference = rng.normal(0, 0.3, (4, 3))
    new = np.array([0.9, -0.4, 0.3])
    scale, weight, d = 0.5, 6.0, 3.0
    within = ((reference - reference.mean(axis=0)) ** 2).sum()
    pooled = (weight * scale**2 + within) / (weight + 3)
    f = ((new - reference.mean(axis=0)) ** 2).sum() / (pooled * (1 + 1 / 4))

    p = Predictive(reference, np.zeros(4), SpreadPrior(scale, weight, d)).p_value(new, 0.0)

    assert p == pytest.approx(stats.f.sf(f, d, d * (weight + 3)), rel=1e-3)


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("alternative", ["greater", "two-sided"])
def test_false_alarms_come_at_the_stated_rate_when_kinds_of_experiment_vary_as_the_prior_says(
    rng, k, alternative
):
    alpha, weight = 0.05, 8.0
    rates = []
    for _ in range(300):
        between = BETWEEN * np.sqrt(weight / rng.chisquare(weight))
        old, new = experiments(rng, k, between=between), experiments(rng, 25, between=between)
        rates.append(np.mean(p_values(old, new, SpreadPrior(BETWEEN, weight), alternative) < alpha))

    # Alarms at one benchmark are correlated, so the benchmark is the unit of the standard error.
    assert np.mean(rates) == pytest.approx(alpha, abs=3 * np.std(rates) / np.sqrt(len(rates)))


@pytest.mark.parametrize("alternative", ["greater", "two-sided"])
def test_false_alarms_stay_below_the_stated_rate_when_the_prior_is_right(rng, alternative):
    rates = [
        np.mean(
            p_values(experiments(rng, 2), experiments(rng, 25), SpreadPrior(BETWEEN, 8.0), alternative) < 0.05
        )
        for _ in range(200)
    ]

    assert np.mean(rates) <= 0.05 + np.std(rates) / np.sqrt(len(rates))


def test_a_test_on_frames_instead_would_raise_several_times_as_many_alarms(rng):
    pairs = [(experiments(rng, 2), experiments(rng, 1)[0]) for _ in range(300)]

    on_frames = np.mean(
        [stats.mannwhitneyu(new, old.ravel(), alternative="greater").pvalue < 0.05 for old, new in pairs]
    )
    ours = np.mean([p_values(old, new[None], SpreadPrior(BETWEEN, 8.0))[0] < 0.05 for old, new in pairs])

    assert on_frames > 0.25
    assert ours < 0.09


def test_a_clear_shift_is_detected_with_two_reference_experiments(rng):
    found = [
        p_values(experiments(rng, 2), experiments(rng, 5, shift=5 * BETWEEN), SpreadPrior(BETWEEN, 8.0))
        < 0.05
        for _ in range(60)
    ]

    assert np.mean(found) > 0.9


def test_experiments_overrule_a_prior_that_is_far_too_small(rng):
    prior = SpreadPrior(BETWEEN / 4, 8.0)
    few = np.mean([p_values(experiments(rng, 2), experiments(rng, 20), prior) < 0.05 for _ in range(60)])
    many = np.mean([p_values(experiments(rng, 40), experiments(rng, 20), prior) < 0.05 for _ in range(60)])

    assert few > 0.15
    assert many < 0.09


def test_the_critical_effect_has_exactly_the_level_as_its_p_value():
    predictive = Predictive([[0.0], [0.2]], [0.001, 0.004], SpreadPrior(0.2, 8.0))
    result = predictive.test(ExperimentMean(np.array([0.7]), 0.002, 10, 5.0), "greater", 0.01)

    assert predictive.p_value(predictive.mean + result.critical, 0.002, "greater") == pytest.approx(
        0.01, rel=1e-6
    )
    assert result.low < result.effect < result.high


def test_correlated_frames_count_as_fewer_than_independent_ones(rng):
    independent = experiment_means(list(experiments(rng, 20, correlation=0.0)))
    correlated = experiment_means(list(experiments(rng, 20, correlation=0.8)))

    assert independent[0].n_effective > 0.7 * N_IMAGES
    assert correlated[0].n_effective < 0.35 * N_IMAGES


def test_the_error_of_a_mean_of_correlated_frames_is_what_repeated_experiments_show(rng):
    truth = np.var(autoregression(rng, 4000, 0.6).mean(axis=1))

    estimated = [experiment_means(list(autoregression(rng, 3, 0.6)))[0].squared_error for _ in range(300)]

    assert np.mean(estimated) == pytest.approx(truth, rel=0.4)


def course(rng, n_experiments, n_images=20, noise=0.05, spread=0.2):
    """Experiments that all take one V-shaped course, each by an amount of its own higher or lower."""
    phase = np.linspace(-1, 1, n_images)
    height = rng.normal(0, spread, (n_experiments, 1))
    return 1.2 * np.abs(phase) + height + rng.normal(0, noise, (n_experiments, n_images))


def test_a_course_that_all_experiments_take_is_no_error_of_their_means(rng):
    series = list(course(rng, 3))

    error = [np.sqrt(mean.squared_error) for mean in course_means(series)]

    assert error == pytest.approx([np.hypot(0.05, 0.09) / np.sqrt(20)] * 3, rel=0.4)  # a step of it: 0.13
    assert np.sqrt(experiment_means(series)[0].squared_error) > 5 * error[0]


def test_without_a_course_the_error_of_a_mean_is_that_of_independent_images(rng):
    estimated = [course_means(list(rng.normal(0, 0.3, (3, 12))))[0].squared_error for _ in range(300)]

    assert np.mean(estimated) == pytest.approx(0.3**2 / 12, rel=0.05)
    assert course_means([[1.0]])[0].squared_error == 0


@pytest.mark.parametrize("means", [course_means, experiment_means])
def test_a_further_experiment_on_the_course_is_called_different_no_more_often_than_stated(rng, means):
    prior, alarms = SpreadPrior(0.2, 12.0), []
    for _ in range(400):
        *reference, new = means(list(course(rng, 3)))
        predictive = Predictive([k.mean for k in reference], [k.squared_error for k in reference], prior)
        alarms.append(predictive.p_value(new.mean, new.squared_error, "greater") < 0.05)

    assert np.mean(alarms) < 0.075
    if means is course_means:
        assert np.mean(alarms) > 0.025  # counted as error, the course leaves no alarm at all
