"""The table of chips, as it is exported."""

import csv
import io

from icefloe.fewshot.result import Classification


def chips_csv(result: Classification) -> str:
    """One row a chip: where it is, its probabilities, the most probable class, and what it counts as.

    All of it comes from the result, so that the same session gives the same bytes anywhere.

    Parameters
    ----------
    result
        A classified image.
    """
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    names = result.names
    table.writerow(
        [
            "chip",
            "row",
            "column",
            "top_px",
            "left_px",
            *(f"p({name})" for name in names),
            "nearest",
            "prediction",
        ]
    )
    predictions = result.predictions()
    for chip, (likely, nearest) in enumerate(zip(result.probabilities, result.nearest, strict=True)):
        table.writerow(
            [
                chip,
                *result.grid.place(chip),
                *result.grid.corner(chip),
                *(f"{one:.6f}" for one in likely),
                names[nearest],
                predictions[chip],
            ]
        )
    return text.getvalue()
