"""Sessions in the database, on both engines."""

import pytest

from icefloe.errors import ConflictError, IcefloeError, MissingError
from icefloe.fewshot.grid import Grid
from icefloe.fewshot.kept import KeptSessions, StaleSessionError, Work
from icefloe.fewshot.sets import SupportSets
from icefloe.fewshot.source import ImageReference

IMAGE = ImageReference(name="a.tif", sha256="0" * 64, height=100, width=120)
WORK = Work(name="mine", image=IMAGE)
GRID = Grid(height=100, width=120, edge=10)


@pytest.fixture
def sessions(database) -> KeptSessions:
    ticks = iter(range(1, 100))
    return KeptSessions(database, clock=lambda: float(next(ticks)))


def test_a_session_is_found_as_it_was_left_and_by_its_owner_alone(sessions):
    sets = SupportSets().added("Größe", [3, 1]).added("b")
    kept = sessions.add(1, "D1", "a", WORK.on_grid(GRID, release=False).with_sets(sets))
    assert sessions.one(kept.id, 1) == kept
    assert (kept.work.sets, kept.revision, kept.created) == (sets, 1, 1.0)
    assert sessions.datasets() == {"D1"}
    with pytest.raises(MissingError, match="you have no such session"):
        sessions.one(kept.id, 2)
    assert sessions.all(2) == []


def test_the_last_changed_is_listed_first_and_a_stale_change_is_refused(sessions):
    first, second = sessions.add(1, "D1", "a", WORK), sessions.add(1, "D1", "b", WORK)
    assert [one.id for one in sessions.all(1)] == [second.id, first.id]
    changed = sessions.change(first.id, 1, 1, lambda work: work.named(" new "))
    assert (changed.work.name, changed.revision, changed) == ("new", 2, sessions.one(first.id, 1))
    assert [one.id for one in sessions.all(1)] == [first.id, second.id]
    with pytest.raises(StaleSessionError, match="changed since") as refused:
        sessions.change(first.id, 1, 1, lambda work: work.named("newer"))
    assert refused.value.current == changed
    with pytest.raises(StaleSessionError):
        sessions.remove(first.id, 1, 1)


def test_a_number_is_never_used_again(sessions):
    kept = sessions.add(1, "D1", "a", WORK)
    sessions.note_embedding(kept.id, 7)
    assert (sessions.one(kept.id, 1).embedding, sessions.one(kept.id, 1).revision) == (7, 1)
    sessions.remove(kept.id, 1, 1)
    assert sessions.add(1, "D1", "a", WORK).id > kept.id


def test_chips_are_not_released_by_accident():
    chosen = WORK.on_grid(GRID, release=False).with_sets(SupportSets().added("a", [1]))
    other = Grid(height=100, width=120, edge=20)
    with pytest.raises(ConflictError, match="1 chip is chosen on the present grid"):
        chosen.on_grid(other, release=False)
    assert chosen.on_grid(GRID, release=False) == chosen
    assert chosen.on_grid(other, release=True).sets.names == ("a",)
    with pytest.raises(IcefloeError, match="a: has chips, but there is no grid yet"):
        WORK.with_sets(SupportSets().added("a", [1]))
    with pytest.raises(IcefloeError, match="there is no grid yet"):
        _ = WORK.session
