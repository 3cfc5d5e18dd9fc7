"""The gate's statistics: counting against textbook formulas, and one small study with a real ensemble."""

import re

import numpy as np
import pytest
from scipy import stats

from icefloe.drift.benchmark import Benchmark
from icefloe.drift.config import GateConfig
from icefloe.drift.evidence import QUANTILE_COLUMNS, QUANTILE_LEVELS
from icefloe.drift.gate import check
from icefloe.drift.ice import ICE
from icefloe.drift.patterns import UNKNOWN
from icefloe.ensemble.rows import ImageRow
from icefloe.simulate.standard import describe_shift, random_standard_spec, shifted_spec
from studies.gate import confusion, rates
from studies.gate.fit import fit_attribution, write_model
from studies.gate.simulation import CAUSES, Scenario, plan, thinned
from studies.gate.spreads import measure_spreads

BASES = {"uq_mean": 0.006, "noise": 0.05, "contrast": 0.15, "sharpness": 0.5, "spikes": 40.0, "lines": 0.005}
BASES |= {f"boundary_{n}": v for n, v in (("contrast", 0.1), ("sharpness", 0.4), ("elongation", 1.5))}
BASES |= {"boundary_facets": 0.01, "foreground_fraction": 0.12, "snr": 3.0}
MOVED = {
    "dose": "noise",
    "contrast": "boundary_contrast",
    "defocus": "boundary_sharpness",
    "magnification": "contrast",
    "gain": "lines",
    "xrays": "spikes",
    "shape": "boundary_facets",
}
"""A world in which each cause doubles one quantity at full strength, and moves nothing else."""


def rows(rng, scenario, n=10):
    between = {name: np.exp(0.03 * rng.normal()) for name in BASES}
    if scenario.cause is not None:
        between[MOVED[scenario.cause]] *= 4**scenario.strength
    quantiles = dict(zip(QUANTILE_COLUMNS, stats.norm.ppf(QUANTILE_LEVELS), strict=True))
    return [
        ImageRow(
            scenario.name,
            f"s{i}",
            i,
            {name: base * between[name] * np.exp(0.02 * rng.normal()) for name, base in BASES.items()}
            | quantiles,
        )
        for i in range(n)
    ]


@pytest.fixture(scope="module")
def world():
    """Benchmark, and 12 standard and 2 x 2 experiments of each cause."""
    rng = np.random.default_rng(0)
    benchmark = Benchmark.from_rows(
        row for k in range(2) for row in rows(rng, Scenario(None, 0.0, 100 + k, k))
    )
    return benchmark, {s: rows(rng, s) for s in plan(0, 0, 12, (0.5, 1.0), 2)}


@pytest.fixture(scope="module")
def some(world):
    """Every fourth experiment, and the gate's whole report on it."""
    benchmark, measured = world
    chosen = dict(list(measured.items())[::4])
    return chosen, {scenario: check(benchmark, table) for scenario, table in chosen.items()}


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

    assert rates.Rate(hits=hits, total=total).interval == pytest.approx((low, high))


def test_a_rate_of_nothing_has_no_share():
    assert str(rates.Rate(hits=0, total=0)) == "–"


def detections(share_by_strength, total=20):
    alarms = {
        Scenario("dose", strength, i, i): ("noise",) if i < share * total else ()
        for strength, share in share_by_strength.items()
        for i in range(total)
    }
    return rates.Detections({10: alarms})


def test_the_smallest_shift_lies_where_the_rising_rate_crosses_four_fifths(rng):
    found = detections({0.1: 0.0, 0.2: 0.6, 0.4: 1.0}).smallest(10, "dose", rng)

    assert found.strength == pytest.approx(0.2 * 2**0.5)
    assert 0.1 < found.low < found.strength < found.high <= 0.4


def test_a_rate_that_falls_again_by_chance_is_smoothed_before_it_is_read(rng):
    found = detections({0.1: 0.0, 0.2: 1.0, 0.4: 0.9, 0.8: 1.0}).smallest(10, "dose", rng)

    assert 0.1 < found.strength < 0.2


@pytest.mark.parametrize(("shares", "expected"), [((1.0, 1.0), 0.1), ((0.0, 0.5), np.inf)])
def test_beyond_the_strengths_measured_the_smallest_shift_is_the_weakest_or_none(rng, shares, expected):
    assert (
        detections(dict(zip((0.1, 0.2), shares, strict=True))).smallest(10, "dose", rng).strength == expected
    )


def test_detections_count_what_the_gate_does_not_accept(world, some):
    (benchmark, _), (measured, reports) = world, some
    found = rates.detect(benchmark, measured, (5, 10), GateConfig())

    assert {s: bool(alarms) for s, alarms in found.alarms[10].items()} == {
        s: report.outcome != "accept" for s, report in reports.items()
    }
    assert found.rate(5, None, 0.0).total == 3


def test_what_an_older_benchmark_lacks_is_not_detected_with_it(world):
    benchmark, measured = world
    older = rates.without_new_evidence(benchmark)
    found = rates.detect(older, measured, (10,), GateConfig())

    assert found.rate(10, "dose", 1.0).hits == 2
    assert found.rate(10, "xrays", 1.0).hits == found.rate(10, "shape", 1.0).hits == 0


def test_random_benchmarks_never_hold_the_dataset_they_judge(world, rng):
    _, measured = world
    found = rates.false_alarms_by_benchmark_size(measured, (1, 11), 5, 5, GateConfig(), rng)

    assert {size: rate.total for size, rate in found.items()} == {1: 5, 11: 5}


def test_a_confusion_matrix_counts_only_alarms_and_an_unclear_answer_is_no_right_one():
    pairs = [("a", "a"), ("a", "b"), ("a", UNKNOWN), ("b", "b"), ("b", "accepted"), ("none", "a")]
    found = confusion.Confusion.of(("a", "b"), pairs)

    assert found.counts.tolist() == [[1, 1, 1, 0], [0, 1, 0, 1], [1, 0, 0, 0]]
    assert found.accuracy == rates.Rate(hits=2, total=4)
    assert found.clear == rates.Rate(hits=2, total=3)
    assert found.chance == 3 / 4
    assert "| a | 1 | 1 | 1 | 0 |" in found.to_markdown()


def test_a_model_fitted_on_a_world_finds_its_effects_and_names_other_experiments_causes(world, tmp_path):
    benchmark, measured = world
    model = fit_attribution(benchmark, measured, "a test")
    names = list(model.quantities)

    for cause, moved in MOVED.items():
        full = dict(zip(names, model.causes[cause].effects[-1], strict=True))
        assert full.pop(moved) == pytest.approx(np.log(4), abs=0.15)
        assert np.abs(list(full.values())).max() < 0.15
    write_model(model, tmp_path / "model.yaml")
    assert len((tmp_path / "model.yaml").read_text()) < 20_000


def test_answers_are_those_of_the_whole_gate(world, some):
    (benchmark, _), (measured, reports) = world, some
    answers = confusion.judge(benchmark, measured, 10, GateConfig())

    assert answers == {scenario: report.attribution for scenario, report in reports.items()}
    groups = confusion.by_group(answers)
    assert groups.counts.sum() == len(measured)
    assert groups.truths == (*ICE.groups, "none")


def test_spreads_are_those_of_standard_experiments_only(world):
    benchmark, measured = world
    noise = next(
        s for s in measure_spreads(benchmark, measured, 10, GateConfig()) if s.words == "noise level"
    )

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
