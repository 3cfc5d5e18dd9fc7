"""Provisional versions: a first version that cannot be shown to beat the baselines is used all the same."""

import pytest
from mlflow.tracking import MlflowClient

from icefloe.errors import IcefloeError
from icefloe.evaluation.compare import compare
from icefloe.evaluation.rule import PromotionRule
from icefloe.registry.submission import submit

RULE = PromotionRule(n_resamples=1000)
FEW, MANY, WORSE = {"D1": (0.5, 1)}, {"D1": (0.95, 8)}, {"D1": (0.1, 8)}
MEMBERS = (
    "Only 1 of 3 members passes the bar, so the best 2 are kept all the same; more labels would settle it."
)


@pytest.fixture
def submit_first(registry, tmp_path, evaluation_of, save_ensemble, lineage_of):
    """Submit a version trained from scratch, with some Dice on held-out images."""

    def build(seed, dice, provisional=""):
        ensemble = save_ensemble(tmp_path / f"first-{seed}", seed)
        lineage = lineage_of(ensemble, ["D1"])
        return submit(registry, ensemble, lineage, evaluation_of(dice), RULE, provisional=provisional)

    return build


@pytest.fixture
def submit_next(registry, tmp_path, evaluation_of, save_ensemble, lineage_of):
    """Submit a version trained from EA-T1."""

    def build(seed, dice, before, provisional=""):
        parent = registry.show("EA-T1").lineage
        ensemble = save_ensemble(tmp_path / f"next-{seed}", seed)
        lineage = lineage_of(ensemble, ["D1"], parent, "EA-T1")
        evaluation, champion = evaluation_of(dice, seed=seed), ("EA-T1", evaluation_of(before))
        return submit(
            registry, ensemble, lineage, evaluation, RULE, champion=champion, provisional=provisional
        )

    return build


def reason(outcome):
    (difference,) = (c.difference for c in outcome.report.comparisons)
    return (
        f"Dice on D1 is not shown to be above that of Otsu ({difference:+.3f} on the only image held out, "
        "too few for an interval). Label more of D1: about 6 held-out images would settle it, there is 1."
    )


def test_where_too_few_images_are_held_out_a_first_version_becomes_champion_provisionally(
    registry, submit_first, settings
):
    outcome = submit_first(1, FEW)

    assert (outcome.report.verdict, outcome.promoted) == ("inconclusive", True)
    assert outcome.sentence() == f"EA-T1 is the champion, provisionally: {reason(outcome)}"
    champion = registry.champion()
    assert (champion.name, champion.provisional) == ("EA-T1", reason(outcome))
    assert champion.gate == "inconclusive, provisional"
    assert champion.provisional_line() == f"EA-T1 is provisional: {reason(outcome)}"
    assert registry.champion_sentence() == f"The champion is EA-T1, provisionally: {reason(outcome)}"
    assert ("provisional", reason(outcome)) in registry.show("EA-T1").sections()["Version"].rows
    (entry,) = registry.history()
    assert (entry.reason, entry.forced) == (f"Provisional: {reason(outcome)}", False)
    client = MlflowClient(settings.tracking_uri)
    version = client.get_model_version(settings.registered_model, "1")
    assert version.tags["provisional"] == reason(outcome)
    assert version.description.startswith(
        f"**Provisional.** {reason(outcome)}\n\n**Gate: inconclusive.**\n\nTrained from scratch"
    )
    assert "The champion is **EA-T1**, provisionally. " in (
        client.get_registered_model(settings.registered_model).description
    )


def test_a_first_version_that_is_shown_to_be_worse_stays_a_challenger(registry, submit_first):
    outcome = submit_first(1, WORSE)
    assert (outcome.report.verdict, outcome.promoted) == ("fail", False)
    assert outcome.sentence().startswith("EA-T1 stays a challenger: Dice on D1 is below that of Otsu (")
    assert registry.champion() is None
    assert registry.champion_sentence().startswith("There is no champion yet. EA-T1 stays a challenger: ")


