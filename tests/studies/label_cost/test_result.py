import json
import re

import numpy as np
import pytest

from studies.kit.study import write_study
from studies.label_cost.result import LabelCostResult


@pytest.fixture(scope="module")
def result(make_result):
    rng = np.random.default_rng(0)
    worse = np.array([0.1, 0.5, 0.7, 0.8])
    better = np.array([0.1, 0.65, 0.8, 0.85])

    def noisy(dice):
        return dice + rng.normal(0, 0.01, (4, 4))

    by_dataset = [
        {
            "random": noisy(worse),
            "foreground-random": noisy(worse),
            "entropy": noisy(better),
            "mean-uq": noisy(worse),
        }
        for _ in range(2)
    ]
    return make_result((0, 1, 2, 4), *by_dataset, n_measured=2)


def test_the_page_shows_its_figures_and_the_verdicts_of_its_numbers(result, tmp_path):
    text = write_study(result, tmp_path).read_text()
    named = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)
    assert sorted(named) == sorted(path.name for path in tmp_path.glob("*.png"))
    assert len(named) == 4
    assert "Best strategy against random: entropy, area under the learning curve +0." in text
    assert "better than the baseline" in text
    assert "{" not in text
    assert re.search(r"Labels saved against random, of 4: saves labels: entropy \+", text)
    assert "no saving shown: mean-uq" in text
    assert "For 2 images the time that a person took was measured" in text


def test_every_table_has_a_cell_a_column(result):
    tables = [part for part in result.page().split("\n\n") if part.startswith("|")]
    assert len(tables) == 1 + 2 + 1 + 2 * 2
    for table in tables:
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_all_numbers_are_plain_json_and_come_back(result):
    text = result.model_dump_json()
    content = json.loads(text)
    assert content["best"] == "entropy"
    assert content["datasets"][1]["dataset"] == "D"
    assert content["comparisons"][0]["saved"]["low"] > 0
    again = LabelCostResult.model_validate_json(text)
    np.testing.assert_array_equal(again.curves[1].dice, result.curves[1].dice)
    assert again.page() == result.page()


def test_correcting_costs_what_the_masks_drawn_are_off(result):
    random = result.minutes[0]
    assert random.strategy == "random"
    # Two minutes an image instead of three, for the labels that random needs for its own Dice.
    assert random.correcting.mean == pytest.approx(random.from_scratch.mean * 2 / 3)
    assert random.from_scratch.mean == pytest.approx(2 * 3 * 2, rel=0.05)
    assert result.minutes_an_image == (2, 2)


def test_a_single_seed_is_shown_without_intervals(make_result):
    dice = {name: [0.1, 0.5] for name in ("random", "foreground-random", "entropy")}
    one = make_result((0, 1), dice)
    text = one.page()
    assert "With a single seed nothing more can be said." in one.sentence()
    assert one.findings()[1] == (
        "Labels saved against random, of 1: one seed cannot tell: entropy +0.0 [no interval]."
    )
    assert "nan" not in text
    assert set(one.figures()) == {"curves", "saved", "minutes", "picked"}
    assert "Nobody's time was measured." in text


def test_curves_hold_every_outcome_in_its_place(result):
    assert [curves.dataset for curves in result.curves] == ["C", "D"]
    for curves in result.curves:
        assert curves.labels.tolist() == [0, 1, 2, 4]
        assert curves.dice.shape == (4, 4, 4)
        for outcome in (outcome for outcome in result.outcomes if outcome.dataset == curves.dataset):
            where = curves.row(outcome.strategy), outcome.seed, curves.labels.tolist().index(outcome.labels)
            assert curves.dice[where] == outcome.dice
            assert curves.iou[where] == outcome.iou
            assert curves.minutes[where] == outcome.minutes
