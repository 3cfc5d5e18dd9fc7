"""What this room asks of a sample, so that it works on images wherever they come from."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Protocol, TypeAlias, TypeVar

from icefloe.errors import IcefloeError
from icefloe.imaging.preprocess import Geometry, Preprocessing
from icefloe.typing import FloatArray, MaskArray


class ImageSample(Protocol):
    """One image with its place in a dataset; `icefloe.datasets.dataset.Sample` is one."""

    @property
    def dataset(self) -> str: ...
    @property
    def stem(self) -> str: ...
    @property
    def index(self) -> int: ...
    @property
    def key(self) -> str: ...
    def image(self) -> FloatArray: ...


class LabelledSample(ImageSample, Protocol):
    """A sample with a mask."""

    def mask(self) -> MaskArray: ...


AnySample = TypeVar("AnySample", bound=ImageSample)
Reference: TypeAlias = Callable[[Any], MaskArray]
"""Where a sample's reference mask comes from: its label, or in simulations the truth kept back."""

StepsDone: TypeAlias = Mapping[str, Collection[str]]
"""Dataset name -> preprocessing its provenance says was done (`DatasetInfo.preprocessing`)."""


def label_of(sample: LabelledSample) -> MaskArray:
    """The sample's own label."""
    return sample.mask()


def prepare(
    samples: Iterable[AnySample], preprocessing: Preprocessing, steps_done: StepsDone
) -> Iterator[tuple[AnySample, FloatArray, Geometry]]:
    """Read and preprocess images one at a time.

    Yields
    ------
    sample, square float32 of shape (S, S), geometry

    Raises
    ------
    IcefloeError
        If an image can't be read or preprocessed; the message names the sample.
    """
    for sample in samples:
        image = sample.image()
        try:
            square, geometry = preprocessing.apply(image, steps_done.get(sample.dataset, ()))
        except IcefloeError as error:
            raise IcefloeError(f"{sample.key}: {error}") from error
        yield sample, square, geometry
