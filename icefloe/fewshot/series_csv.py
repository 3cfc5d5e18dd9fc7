"""The table of a series, as it is exported."""

import csv
import io

from icefloe.fewshot.series import Series


def series_csv(series: Series) -> str:
    """One row an image: counts and fractions with their intervals, and what resembles no prototype.

    Parameters
    ----------
    series
        Classified images.
    """
    text = io.StringIO(newline="")
    rows = series.rows()
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()
