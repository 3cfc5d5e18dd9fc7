"""The promotion gate."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure

from icefloe.errors import IcefloeError
from icefloe.evaluation.compare import compare
from icefloe.evaluation.promotion import PromotionReport
from icefloe.evaluation.rule import PromotionRule

RULE = PromotionRule(n_resamples=2000)


def comparison(report, dataset, metric="dice"):
    (found,) = (c for c in report.comparisons if (c.dataset, c.metric) == (dataset, metric))
    return found


@pytest.fixture
def champion(evaluation_of):
    return evaluation_of({"D1": (0.95, 12), "D2": (0.94, 12), "D3": (0.70, 12)})


def test_a_challenger_that_gains_on_the_new_dataset_and_forgets_nothing_passes(champion, evaluation_of):
    challenger = evaluation_of({"D1": (0.949, 12), "D2": (0.941, 12), "D3": (0.92, 12)}, seed=1)
    report = compare(challenger, champion, RULE, new_dataset="D3", champion_version="EA-T1")
    assert report.verdict == "pass"
    assert report.dataset_verdicts == {"D1": "pass", "D2": "pass", "D3": "pass"}
    shown = report.gains["D3"].text(signed=True)
    assert report.sentence() == (
        f"This version may replace EA-T1: Dice on D3 is higher ({shown}), "
        "and no dataset is worse by more than its margin."
    )
    assert shown.startswith("+0.2")


def test_forgetting_beyond_the_margin_fails_whatever_was_gained(champion, evaluation_of):
    challenger = evaluation_of({"D1": (0.90, 12), "D2": (0.94, 12), "D3": (0.92, 12)}, seed=1)
    report = compare(challenger, champion, RULE, new_dataset="D3")
    assert report.verdict == "fail"
    assert report.dataset_verdicts["D1"] == "fail"
    assert any(r.startswith("Dice on D1 is worse beyond the margin of 0.02: -0.0") for r in report.reasons)


def test_being_worse_within_the_margin_is_no_forgetting(champion, evaluation_of):
    challenger = evaluation_of({"D1": (0.945, 12), "D2": (0.94, 12), "D3": (0.92, 12)}, seed=1)
    report = compare(challenger, champion, RULE, new_dataset="D3")
    assert report.verdict == "pass"


def test_the_champion_against_itself_is_inconclusive_because_nothing_is_better(champion):
    report = compare(champion, champion, RULE, new_dataset="D3")
    assert report.verdict == "inconclusive"
    interval = report.gains["D3"]
    assert interval.mean == 0
    assert interval.low < 0 < interval.high < 0.02
    assert f"It is not shown to be better: Dice on D3 {interval.text(signed=True)}." in report.reasons
    assert set(report.dataset_verdicts.values()) == {"pass"}


def test_a_challenger_shown_to_be_worse_on_the_new_dataset_fails_even_within_the_margin(
    champion, evaluation_of
):
    challenger = evaluation_of({"D1": (0.95, 99), "D2": (0.94, 99), "D3": (0.685, 99)}, seed=1, spread=0.001)
    steady = evaluation_of({"D1": (0.95, 99), "D2": (0.94, 99), "D3": (0.70, 99)}, spread=0.001)
    report = compare(challenger, steady, RULE, new_dataset="D3")
    assert report.verdict == "fail"
    assert report.dataset_verdicts["D3"] == "pass"


def test_a_scattered_difference_is_inconclusive(champion, evaluation_of):
    challenger = evaluation_of({"D1": (0.94, 12), "D2": (0.94, 12), "D3": (0.92, 12)}, seed=1, spread=0.05)
    report = compare(challenger, champion, RULE, new_dataset="D3")
    assert report.verdict == "inconclusive"
    assert any("may be worse beyond the margin" in reason for reason in report.reasons)


def test_a_clear_gain_on_two_images_is_enough_and_a_small_one_is_not(evaluation_of):
    before = {"D1": (0.9, 10), "D2": (0.5, 2)}
    clear = compare(
        evaluation_of(before | {"D2": (0.7, 2)}, seed=1), evaluation_of(before), RULE, new_dataset="D2"
    )
    assert clear.verdict == "pass"
    small = compare(
        evaluation_of(before | {"D2": (0.51, 2)}, seed=1), evaluation_of(before), RULE, new_dataset="D2"
    )
    assert small.verdict == "inconclusive"
    assert 0.5 < comparison(small, "D2").better < 0.95


def test_two_images_that_contradict_each_other_decide_nothing(evaluation_of):
    before = evaluation_of({"D1": (0.9, 10), "D2": (0.5, 2)})
    gained = iter((0.3, -0.1))
    images = tuple(
        image.model_copy(update={"dice": image.dice + next(gained)}) if image.dataset == "D2" else image
        for image in before.images
    )
    report = compare(before.model_copy(update={"images": images}), before, RULE, new_dataset="D2")
    assert report.verdict == "inconclusive"


def test_forgetting_that_two_images_show_is_no_pass(evaluation_of):
    challenger = evaluation_of({"D1": (0.8, 2), "D2": (0.9, 2)}, seed=1)
    report = compare(challenger, evaluation_of({"D1": (0.9, 2), "D2": (0.5, 2)}), RULE, new_dataset="D2")
    assert report.verdict != "pass"
    assert comparison(report, "D1").worse > 0.3


def test_earlier_rounds_say_how_much_images_scatter(evaluation_of):
    before = {"D1": (0.9, 10), "D3": (0.5, 2)}
    now = evaluation_of(before | {"D3": (0.56, 2)}, seed=1), evaluation_of(before)
    rounds = [
        compare(
            evaluation_of({"D1": (0.9, 10), "D2": (0.7, 8)}, seed=2 * seed + 1, spread=spread),
            evaluation_of({"D1": (0.9, 10), "D2": (0.5, 8)}, seed=2 * seed, spread=spread),
            RULE,
            new_dataset="D2",
        )
        for spread in (0.001, 0.1)
        for seed in range(3)
    ]
    steady, scattered = (
        comparison(compare(*now, RULE, new_dataset="D3", earlier=earlier), "D3")
        for earlier in (rounds[:3], rounds[3:])
    )
    alone = comparison(compare(*now, RULE, new_dataset="D3"), "D3")
    assert steady.better > alone.better > scattered.better


def test_images_that_a_part_of_the_members_judged_say_less(evaluation_of):
    before = evaluation_of({"D1": (0.9, 10), "D2": (0.5, 2)})
    after = evaluation_of({"D1": (0.9, 10), "D2": (0.55, 2)}, seed=1)
    partly = after.model_copy(
        update={
            "images": tuple(
                image.model_copy(update={"n_members": 1, "n_left_out": 2}) for image in after.images
            )
        }
    )
    whole, part = (
        comparison(compare(judged, before, RULE, new_dataset="D2"), "D2") for judged in (after, partly)
    )
    assert part.high - part.low > whole.high - whole.low


def test_few_images_of_a_first_version_are_warned_about(evaluation_of):
    report = compare(evaluation_of({"D1": (0.9, 4)}), None, RULE)
    assert report.warnings == ("D1 has only 4 images: its intervals assume normal differences.",)


def test_growing_certain_while_growing_worse_is_warned_about(evaluation_of):
    champion = evaluation_of({"D1": (0.95, 12)}, uq=0.02)
    challenger = evaluation_of({"D1": (0.93, 12)}, uq=0.01)
    report = compare(challenger, champion, RULE)
    assert "On D1 the challenger is more certain although its Dice fell." in report.warnings


def test_uq_decides_only_with_a_margin(evaluation_of):
    champion = evaluation_of({"D1": (0.5, 12)}, uq=0.01)
    challenger = evaluation_of({"D1": (0.9, 12)}, uq=0.05, seed=1)
    assert compare(challenger, champion, RULE).verdict == "pass"
    strict = RULE.model_copy(update={"uq_margin": 0.01})
    assert compare(challenger, champion, strict).verdict == "fail"


def test_without_a_new_dataset_the_level_is_corrected_for_the_number_of_datasets(evaluation_of):
    wrong = sum(
        compare(
            evaluation_of({f"D{i}": (0.9, 8) for i in range(10)}, seed=2 * seed + 1),
            evaluation_of({f"D{i}": (0.9, 8) for i in range(10)}, seed=2 * seed),
            RULE.model_copy(update={"n_resamples": 1000}),
        )
        .reasons[0]
        .startswith("Dice is higher")
        for seed in range(20)
    )
    assert wrong <= 2


def test_a_challenger_worse_by_the_margin_seldom_passes(evaluation_of):
    passed = sum(
        compare(
            evaluation_of({"D1": (0.88, 8), "D2": (0.9, 8)}, seed=2 * seed + 1),
            evaluation_of({"D1": (0.90, 8), "D2": (0.8, 8)}, seed=2 * seed),
            RULE.model_copy(update={"n_resamples": 1000}),
            new_dataset="D2",
        ).verdict
        == "pass"
        for seed in range(60)
    )
    assert passed <= 5


def test_different_images_cannot_be_compared(evaluation_of):
    with pytest.raises(
        IcefloeError, match=r"D1/frame_2: the champion was not evaluated on this image \(2 such images\)"
    ):
        compare(evaluation_of({"D1": (0.9, 4)}), evaluation_of({"D1": (0.9, 2)}), RULE)
    with pytest.raises(IcefloeError, match="D2/frame_0: the challenger was not evaluated on this image"):
        compare(evaluation_of({"D1": (0.9, 2)}), evaluation_of({"D1": (0.9, 2), "D2": (0.9, 2)}), RULE)


def test_without_a_held_out_label_of_the_new_dataset_nothing_is_shown(champion):
    report = compare(champion, champion, RULE, new_dataset="D9")
    assert report.verdict == "inconclusive"
    assert "D9 has no held-out label" in report.reasons[0]


def test_a_first_version_must_beat_the_best_trivial_baseline_everywhere(evaluation_of):
    good = compare(evaluation_of({"D1": (0.9, 5), "D2": (0.8, 5)}, baseline=0.5), None, RULE)
    assert good.verdict == "pass"
    lower = good.comparisons[1].interval.text(signed=True)
    assert good.sentence() == (
        f"This version passes: Dice is above every trivial baseline's, by least on D2 ({lower})."
    )
    assert good.reasons[0].startswith("Dice on D1 is above that of Otsu: +0.")
    bad = compare(evaluation_of({"D1": (0.9, 5), "D2": (0.4, 5)}, baseline=0.5), None, RULE)
    assert bad.verdict == "fail"
    assert bad.dataset_verdicts == {"D1": "pass", "D2": "fail"}
    assert bad.sentence() == (
        f"This version stays a challenger: Dice on D2 is below that of Otsu "
        f"({bad.comparisons[1].interval.text(signed=True)}). Train longer, or label more of D2."
    )


def test_a_report_survives_json_even_without_intervals(evaluation_of):
    report = compare(evaluation_of({"D1": (0.9, 1)}), None, RULE)
    assert report.comparisons[0].interval.text(4, signed=True).endswith("[no interval]")
    text = json.dumps(json.loads(report.model_dump_json()), allow_nan=False)
    assert PromotionReport.model_validate_json(text) == report


def test_the_markdown_has_a_row_for_each_dataset_and_metric(champion):
    report = compare(champion, champion, RULE, champion_version="EA-T1", challenger_version="EA-T2")
    markdown, table = report.to_markdown(), report.table()
    rows = [line for line in markdown.splitlines() if line.startswith("| D")]
    assert len(rows) == len(table.rows) == 12
    assert table.columns == (
        *("dataset", "metric", "images", "EA-T1", "EA-T2", "difference [90% interval]"),
        *("P(better)", "margin", "P(worse)", "finding"),
    )
    assert table.rows[0][:3] == ("D1", "Dice", "12")
    assert table.rows[3][7:] == ("–", "–", "reported")
    gains = ", ".join(f"{d} {g.text(4, signed=True)}" for d, g in report.gains.items())
    assert markdown.startswith(
        f"{report.sentence()}\n\n- Dice gained, at a level corrected for 3 datasets: {gains}.\n\n| dataset"
    )
    assert markdown.endswith(table.markdown())


def test_the_figure_shows_every_dataset_with_its_interval(champion, evaluation_of):
    challenger = evaluation_of({"D1": (0.9, 12), "D2": (0.94, 12), "D3": (0.92, 12)}, seed=1)
    axes = Figure().subplots()
    report = compare(challenger, champion, RULE, champion_version="EA-T1")
    report.plot(axes)
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["D1 (n=12)", "D2 (n=12)", "D3 (n=12)"]
    low = report.comparisons[0].low
    assert any(np.isclose(line.get_xdata()[0], low) for line in axes.lines)
    assert axes.get_xlabel() == "difference in Dice, challenger minus EA-T1"
    assert len(report.figure().axes) == 4


def test_uncertainty_is_compared_on_the_images_that_have_it_in_both(champion, evaluation_of):
    challenger = evaluation_of({"D1": (0.949, 12), "D2": (0.941, 12), "D3": (0.92, 12)}, seed=1)
    judged_by_one = tuple(
        image.model_copy(update={"uq": None}) if image.dataset != "D1" or image.index > 5 else image
        for image in challenger.images
    )
    report = compare(
        challenger.model_copy(update={"images": judged_by_one}), champion, RULE, new_dataset="D3"
    )
    assert {c.dataset: c.n_images for c in report.comparisons if c.metric == "uq"} == {"D1": 6}
    assert {c.dataset: c.n_images for c in report.comparisons if c.metric == "dice"} == {
        "D1": 12,
        "D2": 12,
        "D3": 12,
    }
    assert report.verdict == "pass"
