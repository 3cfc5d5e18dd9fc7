"""Segmenting files for a person: masks, pictures and a table in a folder."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from icefloe.datasets.labels import write_mask
from icefloe.datasets.readers import read_image
from icefloe.ensemble.prediction import SCORES
from icefloe.errors import IcefloeError
from icefloe.files import write_bytes_atomic
from icefloe.report.figures import Segmented, gallery, png

if TYPE_CHECKING:
    from icefloe.ensemble.ensemble import Ensemble


def segment_files(
    ensemble: Ensemble, images: Sequence[Path], output: Path, done: Collection[str] = ()
) -> Iterator[Path]:
    """Write `<stem>_mask.png` (class index), `<stem>.png` (outline and uncertainty) and `scores.csv`.

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

    Yields
    ------
    Path
        Each image when its files are written.

    Raises
    ------
    IcefloeError
        If an image can't be read, or two have one stem.
    """
    stems = [path.stem for path in images]
    if len(set(stems)) < len(stems):
        raise IcefloeError(f"{output}: two images have the same name. Segment them into two folders.")
    arrays = {path: read_image(path) for path in images}  # all are checked before anything is written
    output.mkdir(parents=True, exist_ok=True)
    with (output / "scores.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, ("image", *SCORES))
        table.writeheader()
        for (path, image), prediction in zip(
            arrays.items(), ensemble.predict_batch(arrays.values(), done), strict=True
        ):
            write_mask(output / f"{path.stem}_mask.png", prediction.mask)
            title = f"{path.name}, UQ {prediction.uncertainty.uq_mean:.4f}"
            picture = gallery([Segmented(title, image, prediction.mask, prediction.std)])
            write_bytes_atomic(output / f"{path.stem}.png", png(picture, dpi=150))
            table.writerow({"image": path.name, **prediction.scores()})
            yield path
