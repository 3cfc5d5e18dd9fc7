"""A labeler for simulated loops, who knows the truth and takes the time a person takes."""

from collections.abc import Mapping
from dataclasses import dataclass

from icefloe.active.queue import Queue
from icefloe.active.uploads import encode_png
from icefloe.datasets.dataset import Dataset, Sample
from icefloe.errors import IcefloeError

SECONDS_AN_IMAGE = 180.0
"""What a person needs for one image (Baskaran et al. 2022: 3 min)."""


@dataclass(frozen=True)
class TruthLabeler:
    """Labels queued images with the datasets' `truth/`, through the queue as a person would.

    Attributes
    ----------
    name
        Author under which the labels are entered.
    seconds
        Time booked for each image, in s; it is not waited for.
    """

    name: str = "truth"
    seconds: float = SECONDS_AN_IMAGE

    def label_all(self, queue: Queue, datasets: Mapping[str, Dataset], dataset: str | None = None) -> int:
        """Label every waiting image, of one dataset or of all; return how many labels that took.

        One that two people label is labelled a second time under another name.

        Raises
        ------
        IcefloeError
            If an image is gone or has no truth; it is given back and waits on.
        """
        return sum(
            self._label_as(name, queue, datasets, dataset) for name in (self.name, f"{self.name}, again")
        )

    def _label_as(self, name: str, queue: Queue, datasets: Mapping[str, Dataset], dataset: str | None) -> int:
        labelled = 0
        while (lease := queue.lease(name, dataset=dataset)) is not None:
            try:
                png = encode_png(_sample(datasets, lease.item.dataset, lease.item.stem).truth())
            except IcefloeError:
                queue.release(lease.token)
                raise
            queue.submit(lease.token, png, self.seconds, source="simulation", client="simulation")
            labelled += 1
        return labelled


def _sample(datasets: Mapping[str, Dataset], name: str, stem: str) -> Sample:
    for sample in datasets[name].samples if name in datasets else ():
        if sample.stem == stem:
            return sample
    raise IcefloeError(f"{name}/{stem}: is queued but not among the datasets. Restore the data.")
