"""What the promotion gate's sentence says: the outcome, the finding that weighs most, what to do."""

import numpy as np
import pytest

from icefloe.evaluation.compare import compare
from icefloe.evaluation.promotion import PromotionReport
from icefloe.evaluation.rule import PromotionRule
from icefloe.statistics.means import images_needed

RULE = PromotionRule(n_resamples=1000)
BEFORE = {"D1": (0.95, 12), "D2": (0.94, 12), "D3": (0.70, 12)}


@pytest.fixture
def judge(evaluation_of):
    """EA-T2 with some Dice against EA-T1, which has that of `BEFORE`; keywords go to `compare`."""

    def against_champion(dice, new_dataset="D3", rule=RULE, spread=0.005, before=BEFORE):
        return compare(
            evaluation_of(dice, seed=1, spread=spread),
            evaluation_of(before),
            rule,
            new_dataset=new_dataset,
            challenger_version="EA-T2",
            champion_version="EA-T1",
        )

    return against_champion


def interval(report, dataset, metric="dice"):
    (found,) = (c for c in report.comparisons if (c.dataset, c.metric) == (dataset, metric))
    return found.interval.text(signed=True)


def test_forgetting_weighs_more_than_what_was_gained(judge):
    report = judge(BEFORE | {"D1": (0.90, 12), "D2": (0.80, 12), "D3": (0.92, 12)})
    assert report.verdict == "fail"
    assert report.sentence() == (
        f"EA-T2 stays a challenger: Dice on D2 is worse by more than 0.02 ({interval(report, 'D2')}). "
        "Label more of D2 and retrain."
    )


def test_a_gain_with_a_doubt_elsewhere_says_which_labels_would_decide(judge):
    report = judge(BEFORE | {"D1": (0.94, 12), "D2": (0.94, 12), "D3": (0.92, 12)}, spread=0.05)
    assert report.verdict == "inconclusive"
    assert report.sentence() == (
        f"EA-T2 stays a challenger: Dice on D3 is higher ({interval(report, 'D3')}), but on D1 it may be "
        f"worse by more than 0.02 ({interval(report, 'D1')}). Label more of D1 to decide."
    )


def test_a_doubt_about_another_metric_names_it(judge, evaluation_of):
    strict = RULE.model_copy(update={"pca_margin": 0.0})
    report = judge({"D3": (0.92, 12)}, rule=strict, before={"D3": (0.70, 12)})
    assert report.verdict == "inconclusive"
    assert report.sentence() == (
        f"EA-T2 stays a challenger: Dice on D3 is higher ({interval(report, 'D3')}), but pCA on D3 may be "
        f"worse by more than 0 ({interval(report, 'D3', 'pca')}). Label more of D3 to decide."
    )


def test_what_is_not_shown_to_be_better_says_where(judge):
    report = judge(BEFORE)
    assert report.verdict == "inconclusive"
    assert report.sentence() == (
        f"EA-T2 stays a challenger: Dice on D3 is not shown to be higher ({interval(report, 'D3')}). "
        "Label more of D3 to decide."
    )


def test_what_is_shown_not_to_be_better_is_retrained(judge):
    report = judge(BEFORE | {"D3": (0.685, 12)}, spread=0.001)
    assert report.verdict == "fail"
    assert report.sentence() == (
        f"EA-T2 stays a challenger: Dice on D3 is not higher ({interval(report, 'D3')}). "
        "Label more of D3 and retrain."
    )


def test_an_improvement_that_is_asked_for_is_named(judge):
    asked = RULE.model_copy(update={"min_improvement": 0.3})
    report = judge(BEFORE | {"D3": (0.92, 12)}, rule=asked)
    assert report.sentence() == (
        f"EA-T2 stays a challenger: Dice on D3 is not higher by more than 0.3 ({interval(report, 'D3')}). "
        "Label more of D3 and retrain."
    )


def test_without_a_held_out_image_nothing_is_shown(judge):
    assert judge(BEFORE, new_dataset="D9").sentence() == (
        "EA-T2 stays a challenger: no image of D9 is held out, so it cannot be shown to be better. "
        "Label more of D9, or look at its masks and promote by hand."
    )


def test_without_a_new_dataset_the_largest_gain_is_told_at_its_corrected_level(judge):
    report = judge(BEFORE | {"D1": (0.96, 12), "D3": (0.92, 12)}, new_dataset=None)
    assert report.sentence() == (
        f"EA-T2 may replace EA-T1: Dice on D3 is higher ({report.gains['D3'].text(signed=True)}), "
        "and no dataset is worse by more than its margin."
    )
    assert report.gains["D3"].low < report.comparisons[8].low


