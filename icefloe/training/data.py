"""Training data: preprocessed images and masks, in memory, with a hash of their content."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from icefloe.datasets.dataset import Dataset, Sample
from icefloe.datasets.splits import Split
from icefloe.errors import IcefloeError
from icefloe.imaging.preprocess import Preprocessing
from icefloe.typing import IGNORE, FloatArray, MaskArray


@dataclass(frozen=True)
class PreparedImages:
    """Images and masks on the model's grid.

    Attributes
    ----------
    keys
        N sample keys such as `D1/stack_7`.
    images : float32, shape (N, S, S)
        Images as `Preprocessing.apply` returns them.
    masks : uint8, shape (N, S, S)
        Class index, 255 = ignore (padding too).
    """

    keys: tuple[str, ...]
    images: FloatArray
    masks: MaskArray

    def __len__(self) -> int:
        return len(self.keys)

    def take(self, keys: Sequence[str]) -> "PreparedImages":
        """The images with these keys, in this order."""
        rows = [self.keys.index(key) for key in keys]
        return PreparedImages(tuple(keys), self.images[rows], self.masks[rows])


@dataclass(frozen=True)
class TrainingData:
    """Training and validation images of a member.

    Attributes
    ----------
    train, validation
        Never share an experiment's time block; see `icefloe.datasets.splits`.
    classes
        Class names by mask value.
    is_new : bool, shape (len(train),)
        Whether the training image was labelled since the version that training starts from.
    """

    train: PreparedImages
    validation: PreparedImages
    classes: tuple[str, ...]
    is_new: np.ndarray

    @classmethod
    def of(
        cls,
        train: PreparedImages,
        validation: PreparedImages,
        classes: tuple[str, ...],
        new: Iterable[str] = (),
    ) -> "TrainingData":
        """Images to train on and to validate with.

        Parameters
        ----------
        train, validation, classes
            Attributes of the result.
        new
            Keys of samples labelled since the version that training starts from; those outside the training
            part have no effect.

        Raises
        ------
        IcefloeError
            If no training mask has a foreground pixel.
        """
        if not np.any((train.masks != 0) & (train.masks != IGNORE)):
            raise IcefloeError(
                f"No training mask has a pixel of {' or '.join(classes[1:])}. Label images that show it."
            )
        since = set(new)
        return cls(train, validation, classes, np.array([key in since for key in train.keys]))

    @property
    def sha256(self) -> str:
        """Hash of every key, pixel and label, in order."""
        digest = hashlib.sha256(repr((self.classes, self.train.keys, self.validation.keys)).encode())
        for array in (
            *(self.train.images, self.train.masks, self.is_new),
            *(self.validation.images, self.validation.masks),
        ):
            digest.update(repr((array.shape, array.dtype.str)).encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


def prepare(
    datasets: Iterable[Dataset], split: Split, preprocessing: Preprocessing, new_keys: Iterable[str] = ()
) -> tuple[TrainingData, ...]:
    """Read and preprocess the labelled images of a split, each once.

    Parameters
    ----------
    datasets
        Datasets whose samples the split names; their classes must agree.
    split
        Sample keys; its test part is not read.
    preprocessing
        Steps from image to network input.
    new_keys
        Samples labelled since the version that training starts from. Those outside the training part have no
        effect.

    Returns
    -------
    tuple of TrainingData
        For each fold the images of the members that validate on it; without folds one, for all members.

    Raises
    ------
    IcefloeError
        If a part or a fold is empty, a key is unknown, classes disagree, an image or mask cannot be used, or
        no training mask has a foreground pixel.
    """
    datasets, new_keys = list(datasets), set(new_keys)
    if not split.train:
        raise IcefloeError("The split has no training images. Label five or more images of one dataset.")
    parts = [split.of_member(position) for position in range(max(1, len(split.folds)))]
    if not all(train and validation for train, validation in parts):
        raise IcefloeError(
            "The split has no validation images, so no member could be judged. "
            "Label five or more images of one dataset."
            if not split.folds
            else f"The {len(split.train)} labelled images do not fill {len(split.folds)} folds, so a member "
            "would have nothing to train on or to be judged by. Label more images, or set split.folds lower."
        )
    classes = _common_classes(datasets)
    samples = {sample.key: sample for dataset in datasets for sample in dataset.samples}
    images = _prepare_part((*split.train, *split.validation), samples, preprocessing)
    return tuple(
        TrainingData.of(images.take(train), images.take(validation), classes, new_keys)
        for train, validation in parts
    )


def prepare_images(samples: Sequence[Sample], preprocessing: Preprocessing) -> PreparedImages:
    """Read and preprocess images and their reference masks.

    Parameters
    ----------
    samples
        Images of any number of datasets.
    preprocessing
        Steps from image to network input.

    Raises
    ------
    IcefloeError
        If an image or mask cannot be used.
    """
    size = preprocessing.size
    images = np.empty((len(samples), size, size), np.float32)
    masks = np.empty((len(samples), size, size), np.uint8)
    for index, sample in enumerate(samples):
        try:
            images[index], geometry = preprocessing.apply(
                sample.image(), sample.steps_done, sample.pixel_size_nm
            )
        except IcefloeError as error:
            if str(sample.image_path) in str(error):
                raise
            raise IcefloeError(f"{sample.image_path}: {error}") from error
        masks[index] = geometry.place_mask(sample.reference())
    return PreparedImages(tuple(sample.key for sample in samples), images, masks)


def _common_classes(datasets: Sequence[Dataset]) -> tuple[str, ...]:
    first, *others = datasets
    for other in others:
        if other.info.classes != first.info.classes:
            raise IcefloeError(
                f"{other.path}: its classes are {', '.join(other.info.classes)}, "
                f"but those of {first.name} are {', '.join(first.info.classes)}. "
                "Train them separately, or make dataset.yaml and masks agree."
            )
    return tuple(first.info.classes)


def _prepare_part(
    keys: Sequence[str], samples: dict[str, Sample], preprocessing: Preprocessing
) -> PreparedImages:
    for key in keys:
        if key not in samples:
            raise IcefloeError(
                f"{key}: the split names it, but no dataset given has it. Make the split again."
            )
        if not samples[key].is_labelled:  # a truth kept back is never trained on
            raise IcefloeError(
                f"{samples[key].image_path}: the split names it, but it has no label. Label it."
            )
    return prepare_images([samples[key] for key in keys], preprocessing)
