"""A table of many images' conditions, such as those that come with published datasets, for an import."""

import csv
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from icefloe.datasets.conditions import Conditions, conditions_of
from icefloe.datasets.import_files import same_name, some, stem_of
from icefloe.datasets.units import nm_of_unit
from icefloe.errors import IcefloeError

HEADINGS: dict[str, tuple[str, ...]] = {
    "image": ("image", "filename", "file"),
    "pixel_size_nm": ("pixelsize", "pixelscale"),
    "dose_e_per_A2": ("dose", "dosage"),
    "magnification": ("magnification",),
    "exposure_s": ("exposure", "exposuretime"),
    "date": ("date",),
    "instrument": ("instrument", "microscope"),
    "material": ("material",),
    "diameter_nm": ("diameter", "nanoparticlesize", "particlesize"),
    "session": ("session", "folder"),
}
"""What each column may be called, letters and figures only; the first that is there counts."""

LENGTHS = ("pixel_size_nm", "diameter_nm")


@dataclass(frozen=True)
class MetadataTable:
    """Conditions of images by the stem of their file.

    Attributes
    ----------
    path
        The table.
    images
        By stem, accents composed.
    unused
        Headings of columns that mean nothing here.
    """

    path: Path
    images: Mapping[str, Conditions]
    unused: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> "MetadataTable":
        """Read a CSV file with a row an image.

        Headings are those of `conditions.csv`, or of the published table of Sytwu, Rangel DaCosta and Scott
        (2023): `File name`, `Dosage (e/A2)`, `Pixel Scale (nm)`, `Nanoparticle Size (nm)`, ... Lengths are in
        nm unless the heading names another unit.

        Raises
        ------
        IcefloeError
            If it is no such table, has no column with the names of the images, a value is none of its column,
            or two rows say different things of one image.
        """
        try:
            with path.open(newline="", encoding="utf-8-sig") as file:
                reader = csv.DictReader(file)
                headings, rows = list(reader.fieldnames or ()), list(reader)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise IcefloeError(f"{path}: can't be read as a CSV table ({error}). Check the file.") from error
        columns = _columns(path, headings)
        images: dict[str, Conditions] = {}
        for row in rows:
            cells = {
                name: _in_unit(path, heading, name, (row[heading] or "").strip())
                for name, heading in columns.items()
            }
            if not cells["image"]:
                continue
            stem, found = same_name(stem_of(cells["image"])), conditions_of(path, cells)
            if images.setdefault(stem, found) != found:
                raise IcefloeError(f"{path}: two rows say different things of {stem!r}. Remove one of them.")
        return cls(path, images, tuple(name for name in headings if name not in columns.values()))

    def notes(self, stems: Collection[str]) -> tuple[str, ...]:
        """What of the table was not used, and which images it has no row for, a sentence each.

        Raises
        ------
        IcefloeError
            If it has a row for none of the images.
        """
        missing = [stem for stem in stems if same_name(stem) not in self.images]
        if len(missing) == len(stems):
            raise IcefloeError(
                f"{self.path}: no row is of an image here, such as {some(missing)}. "
                "Name the images' files in the column 'image'."
            )
        return (
            *([f"No row of {self.path.name} for {len(missing)} images: {some(missing)}."] if missing else ()),
            *([f"Columns of {self.path.name} not taken: {', '.join(self.unused)}."] if self.unused else ()),
        )


def _columns(path: Path, headings: Sequence[str]) -> dict[str, str]:
    """Conditions, and `image`, by the heading of their column."""
    bare = {_bare(heading): heading for heading in reversed(headings)}
    columns = {}
    for name, words in HEADINGS.items():
        if heading := next((bare[word] for word in (_bare(name), *words) if word in bare), None):
            columns[name] = heading
    if "image" not in columns or len(columns) == 1:
        missing = "says how images were taken" if "image" in columns else "names the images"
        raise IcefloeError(
            f"{path}: no column {missing} "
            f"({', '.join(headings[:5]) or 'the table is empty'}). "
            "Head one 'image' and others as in dataset.yaml, such as dose_e_per_A2."
        )
    return columns


def _bare(heading: str) -> str:
    return re.sub("[^a-z0-9]", "", re.sub(r"\(.*?\)", "", heading).lower())


def _in_unit(path: Path, heading: str, name: str, cell: str) -> str:
    """A cell's text, in nm if it is a length in another unit."""
    unit = re.search(r"\(([^)]*)\)", heading)
    if not cell or not unit or name not in LENGTHS:
        return cell
    edge_nm = nm_of_unit(unit[1])
    if edge_nm is None:
        raise IcefloeError(f"{path}: {heading!r} is in no unit of length. Give it in nm.")
    try:
        return f"{float(cell) * edge_nm:.6g}"
    except ValueError:
        return cell  # refused with the others
