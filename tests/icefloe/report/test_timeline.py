"""The lines that a report begins with, for every way a run can go."""

from types import SimpleNamespace

import pytest

from icefloe.drift.report import GateReport
from icefloe.report.findings import Arrival, Findings, LabelCost
from icefloe.report.timeline import what_happened


def gate(outcome, brief="", reason=""):
    attribution = SimpleNamespace(brief=brief, is_clear=bool(brief)) if outcome == "shifted" else None
    return GateReport.model_construct(dataset="D3", outcome=outcome, reason=reason, attribution=attribution)


def arrived(report, labels=None):
    return Findings((Arrival("D3", report, None, None, labels),), (), {})


def evaluation(dice, baseline):
    scores = {name: SimpleNamespace(dice=value) for name, value in dice.items()}
    trivial = {name: {"Otsu": SimpleNamespace(dice=baseline)} for name in dice}
    return SimpleNamespace(datasets=scores, baselines=trivial)


def version(name, new_dataset=None, champion=None, comparisons=(), is_provisional=False):
    promotion = SimpleNamespace(new_dataset=new_dataset, champion=champion, comparisons=comparisons)
    return SimpleNamespace(name=name, promotion=promotion, is_provisional=is_provisional)


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (gate("accept"), "D3 arrived and was accepted."),
        (gate("noisy"), "D3 arrived and was set aside as too noisy."),
        (
            gate("inconclusive", reason="3 more images are needed"),
            "D3 arrived and could not be judged: 3 more images are needed.",
        ),
        (gate("shifted"), "D3 arrived and was found shifted."),
        (
            gate("shifted", "a different defocus"),
            "D3 arrived and was found shifted, most likely a different defocus.",
        ),
    ],
)
def test_each_outcome_of_the_gate_is_one_short_sentence(report, line):
    assert what_happened(arrived(report), (), None) == [line, "There is no champion yet."]


def test_a_first_version_is_told_with_its_dice_and_the_best_without_a_model():
    compared = tuple(SimpleNamespace(dataset=name, metric="dice") for name in ("D1", "D2"))
    covered_later = evaluation({"D1": 0.95, "D2": 0.9, "D3": 0.2}, 0.3)
    findings = Findings((), (version("EA-T1", comparisons=compared),), {"EA-T1": covered_later})
    assert what_happened(findings, {"EA-T1"}, "EA-T1") == [
        "EA-T1 was trained on D1 and D2 and promoted: Dice on held-out images 0.950 on D1, 0.900 on D2; "
        "without a model at most 0.300.",
        "The champion is now EA-T1.",
    ]


def test_a_dataset_that_led_to_a_version_is_told_from_its_arrival_to_the_promotion():
    change = SimpleNamespace(dataset="D3", metric="dice", challenger=0.913, reference=0.781)
    findings = Findings(
        (Arrival("D3", gate("shifted"), None, None, LabelCost(1, 3.0)),),
        (version("EA-T2", "D3", "EA-T1", (change,)),),
        {},
    )
    assert what_happened(findings, {"EA-T2"}, "EA-T2")[0] == (
        "D3 arrived and was found shifted. 1 image of D3 was labelled in 3 min. EA-T2, trained on it, has a "
        "Dice of 0.913 there, EA-T1 0.781. It was promoted."
    )


def test_a_version_without_a_held_out_label_of_the_dataset_has_no_numbers():
    findings = Findings(
        (Arrival("D3", None, None, None, LabelCost(2, 6.0)),), (version("EA-T2", "D3", "EA-T1"),), {}
    )
    assert what_happened(findings, (), "EA-T1") == [
        "2 images of D3 were labelled in 6 min. EA-T2 was trained on them. It stays a challenger.",
        "The champion is now EA-T1.",
    ]


def test_a_provisional_champion_is_told_with_its_reason():
    compared = (SimpleNamespace(dataset="D1", metric="dice"),)
    made = version("EA-T1", comparisons=compared, is_provisional=True)
    findings = Findings((), (made,), {"EA-T1": evaluation({"D1": 0.5}, 0.3)})
    assert what_happened(findings, {"EA-T1"}, "EA-T1", "Too few images are held out. Label more of D1.") == [
        "EA-T1 was trained on D1 and promoted provisionally: Dice on held-out images 0.500 on D1; "
        "without a model at most 0.300.",
        "The champion is now EA-T1, provisionally: Too few images are held out. Label more of D1.",
    ]


def test_a_next_version_of_members_that_do_not_pass_is_promoted_provisionally():
    made = version("EA-T2", "D3", "EA-T1", is_provisional=True)
    findings = Findings((Arrival("D3", None, None, None, LabelCost(2, 6.0)),), (made,), {})
    (line, _) = what_happened(findings, {"EA-T2"}, "EA-T2")
    assert line.endswith("EA-T2 was trained on them. It was promoted provisionally.")
