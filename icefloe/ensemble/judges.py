"""An ensemble on the images that some of its members were trained on: the others judge them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from icefloe.ensemble.guarantees import Guarantees
from icefloe.ensemble.prediction import Prediction
from icefloe.ensemble.samples import AnySample, ImageSample
from icefloe.imaging.preprocess import Preprocessing

if TYPE_CHECKING:
    from icefloe.ensemble.ensemble import Ensemble


class UnseenBy:
    """An ensemble that segments each image with the members that were not trained on it: a `Segmenter`.

    Where every labelled image is in a fold, each can be judged, although the ensemble has learned from all of
    them. Scores of an image that fewer members judge are conservative for the ensemble, whose mean over all
    members is usually better than one of them; and where one member judges there is no disagreement, hence
    no uncertainty. A member whose best epoch was picked by its own fold (`TrainingConfig.patience`) has seen
    that much of it; with averaged weights nothing is picked.

    Parameters
    ----------
    ensemble
        Its manifest says what each member was trained on.
    fold_of
        Key of an image (`D1/stack_7`) -> number of the fold that it is in.
    """

    def __init__(self, ensemble: "Ensemble", fold_of: Mapping[str, int]) -> None:
        self._ensemble, self._fold_of = ensemble, fold_of

    @property
    def name(self) -> str:
        """Name of the ensemble, such as EA-T2."""
        return self._ensemble.name

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names by mask value, background first."""
        return self._ensemble.classes

    @property
    def threshold(self) -> float:
        """Binary: a pixel is class 1 where the mean probability is at least this."""
        return self._ensemble.threshold

    @property
    def temperature(self) -> float:
        """The number that every member's logits are divided by."""
        return self._ensemble.temperature

    @property
    def preprocessing(self) -> Preprocessing:
        """From image to network input."""
        return self._ensemble.preprocessing

    @property
    def guarantees(self) -> Guarantees | None:
        """Guarantees that the whole ensemble was calibrated to; None if there are none."""
        return self._ensemble.guarantees

    def judges(self, sample: ImageSample) -> tuple[int, ...]:
        """Positions of the members that judge a sample; empty: all were trained on it."""
        return self._ensemble.manifest.judges(sample.key, self._fold_of.get(sample.key))

    def predict(
        self, samples: Iterable[AnySample], *, keep_members: bool = False, uncalibrated: bool = False
    ) -> Iterator[tuple[AnySample, Prediction]]:
        """Segment samples that have judges; see `Segmenter.predict`."""
        return self._ensemble.predict(
            samples, keep_members=keep_members, uncalibrated=uncalibrated, judges=self.judges
        )
