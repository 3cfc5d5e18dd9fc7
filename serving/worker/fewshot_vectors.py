"""Vectors of chips, held in memory while their supports change, and the encoders that make them."""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icefloe.datasets.dataset import Sample
from icefloe.errors import IcefloeError
from icefloe.fewshot.cache import Cache
from icefloe.fewshot.embedding import embed
from icefloe.fewshot.embedding_spec import EmbeddingSpec, EncoderSpec
from icefloe.fewshot.encoder import Encoder
from icefloe.fewshot.grid import Grid, constant_chips
from icefloe.fewshot.source import image_hash
from icefloe.progress import Progress
from icefloe.settings import Settings
from icefloe.typing import FloatArray

MOST_BYTES = 2**28
"""Vectors held, of whichever sessions were used last."""

MOST_ENCODERS = 2


@dataclass(frozen=True, eq=False)
class Chips:
    """An image's chips.

    Attributes
    ----------
    vectors : float32, shape (N, F)
        Their embeddings.
    constant : bool, shape (N,)
        Chips of one value.
    encoder_sha256
        Hash of what made the vectors.
    notes
        What should be known of it.
    """

    vectors: FloatArray
    constant: NDArray[np.bool_]
    encoder_sha256: str
    notes: tuple[str, ...]


class Vectors:
    """Vectors of the sessions that were used last.

    Parameters
    ----------
    settings
        Of the workspace, for weights and cache.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._cache = Cache(settings.state / "fewshot")
        self._encoders: OrderedDict[EncoderSpec, Encoder] = OrderedDict()
        self._chips: OrderedDict[tuple[str, Grid, EmbeddingSpec], Chips] = OrderedDict()

    def of_session(
        self, sample: Sample, sha256: str, grid: Grid, spec: EmbeddingSpec, progress: Progress
    ) -> Chips:
        """Chips of the image that supports are of, from memory where they are.

        Parameters
        ----------
        sample, sha256
            The image, and what its pixels were when the session began.
        grid, spec
            Which chips, and how they become vectors.
        progress
            Told of what is done.

        Raises
        ------
        IcefloeError
            If the image is another one now, or cannot be used.
        """
        key = sha256, grid, spec
        if key not in self._chips:
            self._chips[key] = self.of_image(session_image(sample, sha256), grid, spec, progress)
        self._chips.move_to_end(key)
        while len(self._chips) > 1 and sum(one.vectors.nbytes for one in self._chips.values()) > MOST_BYTES:
            self._chips.popitem(last=False)
        return self._chips[key]

    def of_image(self, image: FloatArray, grid: Grid, spec: EmbeddingSpec, progress: Progress) -> Chips:
        """Chips of an image, float32 (H, W), which are not held in memory; errors as of `embed`."""
        encoder = self._encoder(spec.encoder)
        vectors = embed(image, grid, encoder, spec, self._cache, progress)
        return Chips(vectors, constant_chips(image, grid), encoder.sha256, encoder.notes)

    def _encoder(self, spec: EncoderSpec) -> Encoder:
        if spec not in self._encoders:
            self._encoders[spec] = Encoder(spec, self._settings.weights_dir)
        self._encoders.move_to_end(spec)
        while len(self._encoders) > MOST_ENCODERS:
            self._encoders.popitem(last=False)
        return self._encoders[spec]


def session_image(sample: Sample, sha256: str) -> FloatArray:
    """The image of a session, float32 (H, W).

    Raises
    ------
    IcefloeError
        If it has other pixels than when the session began, or cannot be read.
    """
    image = sample.image()
    if image_hash(image) != sha256:
        raise IcefloeError(
            f"{sample.key}: the image was replaced since the session began. Begin another session."
        )
    return image
