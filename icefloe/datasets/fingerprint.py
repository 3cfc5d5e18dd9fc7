"""Fingerprint of labelled data, a term of nnU-Net (Isensee et al. 2021): what a training is planned from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy import ndimage

from icefloe.datasets.dataset import Dataset
from icefloe.errors import IcefloeError
from icefloe.typing import IGNORE, MaskArray

STRIP = 4.0
"""The mean distance to the edge is a quarter of the width, in a strip whose ends do not count."""

SPECK = 0.1
"""Share of the largest object's area below which a part is no object of its own."""

MOST_MEASURED = 40
"""Masks whose widths are measured: evenly spread over all, the median of more is the same."""


class ClassPrint(BaseModel):
    """One class but the background.

    Attributes
    ----------
    name
        Its name.
    share
        Part of all labelled pixels.
    width
        Typical width of its objects in native pixels, the median over images (`typical_width`).
    n_objects
        Number of its objects (`count_objects`) in all images.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    share: float
    width: float
    n_objects: int


class Fingerprint(BaseModel):
    """Labelled images of one or several datasets.

    Attributes
    ----------
    datasets
        Dataset -> number of its labelled images.
    largest
        Height and width of the largest image in pixels.
    pixel_sizes_nm
        Dataset -> pixel size in nm; None: not stated.
    background
        Name of class 0.
    classes
        Every other class, in order; one that no mask shows is left out.
    """

    model_config = ConfigDict(frozen=True)

    datasets: dict[str, int]
    largest: tuple[int, int]
    pixel_sizes_nm: dict[str, float | None]
    background: str
    classes: tuple[ClassPrint, ...]

    @property
    def n_labelled(self) -> int:
        """Number of labelled images."""
        return sum(self.datasets.values())

    @property
    def finest(self) -> ClassPrint:
        """The class of the narrowest objects."""
        return min(self.classes, key=lambda found: found.width)


def fingerprint(datasets: Sequence[Dataset]) -> Fingerprint:
    """Look at every label of the datasets.

    Parameters
    ----------
    datasets
        Those to train on; their classes agree.

    Raises
    ------
    IcefloeError
        If no image has a label, or no label shows anything but background.
    """
    masks = [sample.mask() for dataset in datasets for sample in dataset.labelled]
    names = ", ".join(dataset.name for dataset in datasets)
    if not masks:
        raise IcefloeError(f"{names}: no image has a label, so nothing can be trained. Label five or more.")
    classes = datasets[0].info.classes
    found = _class_prints(masks, classes)
    if not found:
        raise IcefloeError(
            f"{names}: no mask has a pixel of {' or '.join(classes[1:])}. Label images that show it."
        )
    return Fingerprint(
        datasets={dataset.name: len(dataset.labelled) for dataset in datasets},
        largest=max((mask.shape for mask in masks), key=max),
        pixel_sizes_nm={dataset.name: dataset.info.pixel_size_nm for dataset in datasets},
        background=classes[0],
        classes=found,
    )


def typical_width(region: np.ndarray) -> float:
    """Width of the objects of a class in one image, in pixels.

    Four times the mean distance of their pixels to the nearest other pixel: the width of a strip however it
    winds, two thirds of the diameter of a disc. Image borders are no edges.

    Parameters
    ----------
    region : bool, shape (H, W)
        Where the class is; at least one pixel.
    """
    padded = np.pad(region, 1, mode="edge")
    if padded.all():
        return float(max(region.shape))
    distance = ndimage.distance_transform_edt(padded)[1:-1, 1:-1]
    return STRIP * float(distance[region].mean()) - 2  # a pixel's centre lies half a pixel inside


def count_objects(region: np.ndarray) -> int:
    """Number of connected parts of a class in one image; specks, below a tenth of the largest, are none.

    Parameters
    ----------
    region : bool, shape (H, W)
        Where the class is.
    """
    areas = np.bincount(ndimage.label(region)[0].ravel())[1:]
    return int(np.count_nonzero(areas >= SPECK * areas.max(initial=0)))


def _class_prints(masks: Sequence[MaskArray], classes: Sequence[str]) -> tuple[ClassPrint, ...]:
    n_labelled = sum(int(np.count_nonzero(mask != IGNORE)) for mask in masks)
    step = -(-len(masks) // MOST_MEASURED)
    prints = []
    for index, name in enumerate(classes[1:], 1):
        n_pixels = sum(int(np.count_nonzero(mask == index)) for mask in masks)
        if not n_pixels:
            continue
        prints.append(
            ClassPrint(
                name=name,
                share=n_pixels / n_labelled,
                width=_median_width(masks, index, step),
                n_objects=sum(count_objects(mask == index) for mask in masks),
            )
        )
    return tuple(prints)


def _median_width(masks: Sequence[MaskArray], index: int, step: int) -> float:
    shown: Iterable[MaskArray] = [mask for mask in masks if (mask == index).any()]
    return float(np.median([typical_width(mask == index) for mask in list(shown)[::step]]))
