"""Under what conditions each image of a dataset was taken, and of what: what studies select images by."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from icefloe.errors import IcefloeError
from icefloe.files import write_text_atomic
from icefloe.validation import validated

CONDITIONS_FILE = "conditions.csv"
"""Beside the images: a row for each, with what is not the same for all of them."""


class Conditions(BaseModel):
    """Conditions of one image; null where not known.

    Attributes
    ----------
    pixel_size_nm, dose_e_per_A2
        Pixel edge in nm, and dose of the image in e/A^2.
    magnification
        As the instrument shows it.
    exposure_s
        Exposure time in s.
    date
        Day it was taken, as the file or a person wrote it.
    instrument
        The microscope.
    material, diameter_nm
        Material of the specimen's particles, and their nominal diameter in nm.
    session
        Name of the session at the instrument; between sessions it was aligned anew.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pixel_size_nm: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    dose_e_per_A2: float | None = Field(default=None, gt=0, allow_inf_nan=False)  # noqa: N815 - the unit is ångström
    magnification: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    exposure_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    date: str | None = None
    instrument: str | None = None
    material: str | None = None
    diameter_nm: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    session: str | None = None

    def over(self, other: "Conditions") -> "Conditions":
        """These where they are known, those of `other` where not."""
        return other.model_copy(update=self.model_dump(exclude_none=True))


NOT_KNOWN = Conditions()


def shared_by(images: Mapping[str, Conditions]) -> Conditions:
    """What is known of all images and the same for them."""
    first, *others = images.values()
    same = {
        name: value
        for name, value in first.model_dump(exclude_none=True).items()
        if all(getattr(other, name) == value for other in others)
    }
    return Conditions(**same)


def write_conditions(dataset: Path, images: Mapping[str, Conditions]) -> None:
    """Write what is not the same for all images into a dataset's folder; no file where there is nothing.

    Parameters
    ----------
    dataset
        Folder of the dataset.
    images
        Conditions by stem.
    """
    same = shared_by(images).model_dump(exclude_none=True)
    columns = [
        name
        for name in Conditions.model_fields
        if name not in same and any(getattr(image, name) is not None for image in images.values())
    ]
    if not columns:
        return
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["image", *columns])
    for stem, image in images.items():
        values = image.model_dump()
        rows.writerow([stem, *("" if values[name] is None else values[name] for name in columns)])
    write_text_atomic(dataset / CONDITIONS_FILE, text.getvalue())


def read_conditions(dataset: Path) -> dict[str, Conditions]:
    """Conditions of the images by stem, as the table in a dataset's folder has them; none without it.

    Raises
    ------
    IcefloeError
        If it is no such table, a value is none of its column, or a column is unknown.
    """
    table = dataset / CONDITIONS_FILE
    if not table.is_file():
        return {}
    try:
        with table.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise IcefloeError(f"{table}: can't be read as a CSV table ({error}). Correct it.") from error
    if rows and "image" not in rows[0]:
        raise IcefloeError(f"{table}: no column names the images. Head one 'image'.")
    return {row["image"]: conditions_of(table, row) for row in rows}


def conditions_of(table: Path, row: Mapping[str, str]) -> Conditions:
    """A table's row, of which empty cells are not known."""
    known = {name: value for name, value in row.items() if value and name != "image"}
    return validated(Conditions, known, f"{table}: image {row['image']}", "Correct the table.")
