"""Protocol of a segmentation model: an ensemble, an ELIT version or a few-shot model."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from icefloe.ensemble.guarantees import Guarantees
from icefloe.ensemble.prediction import Prediction
from icefloe.ensemble.samples import AnySample
from icefloe.imaging.preprocess import Preprocessing


class Segmenter(Protocol):
    """Gives every pixel of an image a class, and says how sure it is.

    Attributes
    ----------
    name
        Name of the version, such as `EA-T2`.
    classes
        Class names by mask value, background first.
    threshold
        Binary: a pixel is class 1 where its probability is at least this.
    temperature
        What logits are divided by before they become probabilities; None: it has none.
    preprocessing
        Steps that an image needs first; `predict` does them.
    guarantees
        Promises for new experiments that it was calibrated for; None: it was not.
    """

    @property
    def name(self) -> str: ...
    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def threshold(self) -> float: ...
    @property
    def temperature(self) -> float | None: ...
    @property
    def preprocessing(self) -> Preprocessing: ...
    @property
    def guarantees(self) -> Guarantees | None: ...

    def predict(
        self, samples: Iterable[AnySample], *, keep_members: bool = False, uncalibrated: bool = False
    ) -> Iterator[tuple[AnySample, Prediction]]:
        """Segment samples, a few at a time, in their order.

        Parameters
        ----------
        samples
            Images of one or several datasets.
        keep_members
            Keep each member's probability map, where there are members.
        uncalibrated
            Keep the mean probability at temperature 1 too, where there is a temperature.

        Raises
        ------
        IcefloeError
            If an image cannot be used; the message names the sample.
        """
        ...
