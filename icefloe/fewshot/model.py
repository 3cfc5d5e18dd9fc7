"""A session at work on any image: chips to their classes, or pixels, as a `Segmenter` gives them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from icefloe.errors import IcefloeError
from icefloe.fewshot.cache import Cache
from icefloe.fewshot.classifier import Classifier
from icefloe.fewshot.embedding import VERSION, embed
from icefloe.fewshot.encoder import Encoder
from icefloe.fewshot.grid import Grid, constant_chips
from icefloe.fewshot.model_folder import is_path, load_folder, save_folder, weights_name
from icefloe.fewshot.painted import THRESHOLD, painted_prediction, resampled_prototypes
from icefloe.fewshot.prototypes import Float64Array, prototypes
from icefloe.fewshot.result import Classification
from icefloe.fewshot.session import Session
from icefloe.fewshot.source import Picture
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.weights import weights_file
from icefloe.progress import SILENT, Progress
from icefloe.typing import FloatArray, WeightsMirror

if TYPE_CHECKING:
    from icefloe.ensemble.guarantees import Guarantees
    from icefloe.ensemble.prediction import Prediction
    from icefloe.ensemble.samples import AnySample

NAME = "few-shot"


class FewShotModel:
    """Prototypes, and the encoder that chips are compared with them by: a `Segmenter`.

    Parameters
    ----------
    session
        Grid, support sets, encoder and rule; with its result where the support image was classified.
    classifier
        Made of the session.
    encoder
        The one that the session names.
    cache
        Where vectors of chips are kept; None: nowhere.
    guarantees
        Promises that it was calibrated to; None: there are none.

    Attributes
    ----------
    name, threshold, preprocessing, guarantees
        See `Segmenter`. Images are brought to mean 0 and standard deviation 1 as a whole, at their own
        resolution.
    """

    def __init__(
        self,
        session: Session,
        classifier: Classifier,
        encoder: Encoder,
        cache: Cache | None = None,
        guarantees: Guarantees | None = None,
    ) -> None:
        self.session, self.classifier, self.encoder = session, classifier, encoder
        self.guarantees = guarantees
        self.name = NAME
        self.threshold = THRESHOLD
        self.preprocessing = Preprocessing(view="tiles")
        self._cache = cache

    @classmethod
    def fit(
        cls,
        session: Session,
        image: FloatArray,
        encoder: Encoder,
        cache: Cache | None = None,
        progress: Progress = SILENT,
    ) -> FewShotModel:
        """Of the image that the supports are of.

        Parameters
        ----------
        session
            Any, with or without a result.
        image : float32, shape (H, W)
            Its image.
        encoder
            The one that it names.
        cache
            Where vectors of chips are kept; None: nowhere.
        progress
            Told of what is done.

        Raises
        ------
        IcefloeError
            If fewer than two sets have chips, or the image is of another size.
        """
        vectors = embed(image, session.grid, encoder, session.embedding, cache, progress)
        return cls(session, Classifier.fit(vectors, session.sets, session.grid, session.rule), encoder, cache)

    @classmethod
    def load(cls, directory: Path, guarantees: Guarantees | None = None) -> FewShotModel:
        """Read a saved model, checking every hash.

        Raises
        ------
        IcefloeError
            If a file is missing or damaged, or this Icefloe would make other vectors.
        """
        session, classifier = load_folder(directory, VERSION)
        spec = session.embedding.encoder
        if is_path(spec):
            spec = spec.model_copy(update={"weights": str(directory / weights_name(spec))})
        encoder = Encoder(spec, directory)
        if session.encoder_sha256 and encoder.sha256 != session.encoder_sha256:
            raise IcefloeError(
                f"{directory}: the {spec.weights} weights of {spec.encoder} that this Icefloe comes with are "
                "others. Use the Icefloe that made the model, or register the session again."
            )
        return cls(session, classifier, encoder, guarantees=guarantees)

    def save(self, directory: Path, weights_dir: WeightsMirror | None = None) -> None:
        """Write a new folder, from which any machine loads the model.

        Parameters
        ----------
        directory
            The folder; see `icefloe.fewshot.model_folder`.
        weights_dir
            Where the encoder's weights were found.

        Raises
        ------
        IcefloeError
            If the folder holds something already.
        """
        spec = self.session.embedding.encoder
        untrained = spec.weights == "none"
        weights = None if untrained else weights_file(spec.encoder, spec.weights, weights_dir)
        save_folder(directory, self.session, self.classifier, VERSION, weights)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the sets that have chips; the first takes the background's place."""
        return tuple(one.name for one in self.classifier.sets)

    @property
    def temperature(self) -> float:
        """What squared distances are divided by."""
        return self.classifier.temperature

    def classify(self, picture: Picture, progress: Progress = SILENT) -> Classification:
        """Give every chip of an image its class.

        Raises
        ------
        IcefloeError
            If chips of the supports' size don't fit; the message names the image.
        """
        try:
            vectors, grid = self._vectors(picture.image, progress)
        except IcefloeError as error:
            raise IcefloeError(f"{picture.reference.name}: {error}") from error
        return self.classifier.classify(
            vectors,
            grid,
            constant_chips(picture.image, grid),
            is_support_image=picture.reference.sha256 == self.session.image.sha256,
        )

    def with_result(self, result: Classification) -> FewShotModel:
        """With the classification of the support image in its session."""
        session = self.session.with_result(result, self.encoder.sha256)
        return FewShotModel(session, self.classifier, self.encoder, self._cache, self.guarantees)

    def predict(
        self, samples: Iterable[AnySample], *, keep_members: bool = False, uncalibrated: bool = False
    ) -> Iterator[tuple[AnySample, Prediction]]:
        """Segment samples by their chips; see `Segmenter.predict` and `painted_prediction`."""
        for sample in samples:
            image = sample.image()
            try:
                prediction = self._predicted(image, keep_members=keep_members, uncalibrated=uncalibrated)
            except IcefloeError as error:
                raise IcefloeError(f"{sample.key}: {error}") from error
            yield sample, prediction

    def predict_images(self, images: Iterable[FloatArray]) -> Iterator[Prediction]:
        """Segment images, float32 of shape (H, W)."""
        for image in images:
            yield self._predicted(image)

    def _predicted(
        self, image: FloatArray, *, keep_members: bool = False, uncalibrated: bool = False
    ) -> Prediction:
        vectors, grid = self._vectors(image, SILENT)
        return painted_prediction(
            self.classifier.space.vectors(vectors),
            grid,
            prototypes(self.classifier.supports),
            self._resampled,
            self.temperature,
            vectors.mean(axis=0),
            keep_members=keep_members,
            uncalibrated=uncalibrated,
        )

    def _vectors(self, image: FloatArray, progress: Progress) -> tuple[FloatArray, Grid]:
        own = self.session.grid
        height, width = image.shape
        grid = Grid(height=height, width=width, edge=own.edge, top=own.top, left=own.left)
        return embed(image, grid, self.encoder, self.session.embedding, self._cache, progress), grid

    @cached_property
    def _resampled(self) -> Float64Array:
        return resampled_prototypes(self.classifier.supports, self.session.rule.seed)
