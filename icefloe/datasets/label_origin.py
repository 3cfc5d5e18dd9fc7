"""What a label was made from, with which programs, and what others thought."""

from dataclasses import astuple, dataclass, fields

from icefloe.errors import IcefloeError


@dataclass(frozen=True)
class Origin:
    """What a label was made from, and with which programs; None where that is not known.

    Attributes
    ----------
    presegmentation
        SHA-256 of the pre-segmentation's PNG, in hex; None: it began with an empty mask.
    predicted_by
        Version that gave the pre-segmentation, such as `EA-T1`.
    client
        The program it was made with, such as `editor 3f9a2c81d4e0` or `label-studio`.
    icefloe
        Version of the Icefloe that took it.
    """

    presegmentation: str | None = None
    predicted_by: str | None = None
    client: str | None = None
    icefloe: str | None = None

    def beginning(self) -> str:
        """What it was made from, in words."""
        if self.presegmentation is None:
            return "an empty mask" if self.icefloe else "not known"
        return f"{self.predicted_by or 'a mask'} {self.presegmentation[:12]}"

    def tools(self) -> str:
        """The programs, in words."""
        names = (self.client, f"icefloe {self.icefloe}" if self.icefloe else None)
        return ", ".join(name for name in names if name) or "not known"


NOT_KNOWN = Origin()
"""Of labels from before it was noted."""


@dataclass(frozen=True)
class Making:
    """How a label came about.

    Attributes
    ----------
    made
        When it was handed in, ISO 8601 with time zone; labels that were collected together share a later
        time.
    origin
        What it was made from, and with what.
    others
        Other people who labelled the image, of whom it is the one that stands; separated by ` and `.
    agreement
        Dice of the two people who labelled it.
    regions
        `top left height width` of each region that was labelled, in px, separated by `; `: the rest of the
        image's label stayed as it was. None: all of it was.
    """

    made: str | None = None
    origin: Origin = NOT_KNOWN
    others: str | None = None
    agreement: float | None = None
    regions: str | None = None

    def cells(self) -> dict[str, str]:
        """Text by column; empty where something is not known."""
        values = (self.made, *astuple(self.origin), self.others, self.agreement, self.regions)
        return {
            column: f"{value:.4f}" if isinstance(value, float) else value or ""
            for column, value in zip(MAKING_COLUMNS, values, strict=True)
        }

    @classmethod
    def of_cells(cls, row: dict[str, str], where: str) -> "Making":
        """As `cells` gave it; columns may be missing.

        Raises
        ------
        IcefloeError
            If the agreement is no number; `where` names the place.
        """
        made, *origin, others, agreement, regions = (row.get(column) or None for column in MAKING_COLUMNS)
        try:
            dice = None if agreement is None else float(agreement)
        except ValueError as error:
            raise IcefloeError(f"{where}: agreement is {agreement!r}. Write a number or nothing.") from error
        return cls(made, Origin(*origin), others, dice, regions)


UNTOLD = Making()

MAKING_COLUMNS = ("made", *(field.name for field in fields(Origin)), "others", "agreement", "regions")
"""Columns of a label history that older ones lack."""