def test_members_that_do_not_pass_pruning_make_a_version_provisional_that_the_gate_passes(
    registry, submit_first
):
    outcome = submit_first(1, MANY, MEMBERS)
    assert (outcome.report.verdict, outcome.promoted) == ("pass", True)
    assert outcome.sentence() == f"EA-T1 is the champion, provisionally: {MEMBERS}"
    assert registry.champion().gate == "pass, provisional"
    (entry,) = registry.history()
    assert entry.reason == f"{outcome.report.cause()}. Provisional: {MEMBERS}"


def test_both_reasons_are_told(registry, submit_first):
    outcome = submit_first(1, FEW, MEMBERS)
    assert registry.champion().provisional == f"{reason(outcome)} {MEMBERS}"


def test_a_first_version_that_passes_replaces_a_provisional_champion(registry, submit_first):
    submit_first(1, FEW)
    outcome = submit_first(2, MANY)
    assert outcome.promoted
    assert outcome.sentence() == f"EA-T2 is the champion, replacing EA-T1: {outcome.report.cause()}."
    assert registry.champion().provisional == ""
    assert registry.champion_sentence() == "The champion is EA-T2."


def test_a_first_version_that_is_provisional_too_does_not_replace_one(registry, submit_first):
    submit_first(1, FEW)
    outcome = submit_first(2, {"D1": (0.6, 1)})
    assert not outcome.promoted
    assert outcome.sentence() == f"EA-T2 stays a challenger: {reason(outcome)}"
    assert registry.champion().name == "EA-T1"
    with pytest.raises(
        IcefloeError, match=r"judged against the trivial baselines, but the champion is now EA-T1"
    ):
        registry.promote("EA-T2")


def test_a_provisional_first_version_never_replaces_a_champion_that_is_not(registry, submit_first):
    submit_first(1, MANY)
    assert not submit_first(2, FEW).promoted
    assert not submit_first(3, MANY).promoted
    assert registry.champion().name == "EA-T1"


def test_a_retrained_version_that_passes_is_not_provisional_any_more(registry, submit_first, submit_next):
    submit_first(1, FEW)
    outcome = submit_next(2, MANY, {"D1": (0.5, 8)})
    assert outcome.promoted
    assert registry.champion().label == "EA-T2"
    assert outcome.report.warnings[-1].startswith("EA-T1 is provisional: Dice on D1 is not shown to be above")
    assert registry.show("EA-T2").report.warnings == outcome.report.warnings


def test_a_retrained_version_keeps_its_rule_over_a_provisional_champion(registry, submit_first, submit_next):
    submit_first(1, FEW)
    outcome = submit_next(2, {"D1": (0.5, 8)}, {"D1": (0.5, 8)})
    assert (outcome.report.verdict, outcome.promoted) == ("inconclusive", False)
    assert registry.get("EA-T2").provisional == ""
    assert registry.champion().label == "EA-T1, provisional"


def test_a_retrained_version_is_provisional_by_its_own_members(registry, submit_first, submit_next):
    submit_first(1, MANY)
    outcome = submit_next(2, {"D1": (0.98, 8)}, MANY, MEMBERS)
    assert outcome.sentence() == f"EA-T2 is the champion, replacing EA-T1, provisionally: {MEMBERS}"


def test_a_version_registered_before_can_be_promoted_without_force_and_says_then_that_it_is_provisional(
    registry, tmp_path, evaluation_of, save_ensemble, lineage_of, settings
):
    ensemble, evaluation = save_ensemble(tmp_path / "T1", 1), evaluation_of(FEW)
    registry.register(ensemble, lineage_of(ensemble, ["D1"]), evaluation)
    report = compare(evaluation, None, RULE)
    registry.attach_report("EA-T1", report)
    MlflowClient(settings.tracking_uri).delete_model_version_tag(
        settings.registered_model, "1", "provisional"
    )
    assert registry.get("EA-T1").provisional == ""
    with pytest.raises(IcefloeError, match=r"would settle it.*To use it: `icefloe models promote EA-T1`\.$"):
        registry.get("champion")

    assert registry.promote("EA-T1").forced is False

    assert registry.champion().provisional == report.provisional


def test_a_second_judgement_that_passes_takes_the_gates_reason_back(registry, submit_first, evaluation_of):
    submit_first(1, FEW, MEMBERS)
    registry.attach_report("EA-T1", compare(evaluation_of(MANY), None, RULE))
    assert registry.champion().provisional == MEMBERS
