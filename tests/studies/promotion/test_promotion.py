"""Operating characteristics of the promotion gate: what is simulated, what is counted, what the page says."""

import re

import numpy as np
import pytest

from icefloe.evaluation.rule import PromotionRule
from icefloe.settings import Settings
from studies.promotion import run as run_module
from studies.promotion.arrivals import NEW, Judged
from studies.promotion.design import FITTED, PURPOSE, plan
from studies.promotion.result import PromotionStudyResult
from studies.promotion.run import run_promotion
from studies.promotion.verdicts import Decided, decide

RULE = PromotionRule(dice_margin=0.05, pca_margin=0.02, ece_margin=0.05)


def row(number: int, true: float, before: str, now: str, better: float, excess: float = -1.0) -> Decided:
    return Decided(
        arrival=str(number),
        departure="as D3",
        pace=1.0,
        before=before,
        now=now,
        better=better,
        worse=0.01,
        seen=true,
        true=true,
        excess=excess,
    )


@pytest.fixture
def result():
    rows = [
        row(0, 0.2, "inconclusive", "pass", 0.99),
        row(1, 0.06, "inconclusive", "pass", 0.96),
        row(2, 0.07, "pass", "inconclusive", 0.9),
        row(3, 0.01, "inconclusive", "inconclusive", 0.7),
        row(4, -0.01, "inconclusive", "pass", 0.95, excess=0.2),
        row(5, -0.05, "fail", "fail", 0.01, excess=0.5),
    ]
    return PromotionStudyResult(rule=RULE, encoders=("resnet18",), size=64, arrivals=tuple(rows))


def test_the_draws_of_the_page_are_none_that_the_priors_were_chosen_on():
    here, fitted = plan(PURPOSE, 0, 3, 5), plan(FITTED, 0, 3, 5)
    assert len({arrival.name for arrival in here}) == 15
    assert not {a.seed for a in here} & {a.seed for a in fitted}
    assert not {a.world.seed for a in here} & {a.world.seed for a in fitted}
    assert plan(PURPOSE, 0, 3, 5) == here


def test_a_larger_study_keeps_the_arrivals_conditions_and_every_kind_comes_up():
    arrivals = plan(PURPOSE, 0, 4, 20)
    conditions = [arrival.conditions() for arrival in arrivals]
    kinds = {departure.split()[0] for _, departure, _ in conditions}
    assert {"nothing", "as", "contrast"} <= kinds
    assert {pace for _, _, pace in conditions} == {0.5, 1.0, 2.0, 4.0}
    assert arrivals[0].conditions() == conditions[0]


def test_errors_and_power_are_counted_by_the_truth(result):
    assert (result.wrong("now").hits, result.wrong("now").total) == (1, 3)
    assert (result.not_better("now").hits, result.not_better("before").hits) == (1, 0)
    assert (result.power("now").hits, result.power("now").total) == (2, 3)
    assert (result.power("before").hits, result.harmful().hits) == (1, 2)
    assert [(group.low, group.n, group.now.hits) for group in result.by_gain()] == [
        (-1.0, 1, 0),
        (-0.02, 1, 1),
        (0.0, 1, 0),
        (0.02, 0, 0),
        (0.05, 2, 1),
        (0.1, 1, 1),
    ]
    assert sum(stated.came.total for stated in result.stated()) == 6


def test_the_page_has_both_gates_and_the_figure(result):
    page = result.page()
    assert re.search(r"\| before +\| +1 \|", page)
    assert re.search(r"\| now +\| +3 \|", page)
    assert "(promotion-characteristics.png)" in page
    assert len(result.figures()["characteristics"].axes) == 2
    assert len(result.findings()) == 2
    assert "33.3% (0.8%–90.6%) are truly worse" in result.sentence()


def test_both_gates_are_asked_of_the_same_images_and_the_truth_of_others(evaluation_of):
    champion = evaluation_of({"S1": (0.9, 8), NEW: (0.5, 2)})
    challenger = evaluation_of({"S1": (0.9, 8), NEW: (0.8, 2)}, seed=1)
    # Two images that scatter a little say nothing by themselves.
    moved = {"frame_0": 0.04, "frame_1": -0.04}
    images = tuple(
        image.model_copy(update={"dice": image.dice + moved[image.stem]}) if image.dataset == NEW else image
        for image in challenger.images
    )
    challenger = challenger.model_copy(update={"images": images})
    true_champion = evaluation_of({"S1": (0.9, 8), NEW: (0.5, 8)}, seed=2)
    true_challenger = evaluation_of({"S1": (0.8, 8), NEW: (0.75, 8)}, seed=3)
    judged = Judged(
        held_out=(challenger, champion), truth=(true_challenger, true_champion), departure="as D4", pace=4.0
    )
    (arrival,) = plan(PURPOSE, 0, 1, 1)
    (found,) = decide({arrival: judged}, RULE)
    assert (found.before, found.now) == ("inconclusive", "pass")
    assert found.true == pytest.approx(0.25, abs=0.01)
    assert found.seen == pytest.approx(0.3, abs=0.05)
    assert found.excess == pytest.approx(1.0, abs=0.1)


@pytest.mark.integration
@pytest.mark.timeout(1200)
def test_arrivals_are_simulated_retrained_and_judged_and_a_second_run_reads_them(tmp_path, monkeypatch):
    settings = Settings(workspace=tmp_path)
    found = run_promotion(settings, worlds=1, arrivals=2, processes=1)
    assert len(found.arrivals) == 2
    assert all(np.isfinite([row.true, row.seen, row.better, row.excess]).all() for row in found.arrivals)
    # Whatever it would still have to measure comes without a result.
    monkeypatch.setattr(run_module, "_judge", lambda arrivals, *_: iter(arrivals))
    assert run_promotion(settings, worlds=1, arrivals=2, processes=1).arrivals == found.arrivals
