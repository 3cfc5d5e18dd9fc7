"""The gate from tables to outcome, words and figure."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import ndimage, stats

from icefloe.drift.attribution import attribute
from icefloe.drift.benchmark import Benchmark
from icefloe.drift.comparison import adjusted_p_values, compare_rows, ratios
from icefloe.drift.config import GateConfig, Spread
from icefloe.drift.evidence import QUANTILE_COLUMNS, QUANTILE_LEVELS, measure_evidence
from icefloe.drift.gate import check
from icefloe.drift.ice import ICE
from icefloe.drift.report import GateReport
from icefloe.ensemble.rows import ImageRow
from icefloe.errors import IcefloeError

SPREAD = 0.15
BASES = {
    "uq_mean": 0.006,
    "noise": 0.06,
    "contrast": 0.15,
    "sharpness": 0.5,
    "spikes": 40.0,
    "lines": 0.006,
    "boundary_contrast": 0.12,
    "boundary_sharpness": 0.4,
    "boundary_elongation": 1.5,
    "boundary_facets": 0.01,
}
NEW_COLUMNS = ("spikes", "lines", "boundary_")
CONFIG = GateConfig(spreads={quantity.name: Spread(scale=SPREAD) for quantity in ICE.quantities})
SHAPE = stats.norm.ppf(QUANTILE_LEVELS)


def rows(rng, name, n=12, **factors):
    """One experiment's table: quantities vary by SPREAD between experiments, 3 % between frames.

    The crystal shrinks, and uncertainty grows by as much.
    """
    between = {q: np.exp(SPREAD * rng.normal()) for q in BASES}
    skew = SPREAD * rng.normal() + factors.pop("skew", 0.0)
    table = []
    for index, size in enumerate(np.geomspace(0.2, 0.08, n) * rng.uniform(0.9, 1.1)):
        values = {
            q: base * between[q] * factors.get(q, 1.0) * np.exp(0.03 * rng.normal())
            for q, base in BASES.items()
        }
        values["foreground_fraction"] = size
        values["uq_mean"] *= 0.13 / size
        values["uq_foreground"] = values["uq_mean"] / size
        values["snr"] = values["contrast"] / values["noise"]
        # In this direction the root mean square over quantiles is the skew itself.
        direction = (SHAPE**2 - 1) / np.sqrt(np.mean((SHAPE**2 - 1) ** 2))
        quantiles = dict(zip(QUANTILE_COLUMNS, SHAPE + skew * direction, strict=True))
        table.append(ImageRow(name, f"s{index}", index, {**values, **quantiles}))
    return table


@pytest.fixture
def benchmark(rng):
    return Benchmark.from_rows(rows(rng, "D1") + rows(rng, "D2"))


def test_an_experiment_of_the_same_kind_is_accepted_in_plain_words(rng, benchmark):
    report = check(benchmark, rows(rng, "D6"), CONFIG)

    assert report.outcome == "accept"
    assert report.decided_by == ()
    assert report.sentence() == (
        "D6 is accepted: over 12 images nothing sets it apart from the 2 benchmark experiments "
        "(false-alarm rate 5%). Use its masks."
    )


def test_larger_uncertainty_is_a_shift_that_says_what_and_how_much(rng, benchmark):
    report = check(benchmark, rows(rng, "D3", uq_mean=4.0), CONFIG)

    assert report.outcome == "shifted"
    assert report.decided_by == ("uncertainty",)
    result = report.result("uncertainty")
    assert result.low < result.effect < result.high
    assert result.effect > result.threshold > 1
    assert f"is {result.effect:.2f} times the benchmark's" in report.sentence()
    assert "Label a few of its images and retrain." in report.sentence()


def test_smaller_uncertainty_alone_is_no_alarm(rng, benchmark):
    assert check(benchmark, rows(rng, "D6", uq_mean=0.2), CONFIG).outcome == "accept"


@pytest.mark.parametrize(
    ("factors", "name"),
    [
        ({"contrast": 5.0}, "contrast"),
        ({"sharpness": 0.25}, "sharpness"),
        ({"noise": 0.2}, "noise"),
        ({"skew": 1.5}, "intensity"),
    ],
)
def test_changed_images_are_a_shift_even_where_the_ensemble_is_sure(rng, benchmark, factors, name):
    report = check(benchmark, rows(rng, "D4", uq_mean=0.7, **factors), CONFIG)

    assert report.outcome == "shifted"
    assert report.decided_by == (name,)
    assert "Check its masks, label a few of its images and retrain." in report.sentence()
    assert "uncertainty alone would not have shown the shift: check its masks" in report.to_markdown()


def test_images_in_which_no_edge_can_be_seen_are_noisy(rng, benchmark):
    report = check(benchmark, rows(rng, "N", noise=6.0, uq_mean=2.0), CONFIG)

    assert report.outcome == "noisy"
    assert report.decided_by == ("noise",)
    assert "edges cannot be seen, its noise level is" in report.sentence()
    assert "an edge over 4 pixels is lost in noise" in report.to_markdown()
    assert "Record it again with more electrons" in report.sentence()


def test_more_noise_that_leaves_edges_visible_is_a_shift(rng, benchmark):
    clear = Benchmark.from_rows(rows(rng, "D1", contrast=4.0) + rows(rng, "D2", contrast=4.0))
    report = check(clear, rows(rng, "D3", contrast=4.0, noise=4.0), CONFIG)

    assert report.outcome == "shifted"
    assert report.noise is not None
    assert "so edges can be seen" in report.noise.sentence()


def test_a_benchmark_with_noisy_experiments_of_its_own_does_not_call_their_like_noisy(rng):
    doses = (1.0, 2.0, 4.0, 1.0, 3.0)
    tables = [row for i, dose in enumerate(doses) for row in rows(rng, f"D{i}", noise=dose)]

    report = check(Benchmark.from_rows(tables), rows(rng, "D6", noise=4.0), CONFIG)

    assert report.outcome == "accept"
    assert report.result("noise").threshold > 3


def test_noise_added_to_images_ends_in_noisy(rng):
    def table(name, dose, n=6):
        y, x = np.mgrid[:128, :128] - 64
        disc = ndimage.gaussian_filter((np.hypot(x, y) < 30).astype(float), 1.5)
        beam = np.where(np.hypot(x, y) < 60, 1 - 0.15 * disc, 0.02)
        frames = [rng.poisson(beam * dose * rng.uniform(0.95, 1.05)) for _ in range(n)]
        return [
            ImageRow(name, f"s{i}", i, {"uq_mean": 0.006, **measure_evidence(f).to_features()})
            for i, f in enumerate(frames)
        ]

    benchmark = Benchmark.from_rows(table("D1", 300) + table("D2", 260))

    assert check(benchmark, table("new", 280), CONFIG).outcome == "accept"
    assert check(benchmark, table("dim", 4), CONFIG).outcome == "noisy"


def test_too_few_images_are_inconclusive(rng, benchmark):
    report = check(benchmark, rows(rng, "D6", n=3, uq_mean=9.0), CONFIG)

    assert report.outcome == "inconclusive"
    assert report.sentence() == (
        "D6 cannot be judged: it has 3 usable images and 5 are needed. Take 2 more, or look at these "
        "yourself."
    )


def test_images_without_a_score_do_not_count(rng, benchmark):
    table = rows(rng, "D6", n=7)
    table[:3] = [row.with_values({"uq_mean": float("nan")}) for row in table[:3]]

    report = check(benchmark, table, CONFIG)

    assert report.outcome == "inconclusive"
    assert "4 usable images (3 of 7 have no usable score) and 5 are needed. Take 1 more" in report.sentence()


def test_a_single_reference_experiment_is_enough_for_a_large_shift(rng):
    benchmark = Benchmark.from_rows(rows(rng, "D1"))

    assert check(benchmark, rows(rng, "D2"), CONFIG).outcome == "accept"
    assert check(benchmark, rows(rng, "D2", uq_mean=6.0), CONFIG).outcome == "shifted"


def test_several_datasets_at_once_are_refused(rng, benchmark):
    with pytest.raises(IcefloeError, match=r"holds 2 datasets \(D3, D4\). Check one dataset at a time"):
        check(benchmark, rows(rng, "D3") + rows(rng, "D4"), CONFIG)


def test_a_table_without_input_evidence_is_refused(rng, benchmark):
    table = without(rows(rng, "D3"), ("contrast",))

    with pytest.raises(
        IcefloeError, match="D3: the column `contrast` that the contrast is read from is missing"
    ):
        check(benchmark, table, CONFIG)


def test_the_chance_of_any_false_alarm_over_all_evidence_stays_below_alpha(rng):
    wrong = []
    for _ in range(25):
        known = Benchmark.from_rows(rows(rng, "D1", n=5) + rows(rng, "D2", n=5))
        found = [compare_rows(known, rows(rng, "D6", n=5), CONFIG) for _ in range(8)]
        wrong.append(
            np.mean([min(adjusted_p_values(compared).values()) < CONFIG.alpha for compared in found])
        )

    assert np.mean(wrong) <= CONFIG.alpha + 2 * np.std(wrong) / np.sqrt(len(wrong))


def test_a_comparison_without_words_finds_what_the_report_says(rng, benchmark):
    table = rows(rng, "D3", spikes=3.0, uq_mean=2.0)
    compared, report = compare_rows(benchmark, table, CONFIG), check(benchmark, table, CONFIG)

    assert adjusted_p_values(compared) == {r.name: r.adjusted_p_value for r in report.evidence if r.decides}
    assert {name: np.exp(shift) for name, (shift, _) in ratios(compared).items()} == pytest.approx(
        {r.name: r.effect for r in report.evidence if r.decides and r.is_ratio}
    )
    assert report.attribution == attribute(ratios(compared))


def test_uncertainty_that_grows_as_crystals_shrink_is_compared_at_equal_size(rng, benchmark):
    small = [row for row in rows(rng, "D6", n=24) if row.values["foreground_fraction"] < 0.12]
    report = check(benchmark, small, CONFIG)

    result = report.result("uncertainty")
    assert np.mean([row.values["uq_mean"] for row in small]) > 1.2 * BASES["uq_mean"]
    assert result.at_equal_size
    assert result.effect == pytest.approx(1.0, abs=3 * SPREAD)
    assert "| uncertainty over all pixels* " in report.to_markdown()


def without(table, prefixes):
    return [
        replace(row, values={k: v for k, v in row.values.items() if not k.startswith(prefixes)})
        for row in table
    ]


def test_a_benchmark_from_before_the_camera_was_measured_still_decides_and_the_report_says_what_it_lacks(rng):
    older = Benchmark.from_rows(without(rows(rng, "D1") + rows(rng, "D2"), NEW_COLUMNS))
    report = check(older, rows(rng, "D3", spikes=9.0, noise=3.0), CONFIG)

    assert report.decided_by == ("noise",)
    assert len([result for result in report.evidence if result.decides]) == 5
    assert "Not compared: rate of bright spikes, unevenness of columns or rows," in report.to_markdown()


def test_a_table_without_the_camera_evidence_that_the_benchmark_has_is_refused(rng, benchmark):
    with pytest.raises(
        IcefloeError, match="D3: the column `spikes` that the rate of bright spikes is read from is missing"
    ):
        check(benchmark, without(rows(rng, "D3"), ("spikes",)), CONFIG)


def test_images_without_a_boundary_are_judged_by_the_rest(rng, benchmark):
    table = rows(rng, "D3", sharpness=4.0)
    lost = {name: float("nan") for name in table[0].values if name.startswith("boundary_")}
    table[:10] = [row.with_values(lost) for row in table[:10]]

    report = check(benchmark, table, CONFIG)

    assert report.outcome == "shifted"
    assert "Not compared: contrast across the boundary" in report.to_markdown()


def test_a_shifted_dataset_is_told_what_moved(rng, benchmark):
    report = check(benchmark, rows(rng, "D3", spikes=8.0), CONFIG)

    assert report.attribution.cause == "xrays"
    assert "most likely X-rays or hot pixels (" in report.sentence()
    assert "**What changed.** Single bright pixels are" in report.to_markdown()
    assert check(benchmark, rows(rng, "D6"), CONFIG).attribution is None


def test_of_many_alarms_the_sentence_tells_the_clearest_and_the_table_all(rng, benchmark):
    report = check(benchmark, rows(rng, "D5", noise=3.0, contrast=4.0, spikes=20.0, lines=9.0), CONFIG)

    assert set(report.decided_by) == {"noise", "contrast", "spikes", "lines"}
    clearest = min((report.result(name) for name in report.decided_by), key=lambda result: result.p_value)
    assert report.sentence().startswith(f"D5 is shifted: its {clearest.phrase()} (p ")
    assert report.sentence().count("times the benchmark's") == 1
    alarms = [row for row in report.table().rows if row[-1] == "ALARM"]
    assert len(alarms) == 4


@pytest.mark.parametrize(
    "factors",
    [{}, {"n": 2}, {"noise": 6.0}, {"uq_mean": 4.0}, {"spikes": 8.0}, {"noise": 3.0, "lines": 9.0}],
    ids=["accept", "inconclusive", "noisy", "uncertain", "one cause", "several"],
)
def test_every_outcome_is_told_in_two_lines(rng, benchmark, factors):
    report = check(benchmark, rows(rng, "D5", **factors), CONFIG)

    assert len(report.sentence().split()) <= 41
    assert len(report.sentence()) <= 250


def test_the_report_survives_json(rng, benchmark):
    for table in (rows(rng, "N", noise=6.0), rows(rng, "D6"), rows(rng, "few", n=2)):
        report = check(benchmark, table, CONFIG)
        again = GateReport.model_validate_json(report.model_dump_json())
        plain = json.loads(json.dumps(report.model_dump(mode="json"), allow_nan=False))

        assert again == GateReport.model_validate(plain) == report
        assert again.sentence() == report.sentence()


def test_a_report_without_a_contrast_to_noise_ratio_survives_json(rng):
    known = Benchmark.from_rows(without(rows(rng, "D1") + rows(rng, "D2"), ("snr",)))
    report = check(known, without(rows(rng, "D6"), ("snr",)), CONFIG)
    again = GateReport.model_validate_json(report.model_dump_json())

    assert not report.noise.is_noisy
    assert np.isnan(again.noise.snr)
    assert again.noise.sentence().startswith("Noise was not judged")
    json.loads(report.model_dump_json(), parse_constant=pytest.fail)


FORMER = """
{"outcome": "shifted", "dataset": "D3", "decided_by": ["spikes"], "evidence": [
  {"name": "uncertainty", "words": "uncertainty over all pixels", "alternative": "greater", "is_ratio": true,
   "reference_mean": 0.006, "new_mean": 0.006, "statistic": 0.0, "p_value": 0.5, "adjusted_p_value": 1.0,
   "significant": false, "effect": 1.0, "low": 0.5, "high": 2.0, "threshold": 3.0, "n_images": 2,
   "n_effective": 2.0, "reference_values": {"D1": [0.006, 0.006]}, "new_values": [0.006, 0.006],
   "at_equal_size": true},
  {"name": "spikes", "words": "rate of bright spikes", "alternative": "two-sided", "is_ratio": true,
   "reference_mean": 40.0, "new_mean": 320.0, "statistic": 14.0, "p_value": 1e-9, "adjusted_p_value": 2e-9,
   "significant": true, "effect": 8.0, "low": 6.0, "high": 10.0, "threshold": 2.0, "n_images": 2,
   "n_effective": 2.0, "reference_values": {"D1": [40.0, 40.0]}, "new_values": [320.0, 320.0],
   "at_equal_size": false}],
 "noise": {"is_noisy": false, "snr": 2.0, "reference_snr": 2.1, "margin": 2.0, "readable_snr": 1.25,
   "readable_length_px": 4.0, "because": []},
 "n_images": 2, "reference_experiments": ["D1"], "alpha": 0.05, "reason": "", "not_compared": [],
 "attribution": {"probabilities": {"xrays": 0.6, "gain": 0.3, "dose": 0.06, "unknown": 0.04},
   "ratios": {"spikes": 8.0}},
 "sentence": "D3 is shifted: its rate of bright spikes is 8.00 times the benchmark's ..."}
