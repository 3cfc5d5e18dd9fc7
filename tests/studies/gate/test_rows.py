"""The gate's statistics: counting against textbook formulas, in a world whose causes are known."""

import re

import numpy as np
import pytest
from scipy import stats

from icefloe.drift.benchmark import Benchmark
from icefloe.drift.comparison import compare as gate_compare
from icefloe.drift.config import GateConfig
from icefloe.drift.ice import ICE
from icefloe.drift.patterns import UNKNOWN
from icefloe.ensemble.rows import ImageRow
from icefloe.simulate.standard import describe_shift, random_standard_spec, shifted_spec
from icefloe.statistics.rates import Rate
from studies.gate.design import CAUSES, Scenario, plan, thinned
from studies.gate.rows import (
    Confusion,
    alarm_rates,
    compare,
    detect,
    false_alarms_by_benchmark_size,
    judge,
    measure_spreads,
    raised_by,
    smallest_detected,
    uncertainty_power,
    without_new_evidence,
)


def test_a_plan_shares_no_draw_with_one_of_another_purpose_or_seed():
    seeds = [
        {s.seed for s in plan(purpose, seed, 20, (0.5,), 3)} for purpose, seed in ((0, 0), (1, 0), (0, 1))
    ]

    assert all(len(found) == 20 + 3 * len(CAUSES) for found in seeds)
    assert len(set.union(*seeds)) == sum(len(found) for found in seeds)
    assert plan(0, 0, 20, (0.5,), 3) == plan(0, 0, 20, (0.5,), 3)


def test_thinning_keeps_first_and_last():
    table = [ImageRow("D1", f"s{i}", i, {}) for i in range(20)]

    assert [row.index for row in thinned(table, 3)] == [0, 10, 19]
    assert thinned(table, 20) == table


@pytest.mark.parametrize(("hits", "total"), [(0, 200), (3, 40), (12, 12)])
def test_a_rates_interval_is_clopper_and_pearsons(hits, total):
    low = 0.0 if hits == 0 else stats.beta.ppf(0.025, hits, total - hits + 1)
    high = 1.0 if hits == total else stats.beta.ppf(0.975, hits + 1, total - hits)

    assert Rate(hits=hits, total=total).interval == pytest.approx((low, high))


def test_a_rate_of_nothing_has_no_share():
    assert str(Rate(hits=0, total=0)) == "–"


def alarms(share_by_strength, total=20):
    return {
        Scenario("dose", strength, i, i): ("noise",) if i < share * total else ()
        for strength, share in share_by_strength.items()
        for i in range(total)
    }


def smallest(share_by_strength, rng):
    return smallest_detected(alarm_rates("all", 10, alarms(share_by_strength)), 10, "dose", rng)


def test_the_smallest_shift_lies_where_the_rising_rate_crosses_four_fifths(rng):
    found = smallest({0.1: 0.0, 0.2: 0.6, 0.4: 1.0}, rng)

    assert found.strength == pytest.approx(0.2 * 2**0.5)
    assert 0.1 < found.low < found.strength < found.high <= 0.4
    assert found.in_words(0.1).endswith(f"({found.strength:.2f}, {found.low:.2f}–{found.high:.2f})")


def test_a_rate_that_falls_again_by_chance_is_smoothed_before_it_is_read(rng):
    assert 0.1 < smallest({0.1: 0.0, 0.2: 1.0, 0.4: 0.9, 0.8: 1.0}, rng).strength < 0.2


@pytest.mark.parametrize(("shares", "expected"), [((1.0, 1.0), 0.1), ((0.0, 0.5), None)])
def test_beyond_the_strengths_measured_the_smallest_shift_is_the_weakest_or_none(rng, shares, expected):
    found = smallest(dict(zip((0.1, 0.2), shares, strict=True)), rng)

    assert found.strength == expected
    assert found.in_words(0.1).startswith("none measured" if expected is None else "at most ")


def test_rates_are_counted_by_cause_and_strength():
    rows = alarm_rates("all", 10, alarms({0.1: 0.25, 0.5: 1.0}) | {Scenario(None, 0.0, 0, 0): ()})

    assert [(row.cause, row.strength, row.rate.hits, row.rate.total) for row in rows] == [
        *(("dose", 0.1, 5, 20), ("dose", 0.5, 20, 20), (None, 0.0, 0, 1))
    ]


def test_detections_count_what_the_gate_does_not_accept(world, some):
    (benchmark, _), (measured, reports) = world, some
    config = GateConfig()
    found = detect(compare(benchmark, measured, 10, config), config)

    assert {s: bool(raised) for s, raised in found.items()} == {
        s: report.outcome != "accept" for s, report in reports.items()
    }
    with_five = detect(compare(benchmark, measured, 5, config), config)
    assert len([s for s in with_five if s.cause is None]) == 3


