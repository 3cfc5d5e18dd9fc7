"""Training data: preprocessed images and masks, in memory, with a hash of their content."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from icefloe.datasets.dataset import Dataset, Sample
from icefloe.datasets.splits import Split
from icefloe.errors import IcefloeError
from icefloe.imaging.patches import squares
from icefloe.imaging.preprocess import Preprocessing
from icefloe.typing import IGNORE, FloatArray, MaskArray

JUDGED_PIXELS = 2**24
"""Validation judges tiles at about so many pixels at most, spread over all images."""

LISTED_PIXELS = 10_000
"""Crops are centred at one of so many pixels of a class at most."""


@dataclass(frozen=True)
class PreparedImages:
    """Images and masks on the networks' grid.

    Attributes
    ----------
    keys
        N sample keys such as `D1/stack_7`; that of an image once for each of its patches.
    images : float32, each of shape (R, C)
        Images as `Preprocessing.apply` returns them: whole ones are squares of one size, those to be cut into
        tiles have sizes of their own.
    masks : uint8, each of its image's shape
        Class index, 255 = ignore (padding too).
    crop
        Side in pixels of the crops that training sees; None: it sees whole images.
    """

    keys: tuple[str, ...]
    images: tuple[FloatArray, ...]
    masks: tuple[MaskArray, ...]
    crop: int | None = None

    def __len__(self) -> int:
        return len(self.keys)

    def take(self, keys: Sequence[str]) -> "PreparedImages":
        """The images with these keys, in this order; of an image cut into patches all of them."""
        own: dict[str, list[int]] = {}
        for row, key in enumerate(self.keys):
            own.setdefault(key, []).append(row)
        rows = [row for key in dict.fromkeys(keys) for row in own[key]]
        return PreparedImages(
            tuple(self.keys[row] for row in rows),
            tuple(self.images[row] for row in rows),
            tuple(self.masks[row] for row in rows),
            self.crop,
        )

    def patches(self, above: int) -> "PreparedImages":
        """The squares of a grid that show enough of the foreground; each has its image's key.

        Parameters
        ----------
        above
            A square is kept if more than so many of its pixels are labelled as a foreground class. What is
            left of an image beyond the last whole square is in none.

        Raises
        ------
        IcefloeError
            If no square is kept.
        """
        assert self.crop is not None
        kept = [
            (key, image[square], mask[square])
            for key, image, mask in zip(self.keys, self.images, self.masks, strict=True)
            for square in squares(mask, self.crop, above)
        ]
        if not kept:
            raise IcefloeError(
                f"No square of {self.crop} px has more than {above} labelled pixels, so there is nothing to "
                "train on. Set preprocessing.patches_above lower, or leave it out."
            )
        keys, images, masks = zip(*kept, strict=True)
        return PreparedImages(keys, images, masks, self.crop)

    @property
    def n_draws(self) -> int:
        """Images that training shows in an epoch, or crops that would cover them all."""
        if self.crop is None:
            return len(self)
        return sum(-(-image.size // self.crop**2) for image in self.images)

    @property
    def judged_step(self) -> int:
        """Predictions are judged at each so manieth pixel: at all of them unless tiles have very many."""
        if self.crop is None:
            return 1
        return -(-sum(mask.size for mask in self.masks) // JUDGED_PIXELS) | 1  # odd: not in whole columns

    @property
    def judged_masks(self) -> MaskArray:
        """Masks that predictions are judged by, uint8.

        Whole images have the shape (N, S, S); of tiles the P judged pixels of all images stand side by side,
        (1, 1, P).
        """
        if self.crop is None:
            return np.stack(self.masks)
        pixels = [mask.ravel()[:: self.judged_step] for mask in self.masks]
        return np.concatenate(pixels)[None, None]

    @cached_property
    def class_pixels(self) -> tuple[tuple[NDArray[np.int64], ...], ...]:
        """For each image and each foreground class in it, where its pixels are in the flattened mask.

        Of very many pixels a part, spread evenly.
        """
        return tuple(
            tuple(
                pixels[:: -(-len(pixels) // LISTED_PIXELS)]
                for value in np.setdiff1d(np.unique(mask), (0, IGNORE))
                for pixels in (np.flatnonzero(mask == value),)
            )
            for mask in self.masks
        )

    def update(self, digest: "hashlib._Hash") -> None:
        """Add all pixels and labels to a hash."""
        for arrays in (self.images, self.masks):
            shapes = [array.shape for array in arrays]
            shape = (len(arrays), *shapes[0]) if self.crop is None else (self.crop, *shapes)
            digest.update(repr((shape, arrays[0].dtype.str)).encode())
            for array in arrays:
                digest.update(np.ascontiguousarray(array).data)


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
        if not any(np.any((mask != 0) & (mask != IGNORE)) for mask in train.masks):
            raise IcefloeError(
                f"No training mask has a pixel of {' or '.join(classes[1:])}. Label images that show it."
            )
        since = set(new)
        return cls(train, validation, classes, np.array([key in since for key in train.keys]))

    @property
    def sha256(self) -> str:
        """Hash of every key, pixel and label, in order."""
        digest = hashlib.sha256(repr((self.classes, self.train.keys, self.validation.keys)).encode())
        self.train.update(digest)
        digest.update(repr((self.is_new.shape, self.is_new.dtype.str)).encode())
        digest.update(np.ascontiguousarray(self.is_new).data)
        self.validation.update(digest)
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
    above = preprocessing.patches_above
    return tuple(
        TrainingData.of(
            images.take(train) if above is None else images.take(train).patches(above),
            images.take(validation),
            classes,
            new_keys,
        )
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
    images, masks = [], []
    for sample in samples:
        try:
            image, geometry = preprocessing.apply(sample.image(), sample.steps_done, sample.pixel_size_nm)
        except IcefloeError as error:
            if str(sample.image_path) in str(error):
                raise
            raise IcefloeError(f"{sample.image_path}: {error}") from error
        images.append(image)
        masks.append(geometry.place_mask(sample.reference()))
    return PreparedImages(
        tuple(sample.key for sample in samples),
        tuple(images),
        tuple(masks),
        crop=None if preprocessing.view == "whole" else preprocessing.size,
    )


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