"""
"""As written before results were pydantic models."""


def test_a_report_of_an_earlier_version_is_read_with_todays_words():
    report = GateReport.model_validate_json(FORMER)

    assert report == GateReport.model_validate(json.loads(FORMER))
    assert report.sentence() == (
        "D3 is shifted: its rate of bright spikes is 8.00 times the benchmark's (p < 0.0001), most likely "
        "X-rays or hot pixels (90%). Check its masks, label a few of its images and retrain."
    )
    assert report.result("uncertainty").of_prediction
    assert not report.result("spikes").of_prediction


def test_the_markdown_has_a_row_for_every_evidence_and_marks_the_alarm(rng, benchmark):
    text = check(benchmark, rows(rng, "D3", uq_mean=4.0), CONFIG).to_markdown()

    assert text.startswith("## Drift gate: D3 – shifted")
    alarms = [line for line in text.splitlines() if "ALARM" in line]
    assert len(alarms) == 1
    assert alarms[0].startswith("| uncertainty over all pixels* ")
    for words in (
        "noise level",
        "contrast",
        "sharpness",
        "intensity distribution",
        "uncertainty per foreground pixel",
    ):
        assert f"| {words}" in text


def test_scores_that_do_not_decide_are_shown_and_change_nothing(rng, benchmark):
    table = [row.with_values({"uq_foreground": 50 * row.values["uq_foreground"]}) for row in rows(rng, "D6")]

    report = check(benchmark, table, CONFIG)

    assert report.outcome == "accept"
    assert report.result("uq_foreground").adjusted_p_value is None
    assert report.result("uq_foreground").effect > 20


@pytest.mark.parametrize("n", [12, 2])
def test_the_figure_is_drawn_with_and_without_a_decision(rng, benchmark, tmp_path, n):
    path = tmp_path / "gate.png"
    report = check(benchmark, rows(rng, "D3", n=n, uq_mean=4.0), CONFIG)

    figure = report.figure()
    figure.savefig(path)

    assert path.stat().st_size > 5000
    assert len([axes for axes in figure.axes if axes.get_title()]) == (12 if n == 12 else 0)


def test_one_panel_shows_every_effect_with_its_interval_and_limits(rng, benchmark, tmp_path):
    report = check(benchmark, rows(rng, "D3", n=12, uq_mean=4.0), CONFIG)
    figure = Figure()
    axes = figure.subplots()
    report.plot(axes)
    figure.savefig(tmp_path / "gate.png")

    assert axes.get_xscale() == "log"
    assert [label.get_text() for label in axes.get_yticklabels()] == [r.words for r in report.deciding]
    bands = [patch.get_x() + patch.get_width() for patch in axes.patches]
    assert bands == pytest.approx([r.threshold for r in report.deciding if r.is_ratio])
    assert axes.texts[0].get_text().startswith("distance ")


def test_the_gate_needs_no_torch():
    code = "import sys, icefloe.drift.gate, icefloe.drift.benchmark; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
