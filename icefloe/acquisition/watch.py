"""On the fly: composites and masks of a recording while it is being made."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from icefloe.acquisition.composite_folder import CompositeFolder, Row
from icefloe.acquisition.stack import Stacking
from icefloe.datasets.readers import read_image
from icefloe.errors import IcefloeError
from icefloe.report.files import ResultFolder

if TYPE_CHECKING:
    from icefloe.ensemble.ensemble import Ensemble
    from icefloe.ensemble.prediction import Prediction

RESULTS = "results"


@dataclass(frozen=True)
class Watched:
    """A composite that was stacked and segmented.

    Attributes
    ----------
    row
        Its row in `composites.csv`.
    prediction
        None where it can't be segmented, such as a blanked beam's constant image.
    problem
        Why it can't be; empty where it was.
    seconds
        From its last frame's being read to its results' being on the disk.
    """

    row: Row
    prediction: Prediction | None
    problem: str
    seconds: float


def watch(
    stacking: Stacking, folder: CompositeFolder, ensemble: Ensemble, done: Collection[str] = ()
) -> Iterator[Watched]:
    """Segment composites into the folder's `results/`, each as soon as its second is over.

    What an earlier run stacked and did not come to segment is segmented first.

    Parameters
    ----------
    stacking
        Makes the composites, waiting for frames that are still to come.
    folder
        The folder that it makes them in.
    ensemble
        Segments them.
    done
        Preprocessing done to the frames already.

    Yields
    ------
    Watched

    Raises
    ------
    IcefloeError
        If frames can't be read.
    """
    results = ResultFolder(folder.path / RESULTS, ensemble.manifest.guarantees)
    if stacking.replaced:
        results.forget(stacking.replaced["image"])
    for row in folder.rows(stacking.name):
        if row["image"] not in results.done:
            yield _segmented(row, folder.image_path(row), ensemble, results, done)
    for row in stacking.run():
        yield _segmented(row, folder.image_path(row), ensemble, results, done)


def _segmented(
    row: Row, path: Path, ensemble: Ensemble, results: ResultFolder, done: Collection[str]
) -> Watched:
    began = time.monotonic()
    # One composite that shows nothing must not end the watching of the others.
    try:
        image = read_image(path)
        prediction = ensemble.predict_image(image, done)
    except IcefloeError as error:
        return Watched(row, None, str(error), time.monotonic() - began)
    results.add(path.name, image, prediction)
    return Watched(row, prediction, "", time.monotonic() - began)
