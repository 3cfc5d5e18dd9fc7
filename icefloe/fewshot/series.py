"""Several images classified by one support set: fractions over time, or from image to image."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from icefloe.fewshot.result import FROZEN, ClassCount, Classification
from icefloe.result import Result
from icefloe.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class SeriesImage(BaseModel):
    """One image's counts.

    Attributes
    ----------
    name
        Of its file.
    n_chips
        Chips of its grid.
    classes
        Counts of the classes, then of unsure chips.
    far
        Share of the chips that resemble no prototype.
    """

    model_config = FROZEN

    name: str
    n_chips: int
    classes: tuple[ClassCount, ...]
    far: float

    @classmethod
    def of(cls, name: str, result: Classification) -> SeriesImage:
        """Of a classified image."""
        return cls(name=name, n_chips=result.grid.n_chips, classes=result.classes, far=result.far)


class Series(Result):
    """Images in their order.

    Attributes
    ----------
    images
        At least one.
    notes
        Warnings on single images, each with the image's name.
    times_s
        Time of each image in s; empty where it is not known, and images are counted instead.
    """

    model_config = FROZEN

    images: tuple[SeriesImage, ...]
    notes: tuple[str, ...] = ()
    times_s: tuple[float, ...] = ()

    def sentence(self) -> str:
        """First and last fraction of every class, and the weightiest warning."""
        first, last = self.images[0], self.images[-1]
        if len(self.images) == 1:
            moved = ", ".join(f"{one.name} {one.fraction.mean:.0%}" for one in first.classes)
        else:
            moved = ", ".join(
                f"{one.name} {one.fraction.mean:.0%} to {other.fraction.mean:.0%}"
                for one, other in zip(first.classes, last.classes, strict=True)
            )
        n_chips = sum(image.n_chips for image in self.images)
        images = "1 image" if len(self.images) == 1 else f"{len(self.images)} images, from first to last"
        told = f"{n_chips:,} chips of {images}: {moved}."
        return f"{told}\n{self.notes[0]}" if self.notes else told

    def rows(self) -> list[dict[str, Any]]:
        """One row an image: time, counts, fractions with intervals, and what resembles no prototype."""
        return [
            {
                "image": image.name,
                "time_s": "" if time is None else round(time, 6),
                "chips": image.n_chips,
                **{
                    f"{one.name} {what}": value
                    for one in image.classes
                    for what, value in (
                        ("chips", int(one.count.mean)),
                        ("fraction", round(one.fraction.mean, 6)),
                        ("low", round(one.fraction.low, 6)),
                        ("high", round(one.fraction.high, 6)),
                    )
                },
                "far": round(image.far, 6),
            }
            for image, time in zip(self.images, self.times_s or repeat(None), strict=False)
        ]

    def table(self) -> Table:
        """Fractions with their intervals, one row an image."""
        rows = [
            {
                "image": image.name,
                "chips": image.n_chips,
                **{one.name: one.fraction.text(2) for one in image.classes},
                "resemble no prototype": f"{image.far:.0%}",
            }
            for image in self.images
        ]
        return Table.of(rows)

    def plot(self, ax: Axes) -> None:
        """Fractions with bands against time, or the image's number where that is not known."""
        from icefloe.fewshot.figures import draw_fractions

        draw_fractions(ax, self)
