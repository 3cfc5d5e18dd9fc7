"""The table of a series that grows: `fractions.csv`, a row an image, each on the disk before the next."""

from collections.abc import Sequence
from pathlib import Path

from icefloe.fewshot.result import ClassCount
from icefloe.fewshot.series import Series, SeriesImage
from icefloe.fewshot.sets import UNSURE, SupportSet
from icefloe.files import GrowingTable
from icefloe.statistics.interval import Interval


class SeriesTable:
    """Images classified so far.

    Parameters
    ----------
    path
        CSV file, as `Series.rows` has it; rows that are there already are kept.
    sets
        Those that have chips.
    seconds_per_image
        Time between two images; None: not known.

    Raises
    ------
    IcefloeError
        If the file has rows of other sets.
    """

    def __init__(
        self, path: Path, sets: Sequence[SupportSet], seconds_per_image: float | None = None
    ) -> None:
        self._sets = tuple(sets)
        self._seconds_per_image = seconds_per_image
        names = (*(one.name for one in sets), UNSURE)
        counted = [f"{name} {what}" for name in names for what in ("chips", "fraction", "low", "high")]
        self._table = GrowingTable(path, ("image", "time_s", "chips", *counted, "far"))
        self._images = [self._image(row) for row in self._table.rows]

    @property
    def images(self) -> tuple[str, ...]:
        """Names of the images that have a row, in order."""
        return tuple(image.name for image in self._images)

    def append(self, image: SeriesImage) -> None:
        """Add an image."""
        step = self._seconds_per_image
        times = () if step is None else (len(self._images) * step,)
        self._table.append(Series(images=(image,), times_s=times).rows()[0])
        self._images.append(image)

    def series(self) -> Series:
        """All images; there must be one. Of rows read from the file numbers have six decimals."""
        times = tuple(float(row["time_s"]) for row in self._table.rows if row["time_s"])
        known = len(times) == len(self._images)
        return Series(images=tuple(self._images), times_s=times if known else ())

    def _image(self, row: dict[str, str]) -> SeriesImage:
        n_chips = int(row["chips"])
        styles = [(one.name, one.style, len(one.chips)) for one in self._sets]
        return SeriesImage(
            name=row["image"],
            n_chips=n_chips,
            classes=tuple(
                _count(row, name, style, n_supports, n_chips)
                for name, style, n_supports in (*styles, (UNSURE, None, 0))
            ),
            far=float(row["far"]),
        )


def _count(row: dict[str, str], name: str, style: int | None, n_supports: int, n_chips: int) -> ClassCount:
    fraction, low, high = (float(row[f"{name} {what}"]) for what in ("fraction", "low", "high"))
    count = int(row[f"{name} chips"])
    return ClassCount(
        name=name,
        style=style,
        n_supports=n_supports,
        count=Interval(mean=count, n=n_chips, low=low * n_chips, high=high * n_chips),
        fraction=Interval(mean=fraction, n=n_chips, low=low, high=high),
    )