def test_the_quantities_that_raise_false_alarms_are_named(world, some):
    (benchmark, _), (measured, _) = world, some
    config = GateConfig(alpha=0.49)
    found = detect(compare(benchmark, measured, 10, config), config)
    standard = {scenario: raised for scenario, raised in found.items() if scenario.cause is None}

    assert raised_by(found) == raised_by(standard)
    assert sum(raised_by(found).values()) * len(standard) == pytest.approx(sum(map(len, standard.values())))


def test_what_an_older_benchmark_lacks_is_not_detected_with_it(world):
    benchmark, measured = world
    older, config = without_new_evidence(benchmark), GateConfig()
    rows = alarm_rates("older benchmark", 10, detect(compare(older, measured, 10, config), config))
    hits = {row.cause: row.rate.hits for row in rows if row.strength == 1.0}

    assert hits["dose"] == 2
    assert hits["xrays"] == hits["shape"] == 0


def test_random_benchmarks_never_hold_the_dataset_they_judge(world, rng):
    _, measured = world
    found = false_alarms_by_benchmark_size(measured, (1, 11), 5, 5, GateConfig(), rng)

    assert {size: rate.total for size, rate in found.items()} == {1: 5, 11: 5}


def test_a_confusion_matrix_counts_only_alarms_and_an_unclear_answer_is_no_right_one():
    pairs = [("a", "a"), ("a", "b"), ("a", UNKNOWN), ("b", "b"), ("b", "accepted"), ("none", "a")]
    found = Confusion.of(("a", "b"), pairs)

    assert found.counts == ((1, 1, 1, 0), (0, 1, 0, 1), (1, 0, 0, 0))
    assert found.accuracy == Rate(hits=2, total=4)
    assert found.clear == Rate(hits=2, total=3)
    assert found.chance == 3 / 4
    assert (found.truths, found.answers) == (("a", "b", "none"), ("a", "b", UNKNOWN, "accepted"))


def test_answers_are_those_of_the_whole_gate(world, some):
    (benchmark, _), (measured, reports) = world, some
    answers = judge(compare(benchmark, measured, 10, GateConfig()), GateConfig())

    assert answers == {scenario: report.attribution for scenario, report in reports.items()}
    groups = Confusion.by_group(answers)
    assert sum(map(sum, groups.counts)) == len(measured)
    assert sum(map(sum, Confusion.by_cause(answers).counts)) == len(measured)
    assert groups.truths == (*ICE.groups, "none")


def test_spreads_are_those_of_standard_experiments_only(world):
    benchmark, measured = world
    spreads = measure_spreads(compare(benchmark, measured, 10, GateConfig()), GateConfig())
    noise = next(s for s in spreads if s.words == "noise level")

    assert noise.deviation == pytest.approx(0.03, rel=0.6)
    assert abs(noise.centre) < 0.1


@pytest.mark.parametrize("cause", CAUSES)
def test_a_shift_is_described_by_a_number_that_its_strength_changes(cause):
    weak, strong = describe_shift(cause, 0.1), describe_shift(cause, 1.0)

    assert weak != strong
    assert all(re.search(r"\d", words) for words in (weak, strong))


def test_the_description_of_a_dose_is_what_the_simulation_does(rng):
    before, after = (
        random_standard_spec(np.random.default_rng(1)),
        shifted_spec("dose", 1.0, np.random.default_rng(1)),
    )

    ratio = after.camera.dose_e_per_A2 / before.camera.dose_e_per_A2
    assert describe_shift("dose", 1.0) == f"{ratio:.2g} of the dose"


def course(rng, name, level, n=10):
    """Uncertainty that rises and falls within an experiment, at a size that goes on falling."""
    time = np.linspace(-1, 1, n)
    size = 0.2 * np.exp(-0.5 * (time + 1))
    values = 0.006 * np.exp(level + 0.9 * np.abs(time) + 0.02 * rng.normal(size=n))
    return [
        ImageRow(name, f"s{i}", i, {"uq_mean": float(u), "foreground_fraction": float(f)})
        for i, (u, f) in enumerate(zip(values, size, strict=True))
    ]


def test_a_course_that_all_experiments_take_hides_a_shift_from_the_former_test_only(rng):
    config = GateConfig()
    benchmark = Benchmark.from_rows(course(rng, "D1", 0.0) + course(rng, "D2", 0.05))
    scenarios = [Scenario(None, 0.0, i, i) for i in range(40)]
    scenarios += [Scenario("dose", 1.0, i, i) for i in range(20)]
    compared = {
        s: gate_compare(
            benchmark, course(rng, s.name, 0.05 * rng.normal() + 0.7 * s.strength), [ICE.uncertainty], config
        )
        for s in scenarios
    }

    standard, shifted = uncertainty_power(compared, config)

    assert (standard.cause, standard.now.hits, standard.now.total) == (None, 0, 40)
    assert standard.now_at_level.hits == standard.before_at_level.hits == 2
    assert (shifted.cause, shifted.before.hits, shifted.now.hits, shifted.now.total) == ("dose", 0, 20, 20)
    assert shifted.before_at_level.hits == shifted.now_at_level.hits == 20
