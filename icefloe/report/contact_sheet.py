"""What was imported, at a glance: every image with its outline, size, pixel size and sense of brightness."""

from __future__ import annotations

import base64
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from jinja2 import Environment, PackageLoader, select_autoescape
from numpy.typing import NDArray
from PIL import Image

from icefloe.datasets.dataset import Dataset, Sample
from icefloe.datasets.readers import read_metadata
from icefloe.files import write_text_atomic
from icefloe.typing import IGNORE, FloatArray, MaskArray

SIDE = 240
"""Longest side of a small picture in px."""

OUTLINE = (255, 176, 0)
IGNORED = (255, 79, 163)

LEAST_CONTRAST = 0.1
"""Difference of means, in standard deviations of the image, below which neither is called brighter."""


@dataclass(frozen=True)
class Shown:
    """One image of the sheet.

    Attributes
    ----------
    stem
        Name of the image.
    picture
        The small picture as an address that holds it.
    size
        Width and height in px, in words.
    values
        Stored type, smallest and largest value, in words.
    pixel_size_nm
        What the file says; None where it says nothing.
    share
        Labelled share of the image in [0, 1]; None where it has no label.
    contrast
        Mean of the labelled area less that of the rest, in standard deviations of the image; None where
        either is empty.
    """

    stem: str
    picture: str
    size: str
    values: str
    pixel_size_nm: float | None
    share: float | None
    contrast: float | None

    @property
    def sense(self) -> str:
        """Whether what is labelled is brighter or darker than the rest; empty where there is no label."""
        if self.contrast is None:
            return ""
        if abs(self.contrast) < LEAST_CONTRAST:
            return "as bright as"
        return "brighter than" if self.contrast > 0 else "darker than"


def write_contact_sheet(dataset: Dataset, path: Path) -> Path:
    """Write the sheet of a dataset, on which a person sees a wrong reading at once.

    Parameters
    ----------
    dataset
        The dataset; images, labels, and truths that are held back are read.
    path
        The HTML file, which needs no other.

    Returns
    -------
    Path
        The same path.
    """
    shown = [_shown(sample) for sample in dataset.samples]
    environment = Environment(loader=PackageLoader("icefloe", "report"), autoescape=select_autoescape())
    text = environment.get_template("contact_sheet.html").render(
        dataset=dataset,
        written=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        shown=shown,
        what=dataset.info.classes[1] if len(dataset.info.classes) == 2 else "what is labelled",
        facts=_facts(shown),
        odd={one.stem: _odd(one, shown) for one in shown},
    )
    write_text_atomic(path, text)
    return path


def _shown(sample: Sample) -> Shown:
    image, metadata = sample.image(), read_metadata(sample.image_path)
    mask = sample.reference() if sample.has_reference else None
    inside = None if mask is None else (mask > 0) & (mask != IGNORE)
    return Shown(
        stem=sample.stem,
        picture=thumbnail(image, mask),
        size=f"{image.shape[1]} x {image.shape[0]}",
        values=f"{metadata.dtype}, {image.min():g} to {image.max():g}",
        pixel_size_nm=metadata.pixel_size_nm,
        share=None if inside is None else float(inside.mean()),
        contrast=None if inside is None or mask is None else contrast(image, inside, mask != IGNORE),
    )


def contrast(image: FloatArray, inside: NDArray[np.bool_], counted: NDArray[np.bool_]) -> float | None:
    """How much brighter an area is than the rest.

    Parameters
    ----------
    image : float32, shape (H, W)
        Intensity in any unit.
    inside : bool, shape (H, W)
        The area.
    counted : bool, shape (H, W)
        Pixels that count at all.

    Returns
    -------
    float or None
        Difference of the means in standard deviations of the image; None where one of the two is empty.
    """
    outside = counted & ~inside
    if not inside.any() or not outside.any():
        return None
    values = image.astype(np.float64)
    return float((values[inside].mean() - values[outside].mean()) / values.std())


def thumbnail(image: FloatArray, mask: MaskArray | None) -> str:
    """A small picture of an image, its middle 98 % of values from black to white, as an HTML address.

    Parameters
    ----------
    image : float32, shape (H, W)
        Intensity in any unit.
    mask : uint8, shape (H, W), or None
        Class index, 255 = ignore; classes are outlined in amber, ignored areas in pink.
    """
    low, high = np.percentile(image, (1, 99))
    grey = np.clip((image - low) / max(high - low, 1e-12), 0, 1)
    small = Image.fromarray((255 * grey).astype(np.uint8))
    scale = SIDE / max(small.size)
    size = (max(1, round(scale * small.width)), max(1, round(scale * small.height)))
    pixels = np.stack([np.asarray(small.resize(size, Image.Resampling.BOX))] * 3, axis=-1)
    if mask is not None:
        classes = np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.NEAREST))
        edge = _edges(classes)
        pixels[edge] = OUTLINE
        pixels[edge & (classes == IGNORE)] = IGNORED
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=85, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _edges(classes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Pixels whose neighbour to any side is of another class; the image's own border is none."""
    edge = np.zeros(classes.shape, np.bool_)
    for axis in (0, 1):
        differ = np.diff(classes, axis=axis) != 0
        for shift in (0, 1):
            padding = [(0, 0), (0, 0)]
            padding[axis] = (shift, 1 - shift)
            edge |= np.pad(differ, padding)
    return edge


def _facts(shown: Sequence[Shown]) -> list[tuple[str, str]]:
    """What is the same or differs over the images: a name, and values with their number of images."""
    columns = {
        "size in px": [one.size for one in shown],
        "stored values": [one.values.partition(",")[0] for one in shown],
        "pixel size in the files": [_nm(one.pixel_size_nm) for one in shown],
        "brightness of what is labelled": [f"{one.sense} the rest" for one in shown if one.sense],
    }
    counts = {name: Counter(values).most_common() for name, values in columns.items() if values}
    return [(name, ", ".join(f"{value} ({n})" for value, n in found)) for name, found in counts.items()]


def _odd(one: Shown, shown: Sequence[Shown]) -> list[str]:
    """In what an image differs from most of the others."""
    odd = []
    properties: list[tuple[str, object, list[object]]] = [
        ("size", one.size, [other.size for other in shown]),
        ("pixel size", one.pixel_size_nm, [other.pixel_size_nm for other in shown]),
        ("brightness", one.sense, [other.sense for other in shown if other.sense]),
    ]
    for name, own, every in properties:
        if own != "" and 2 * every.count(own) < len(every):
            odd.append(name)
    return odd


def _nm(size: float | None) -> str:
    return "not said" if size is None else f"{size:g} nm"
