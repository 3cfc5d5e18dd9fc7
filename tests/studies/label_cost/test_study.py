import json
import re

import numpy as np
import pytest

from studies.label_cost.study import LabelCostStudy, Setup
from studies.writing import Circumstances, write_study

SETUP = Setup("light", ("mobilenet_v2", "efficientnet-b0"), 128, 15, 6, n_seeds=4, spread=0.5)


@pytest.fixture(scope="module")
def study(make_curves):
    rng = np.random.default_rng(0)
    worse = np.array([0.1, 0.5, 0.7, 0.8])
    better = np.array([0.1, 0.65, 0.8, 0.85])

    def noisy(dice):
        return dice + rng.normal(0, 0.01, (4, 4))

    arrivals = tuple(
        make_curves(
            (0, 1, 2, 4),
            name,
            random=noisy(worse),
            foreground_random=noisy(worse),
            entropy=noisy(better),
            mean_uq=noisy(worse),
        )
        for name in ("C", "D")
    )
    return LabelCostStudy(SETUP, arrivals, n_measured=2)


def test_the_page_shows_its_figures_and_the_verdicts_of_its_numbers(study, tmp_path):
    page = write_study(study, tmp_path, Circumstances("icefloe study label-cost", "abc", 60.0))
    text = page.read_text()
    named = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)
    assert sorted(named) == sorted(path.name for path in tmp_path.glob("*.png"))
    assert len(named) == 4
    assert "Best strategy against random: entropy, area under the learning curve +0." in text
    assert "better than the baseline" in text
    assert "{" not in text
    assert re.search(r"Labels saved against random, of 4: saves labels: entropy \+", text)
    assert "no saving shown: mean-uq" in text
    assert "For 2 images the time that a person took was measured" in text


def test_every_table_has_a_cell_a_column(study):
    tables = [part for part in study.to_markdown().split("\n\n") if part.startswith("|")]
    assert len(tables) == 1 + 2 + 1 + 2 * 2
    for table in tables:
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_all_numbers_are_plain_json(study):
    content = json.loads(json.dumps(study.to_dict(), allow_nan=False))
    assert content["best"] == "entropy"
    assert content["arrivals"][1]["dataset"] == "D"
    np.testing.assert_allclose(content["arrivals"][0]["dice"], study.arrivals[0].dice)
    assert content["comparisons"][0]["verdict"] == "saves labels"


def test_correcting_costs_what_the_masks_drawn_are_off(study):
    scratch, correcting = study.minutes["random"]
    # Two minutes an image instead of three, for the labels that random needs for its own Dice.
    assert correcting.mean == pytest.approx(scratch.mean * 2 / 3)
    assert scratch.mean == pytest.approx(2 * 3 * 2, rel=0.05)
    assert study.minutes_an_image == (2, 2)


def test_a_single_seed_is_shown_without_intervals(make_curves):
    dice = {name: [0.1, 0.5] for name in ("random", "foreground_random", "entropy")}
    one = LabelCostStudy(
        Setup("light", ("mobilenet_v2",), 128, 15, 6, n_seeds=1, spread=0.5), (make_curves((0, 1), **dice),)
    )
    text = one.to_markdown()
    assert "one seed can't tell" in text
    assert "nan" not in text
    assert set(one.figures()) == {"curves", "saved", "minutes", "picked"}
    assert "Nobody's time was measured." in text