def test_a_first_version_on_one_dataset_names_the_baseline(evaluation_of):
    report = compare(evaluation_of({"D1": (0.9, 5)}), None, RULE, challenger_version="EA-T1")
    assert report.sentence() == (
        f"EA-T1 passes: Dice on D1 is above that of Otsu ({interval(report, 'D1')})."
    )


def test_a_first_version_that_scatters_about_the_baseline_is_undecided(evaluation_of):
    evaluation = evaluation_of({"D1": (0.9, 5), "D2": (0.5, 5)}, spread=0.2, seed=1)
    report = compare(evaluation, None, RULE, challenger_version="EA-T1")
    assert report.verdict == "inconclusive"
    dice = [image.dice for image in evaluation.images if image.dataset == "D2"]
    needed = images_needed(np.array(dice) - 0.3, confidence=0.9)
    assert report.sentence() == (
        f"EA-T1 is provisional: Dice on D2 is not shown to be above that of Otsu ({interval(report, 'D2')}). "
        f"Label more of D2: about {needed} held-out images would settle it, there are 5."
    )
    assert report.sentence() == f"EA-T1 is provisional: {report.provisional}"
    assert len(report.sentence().split()) <= 40


def test_a_first_version_judged_on_one_image_says_that_it_is_one(evaluation_of):
    report = compare(evaluation_of({"D1": (0.9, 5), "D2": (0.44, 1)}), None, RULE, challenger_version="EA-T1")
    (on_d2,) = (c for c in report.comparisons if c.dataset == "D2")
    assert "D2 has only 1 held-out image, which shows no spread." in report.warnings
    assert report.sentence() == (
        f"EA-T1 is provisional: Dice on D2 is not shown to be above that of Otsu ({on_d2.difference:+.3f} on "
        "the only image held out, too few for an interval). "
        "Label more of D2: about 6 held-out images would settle it, there is 1."
    )


def test_a_first_version_on_average_below_the_baseline_needs_more_than_held_out_images(evaluation_of):
    report = compare(evaluation_of({"D1": (0.25, 4)}, spread=0.2), None, RULE)
    assert (report.verdict, report.comparisons[0].images_needed) == ("inconclusive", None)
    assert (
        report.remedy() == "Train longer or with more labels: more held-out images of D1 will hardly show it."
    )


def test_only_an_undecided_first_version_is_provisional(evaluation_of, judge):
    assert compare(evaluation_of({"D1": (0.9, 5)}), None, RULE).provisional == ""
    assert compare(evaluation_of({"D1": (0.1, 5)}), None, RULE).provisional == ""
    assert judge(BEFORE).verdict == "inconclusive"
    assert judge(BEFORE).provisional == ""


@pytest.mark.parametrize("new_dataset", ["D3", None])
@pytest.mark.parametrize("spread", [0.001, 0.05])
@pytest.mark.parametrize("dice_on_d3", [0.5, 0.7, 0.92])
def test_the_sentence_fits_two_lines(judge, new_dataset, spread, dice_on_d3):
    report = judge(BEFORE | {"D3": (dice_on_d3, 12)}, new_dataset, spread=spread)
    assert len(report.sentence().split()) <= 40


def as_stored_before(report):
    """The JSON that earlier versions wrote."""
    content = report.model_dump(mode="json", exclude={"challenger", "gains"})
    for comparison in content["comparisons"]:
        for field in ("baseline", "images_needed", "better", "worse", "spread"):
            del comparison[field]
    return content


def test_a_report_of_an_earlier_version_loads_and_says_the_same(judge):
    report = judge(BEFORE | {"D3": (0.92, 12)})
    loaded = PromotionReport.model_validate(as_stored_before(report))
    unknown = {"better": None, "worse": None, "spread": None}
    assert loaded.comparisons == tuple(c.model_copy(update=unknown) for c in report.comparisons)
    assert loaded.sentence() == report.sentence().replace("EA-T2", "This version")


def test_a_report_of_an_earlier_version_on_any_dataset_falls_back_on_its_reasons(judge):
    report = judge(BEFORE | {"D3": (0.92, 12)}, new_dataset=None)
    loaded = PromotionReport.model_validate(as_stored_before(report))
    assert loaded.sentence() == f"This version may replace EA-T1: {report.reasons[0]}"


def test_a_first_versions_report_of_an_earlier_version_does_not_know_the_baselines_name(evaluation_of):
    report = compare(evaluation_of({"D1": (0.2, 5)}), None, RULE)
    loaded = PromotionReport.model_validate(as_stored_before(report))
    assert loaded.sentence() == (
        f"This version stays a challenger: Dice on D1 is below the best trivial baseline's "
        f"({interval(report, 'D1')}). Train longer, or label more of D1."
    )
