"""The line of champions that a history implies."""

from icefloe.registry.history import HistoryEntry, champion_line, read_history


def entry(action, champion, replaced=None, at="2026-01-01T00:00:00.000000Z"):
    return HistoryEntry(action, champion, replaced, by="ada", at=at, reason="because", verdict="pass")


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


def test_entries_survive_as_tags_in_the_order_of_time():
    first = entry("promote", "EA-T1")
    second = entry("promote", "EA-T2", "EA-T1", at="2026-01-01T00:00:00.000001Z")
    tags = dict([second.as_tag(), first.as_tag()]) | {"other": "tag"}
    assert read_history(tags) == [first, second]


def test_two_entries_of_one_moment_have_two_keys():
    assert entry("promote", "EA-T1").as_tag()[0] != entry("promote", "EA-T1").as_tag()[0]


def test_the_sentence_says_who_when_what_and_why():
    assert entry("promote", "EA-T2", "EA-T1").sentence() == (
        "2026-01-01T00:00:00.000000Z ada promoted EA-T2, replacing EA-T1: because"
    )
