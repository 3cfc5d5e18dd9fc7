"""Protocol of a sample, so that an ensemble works on images from any source."""

from collections.abc import Collection, Iterable, Iterator
from typing import Protocol, TypeVar

from icefloe.errors import IcefloeError
from icefloe.imaging.geometry import Geometry
from icefloe.imaging.preprocess import Preprocessing
from icefloe.stopwatch import part
from icefloe.typing import FloatArray, MaskArray


class ImageSample(Protocol):
    """One image of a dataset; `icefloe.datasets.dataset.Sample` is one."""

    @property
    def dataset(self) -> str: ...
    @property
    def stem(self) -> str: ...
    @property
    def index(self) -> int: ...
    @property
    def key(self) -> str: ...
    @property
    def experiment(self) -> str: ...
    @property
    def steps_done(self) -> Collection[str]: ...
    @property
    def pixel_size_nm(self) -> float | None: ...
    def image(self) -> FloatArray: ...


class LabelledSample(ImageSample, Protocol):
    """A sample with a mask to train on, or at least one to evaluate against."""

    def mask(self) -> MaskArray: ...
    def reference(self) -> MaskArray: ...


AnySample = TypeVar("AnySample", bound=ImageSample)
AnyLabelled = TypeVar("AnyLabelled", bound=LabelledSample)


def prepare(
    samples: Iterable[AnySample], preprocessing: Preprocessing
) -> Iterator[tuple[AnySample, FloatArray, Geometry]]:
    """Read and preprocess images one at a time.

    Yields
    ------
    sample, image on the networks' grid float32 of shape (R, C), geometry

    Raises
    ------
    IcefloeError
        If an image cannot be read or preprocessed; the message names the sample.
    """
    for sample in samples:
        with part("decode"):
            image = sample.image()
        try:
            with part("preprocess"):
                placed, geometry = preprocessing.apply(image, sample.steps_done, sample.pixel_size_nm)
        except IcefloeError as error:
            raise IcefloeError(f"{sample.key}: {error}") from error
        del image  # it may have a gigabyte
        yield sample, placed, geometry
