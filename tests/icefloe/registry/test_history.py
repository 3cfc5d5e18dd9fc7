"""The line of champions that a history implies."""

from icefloe.registry.history import HistoryEntry, champion_line


def entry(action, champion, replaced=None, at="2026-01-01T00:00:00.000000Z"):
    return HistoryEntry(
        action=action,
        champion=champion,
        replaced=replaced,
        by="ada",
        at=at,
        reason="because",
        verdict="pass",
    )


def promotions(*names):
    return [entry("promote", name) for name in names]


def test_rollback_drops_the_champions_after_the_one_restored():
    history = [*promotions("EA-T1", "EA-T2", "EA-T3"), entry("rollback", "EA-T2", "EA-T3")]
    assert champion_line(history) == ["EA-T1", "EA-T2"]


def test_going_back_twice_and_forward_again_does_not_go_in_circles():
    history = [
        *promotions("EA-T1", "EA-T2"),
        entry("rollback", "EA-T1"),
        *promotions("EA-T2", "EA-T1"),
        entry("rollback", "EA-T2"),
        entry("rollback", "EA-T1"),
    ]
    assert champion_line(history) == ["EA-T1"]


def test_a_change_noted_twice_counts_once():
    twice_promoted = promotions("EA-T1", "EA-T2", "EA-T2")
    assert champion_line(twice_promoted) == ["EA-T1", "EA-T2"]
    assert champion_line([*twice_promoted, *[entry("rollback", "EA-T1")] * 2]) == ["EA-T1"]


def test_a_change_that_never_took_effect_drops_out_when_the_next_is_noted():
    noted_only = [entry("promote", "EA-T1"), entry("promote", "EA-T2", "EA-T1")]
    assert champion_line([*noted_only, entry("promote", "EA-T3", "EA-T1")]) == ["EA-T1", "EA-T3"]


def test_a_rollback_that_never_took_effect_drops_out_when_the_next_is_noted():
    noted_only = [
        *(entry("promote", "EA-T1"), entry("promote", "EA-T2", "EA-T1")),
        entry("rollback", "EA-T1", "EA-T2"),
    ]
    assert champion_line([*noted_only, entry("promote", "EA-T3", "EA-T2")]) == ["EA-T1", "EA-T2", "EA-T3"]


def test_a_champion_that_was_set_in_mlflow_by_hand_is_in_the_line():
    history = [entry("promote", "EA-T1"), entry("promote", "EA-T4", "EA-T3")]
    assert champion_line(history) == ["EA-T1", "EA-T3", "EA-T4"]


def test_the_sentence_says_who_when_what_and_why():
    first = entry("promote", "EA-T1")
    assert first.sentence() == "2026-01-01 00:00 UTC ada promoted EA-T1: because"
    assert first.model_copy(update={"forced": True}).change() == "ada promoted EA-T1 (forced)"
    assert entry("promote", "EA-T2", "EA-T1").sentence() == (
        "2026-01-01 00:00 UTC ada promoted EA-T2, replacing EA-T1: because"
    )
