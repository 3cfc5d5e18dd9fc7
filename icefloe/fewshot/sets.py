"""Support sets: named chips of one grid, each in one set at most."""

from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict, model_validator

from icefloe.errors import IcefloeError
from icefloe.fewshot.grid import Grid
from icefloe.names import checked_title, same_to_some_systems

UNSURE = "unsure"
"""What a chip is called whose class is too uncertain; no set may have this name."""

LONGEST_NAME = 60
MOST_SETS = 64


class SupportSet(BaseModel):
    """A class by its examples.

    Attributes
    ----------
    name
        As people call it.
    chips
        Numbers of its chips in the grid, ascending.
    style
        Number of its colour and pattern, from 0; it stays when other sets come and go.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    chips: tuple[int, ...] = ()
    style: int = 0


class SupportSets(BaseModel):
    """All sets of one session; every change gives new ones.

    Attributes
    ----------
    sets
        In the order of the user.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sets: tuple[SupportSet, ...] = ()

    @model_validator(mode="after")
    def _are_apart(self) -> "SupportSets":
        for position, one in enumerate(self.sets):
            _checked_name(one.name, [other.name for other in self.sets[:position]])
        if len({one.style for one in self.sets}) < len(self.sets):
            raise IcefloeError("Two sets have one style. Give each set a number of its own.")
        owners: dict[int, str] = {}
        for one in self.sets:
            for chip in one.chips:
                if chip in owners:
                    twice = "twice" if owners[chip] == one.name else f"in {owners[chip]}, too"
                    raise IcefloeError(f"{one.name}: chip {chip} is {twice}. Take it out of one place.")
                owners[chip] = one.name
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Names in order."""
        return tuple(one.name for one in self.sets)

    @property
    def used(self) -> tuple[SupportSet, ...]:
        """Those that have chips."""
        return tuple(one for one in self.sets if one.chips)

    def added(self, name: str, chips: Iterable[int] = ()) -> "SupportSets":
        """With one more set, in the first free style.

        Raises
        ------
        IcefloeError
            If the name is blank, too long or taken, or a chip is in another set.
        """
        if len(self.sets) == MOST_SETS:
            raise IcefloeError(f"{name}: there are {MOST_SETS} sets already. Remove one first.")
        taken = {one.style for one in self.sets}
        style = next(number for number in range(MOST_SETS) if number not in taken)
        name = _checked_name(name, self.names)
        one = SupportSet(name=name, chips=tuple(sorted(chips)), style=style)
        return SupportSets(sets=(*self.sets, one))

    def renamed(self, name: str, new: str) -> "SupportSets":
        """With another name for a set.

        Raises
        ------
        IcefloeError
            If there is no such set, or the new name is blank, too long or another's.
        """
        self.one(name)
        new = _checked_name(new, [other for other in self.names if other != name])
        return self._replaced(name, {"name": new})

    def removed(self, name: str) -> "SupportSets":
        """Without a set; its chips are free."""
        self.one(name)
        return SupportSets(sets=tuple(one for one in self.sets if one.name != name))

    def assigned(self, name: str, chips: Iterable[int], grid: Grid) -> "SupportSets":
        """With chips in a set, which leave the sets that they were in.

        Raises
        ------
        IcefloeError
            If there is no such set or chip.
        """
        self.one(name)
        chips = set(chips)
        for chip in chips:
            _require_chip(name, chip, grid)
        free = self.released(chips)
        return free._replaced(name, {"chips": tuple(sorted(chips | set(free.one(name).chips)))})

    def released(self, chips: Iterable[int]) -> "SupportSets":
        """With these chips in no set."""
        out = set(chips)
        return SupportSets(
            sets=tuple(
                one.model_copy(update={"chips": tuple(chip for chip in one.chips if chip not in out)})
                for one in self.sets
            )
        )

    def emptied(self) -> "SupportSets":
        """The same sets without chips, for a new grid."""
        return self.released(chip for one in self.sets for chip in one.chips)

    def one(self, name: str) -> SupportSet:
        """The set of this name.

        Raises
        ------
        IcefloeError
            If there is none.
        """
        for one in self.sets:
            if one.name == name:
                return one
        raise IcefloeError(f"{name}: no such set. There are {', '.join(self.names) or 'none'}.")

    def require_on(self, grid: Grid) -> None:
        """Refuse chips that a grid does not have.

        Raises
        ------
        IcefloeError
            If a chip is outside the grid; the message names its set.
        """
        for one in self.sets:
            for chip in one.chips:
                _require_chip(one.name, chip, grid)

    def require_classes(self) -> tuple[SupportSet, ...]:
        """The sets that have chips, if there are two at least.

        Raises
        ------
        IcefloeError
            If there are fewer.
        """
        used = self.used
        if len(used) < 2:
            empty = ", ".join(one.name for one in self.sets if not one.chips)
            told = f" (without chips: {empty})" if empty else ""
            raise IcefloeError(
                f"A classification needs two sets with chips, here are {len(used)}{told}. "
                "Assign chips to two sets at least."
            )
        return used

    def _replaced(self, name: str, entries: dict[str, object]) -> "SupportSets":
        return SupportSets(
            sets=tuple(one.model_copy(update=entries) if one.name == name else one for one in self.sets)
        )


def _require_chip(name: str, chip: int, grid: Grid) -> None:
    try:
        grid.place(chip)
    except IcefloeError as error:
        raise IcefloeError(f"{name}: {error}") from error


def _checked_name(name: str, others: Sequence[str]) -> str:
    """The name, its accents composed and without blanks at its ends."""
    name = checked_title("set", name, LONGEST_NAME)
    if same_to_some_systems(name) == UNSURE:
        raise IcefloeError(
            f"{name}: that is what chips are called that belong to no set clearly. Choose another name."
        )
    for other in others:
        if same_to_some_systems(other) == same_to_some_systems(name):
            raise IcefloeError(f"{name}: a set is called {other} already. Choose another name.")
    return name
