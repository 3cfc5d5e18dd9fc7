"""Composites and masks of a recording while it is being made."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from icefloe.acquisition.composite_folder import CompositeFolder, Row
from icefloe.acquisition.stack import Stacking
from icefloe.datasets.dataset import Sample
from icefloe.errors import IcefloeError
from icefloe.report.files import ResultFolder

if TYPE_CHECKING:
    from icefloe.ensemble.prediction import Prediction
    from icefloe.ensemble.segmenter import Segmenter

RESULTS = "results"


@dataclass(frozen=True)
class WatchedComposite:
    """A composite that was stacked and segmented.

    Attributes
    ----------
    row
        The composite's row in `composites.csv`.
    prediction
        None if it cannot be segmented, such as the constant image of a blanked beam.
    problem
        Why it was not segmented; empty if it was.
    seconds
        Time from reading its last frame to having its results on the disk, in s.
    """

    row: Row
    prediction: Prediction | None
    problem: str
    seconds: float

    def sentence(self) -> str:
        """The composite's scores, or why it has none."""
        if self.prediction is None:
            return f"Not segmented: {self.problem}"
        scores = self.prediction.scores()
        return (
            f"{self.row['image']}: {self.row['n_frames']} frames, "
            f"{scores['foreground_fraction']:.1%} foreground, UQ {scores['uq_mean']:.4f}, "
            f"segmented in {self.seconds:.1f} s"
        )


def watch(
    stacking: Stacking, folder: CompositeFolder, segmenter: Segmenter, steps_done: Collection[str] = ()
) -> Iterator[WatchedComposite]:
    """Segment composites into the folder's `results/`, each as soon as its second is over.

    What an earlier run stacked and did not come to segment is segmented first.

    Parameters
    ----------
    stacking
        Makes the composites, waiting for frames that are still to come.
    folder
        Folder that the composites are written to.
    segmenter
        Model that segments each composite as it is written.
    steps_done
        Preprocessing done to the frames already.

    Yields
    ------
    WatchedComposite
        Each composite with its prediction, when its second is over.

    Raises
    ------
    IcefloeError
        If frames cannot be read.
    """

    def sample(row: Row) -> Sample:
        path = folder.image_path(row)
        return Sample("", path.stem, int(row["composite"]), path, steps_done=tuple(steps_done))

    results = ResultFolder(folder.path / RESULTS, segmenter.guarantees)
    if stacking.replaced:
        results.forget(stacking.replaced["image"])
    for row in folder.rows(stacking.name):
        if row["image"] not in results.done:
            yield _segmented(row, sample(row), segmenter, results)
    for row in stacking.run():
        yield _segmented(row, sample(row), segmenter, results)


def _segmented(row: Row, sample: Sample, segmenter: Segmenter, results: ResultFolder) -> WatchedComposite:
    began = time.monotonic()
    # One composite that shows nothing must not end the watching of the others.
    try:
        ((_, prediction),) = segmenter.predict([sample])
    except IcefloeError as error:
        return WatchedComposite(row, None, str(error), time.monotonic() - began)
    results.add(sample.image_path.name, sample.image(), prediction)
    return WatchedComposite(row, prediction, "", time.monotonic() - began)
