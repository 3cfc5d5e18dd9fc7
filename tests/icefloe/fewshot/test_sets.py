"""Support sets: names, chips, and what is refused."""

import pytest

from icefloe.errors import IcefloeError
from icefloe.fewshot.grid import Grid
from icefloe.fewshot.sets import SupportSets
from icefloe.fewshot.styles import colour, pattern

GRID = Grid(height=64, width=64, edge=8)


def sets(**chips):
    made = SupportSets()
    for name, of_set in chips.items():
        made = made.added(name, of_set)
    return made


def test_twelve_sets_and_more_have_a_colour_and_pattern_of_their_own():
    made = SupportSets()
    for number in range(20):
        made = made.added(f"class {number}", [number])

    looks = {(colour(one.style), pattern(one.style)) for one in made.sets}

    assert len(looks) == 20
    assert len(made.require_classes()) == 20


def test_a_style_stays_when_another_set_goes():
    made = sets(a=[0], b=[1], c=[2]).removed("a")
    assert [(one.name, one.style) for one in made.sets] == [("b", 1), ("c", 2)]
    assert made.added("d").one("d").style == 0


def test_removing_a_set_releases_its_chips():
    made = sets(a=[0, 1], b=[2]).removed("a").assigned("b", [1], GRID)
    assert made.one("b").chips == (1, 2)


def test_assigning_a_chip_takes_it_out_of_its_former_set():
    made = sets(a=[0, 1], b=[2]).assigned("b", [1], GRID)
    assert [one.chips for one in made.sets] == [(0,), (1, 2)]
    assert made.released([2]).one("b").chips == (1,)


def test_renaming_keeps_chips_and_style():
    made = sets(a=[0], b=[1]).renamed("b", " snowmen ")
    assert made.one("snowmen").chips == (1,)
    assert made.one("snowmen").style == 1


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("  ", "A set without a name. Give it one."),
        ("a", "a: a set is called a already. Choose another name."),
        ("A", "A: a set is called a already. Choose another name."),
        ("x" * 61, "a set's name of 61 characters. Shorten it to 60."),
        ("Unsure", "that is what chips are called that belong to no set clearly."),
        ("a\nb", "holds a control character or a line break."),
    ],
)
def test_names_that_cannot_be_are_refused(name, refusal):
    with pytest.raises(IcefloeError) as refused:
        sets(a=[0]).added(name)
    assert refusal in str(refused.value)


def test_a_chip_in_two_sets_is_refused_by_name():
    with pytest.raises(IcefloeError, match=r"b: chip 1 is in a, too. Take it out of one place."):
        sets(a=[1], b=[1])
    with pytest.raises(IcefloeError, match="a: chip 1 is twice"):
        sets(a=[1, 1])


def test_a_chip_outside_the_grid_is_refused_by_its_set():
    with pytest.raises(IcefloeError, match="a: chip 64: the grid has chips 0 to 63"):
        sets(a=[64]).require_on(GRID)
    with pytest.raises(IcefloeError, match="a: chip -1: the grid has"):
        sets(a=[0]).assigned("a", [-1], GRID)


def test_fewer_than_two_sets_with_chips_are_refused_and_empty_ones_named():
    with pytest.raises(IcefloeError, match=r"two sets with chips, here are 1 \(without chips: b, c\)"):
        sets(a=[0], b=[], c=[]).require_classes()


def test_an_unknown_set_is_refused_with_those_there_are():
    with pytest.raises(IcefloeError, match=r"c: no such set. There are a, b."):
        sets(a=[0], b=[]).removed("c")
