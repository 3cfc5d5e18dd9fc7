"""Segmenting files for a person: masks, pictures and a table in a folder."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from icefloe.datasets.labels import write_mask
from icefloe.datasets.readers import read_image
from icefloe.ensemble.guarantees import LEVEL
from icefloe.ensemble.prediction import SCORES
from icefloe.errors import IcefloeError
from icefloe.files import write_bytes_atomic
from icefloe.report.figures import Segmented, png, split_figure

if TYPE_CHECKING:
    from icefloe.ensemble.ensemble import Ensemble
    from icefloe.ensemble.guarantees import Guarantees
    from icefloe.ensemble.prediction import Prediction


def segment_files(
    ensemble: Ensemble,
    images: Sequence[Path],
    output: Path,
    done: Collection[str] = (),
    level: float = LEVEL,
) -> Iterator[Path]:
    """Write `<stem>_mask.png` (class index), `<stem>.png` (outline and uncertainty) and `scores.csv`.

    Where the ensemble's manifest has guarantees, the table has each class's share of the image with its
    interval and the share abstained from, and `<stem>_abstain.png` is 255 where it abstains, 0 elsewhere.

    Parameters
    ----------
    ensemble
        Segments them.
    images
        Files; their stems must differ.
    output
        Folder, made if need be.
    done
        Preprocessing done to the images already.
    level
        Of the intervals.

    Yields
    ------
    Path
        Each image when its files are written.

    Raises
    ------
    IcefloeError
        If an image can't be read, two have one stem, or no intervals were calibrated for the level.
    """
    stems = [path.stem for path in images]
    if len(set(stems)) < len(stems):
        raise IcefloeError(f"{output}: two images have the same name. Segment them into two folders.")
    guarantees = ensemble.manifest.guarantees
    columns = _promised_columns(guarantees, level) if guarantees else []
    arrays = {path: read_image(path) for path in images}  # all are checked before anything is written
    output.mkdir(parents=True, exist_ok=True)
    with (output / "scores.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, ("image", *SCORES, *columns))
        table.writeheader()
        for (path, image), prediction in zip(
            arrays.items(), ensemble.predict_batch(arrays.values(), done), strict=True
        ):
            write_mask(output / f"{path.stem}_mask.png", prediction.mask)
            title = f"{path.name}, UQ {prediction.uncertainty.uq_mean:.4f}"
            row: dict[str, str | float] = {"image": path.name, **prediction.scores()}
            abstained = None
            if guarantees is not None:
                abstained = guarantees.abstained(prediction)
                write_mask(output / f"{path.stem}_abstain.png", abstained.astype(np.uint8) * 255)
                row |= dict(zip(columns, _promised(guarantees, prediction, level), strict=True))
                title += f"\n{'; '.join(map(str, guarantees.area_intervals(prediction, level)))}"
            item = Segmented(title, image, prediction.mask, prediction.std, abstained=abstained)
            figure = split_figure(item, prediction.aleatoric, prediction.mutual_information)
            write_bytes_atomic(output / f"{path.stem}.png", png(figure, dpi=150))
            table.writerow(row)
            yield path


def _promised_columns(guarantees: Guarantees, level: float) -> list[str]:
    """`area_ice`, `area_ice_low_90`, `area_ice_high_90` for each class, and `abstained`."""
    columns = []
    for name in guarantees.areas:
        guarantees.quantile(name, level)  # refuses a level that there is none of
        columns += [f"area_{name}", *(f"area_{name}_{end}_{100 * level:g}" for end in ("low", "high"))]
    return [*columns, "abstained"]


def _promised(guarantees: Guarantees, prediction: Prediction, level: float) -> list[float]:
    intervals = guarantees.area_intervals(prediction, level)
    areas = [number for i in intervals for number in (i.expected, i.low, i.high)]
    return [*areas, float(guarantees.abstained(prediction).mean())]
