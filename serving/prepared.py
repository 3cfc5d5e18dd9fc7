"""Files that workers prepare and web processes stream: pixel planes and maps of the workspace's images."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from icefloe.datasets.dataset import COMPOSITES_FILE, INFO_FILE, Dataset, Sample, natural_key
from icefloe.errors import MissingError
from icefloe.names import name_problem
from icefloe.settings import Settings
from serving.written import read_written

ABOUT = "about.json"
TABLE = "measurements.csv"
MEASURED = "measured.json.gz"
"""What was measured on an image's maps, beside them; only workers read it."""

PICTURES = "pictures"
"""Folder of the pictures of an image's maps, beside them: it is made a little later."""

LABEL = "label.png"
_REMEDY = "Remove the folder; a worker makes it anew."
SIDES: tuple[int, ...] = (256, 1024)
"""Longest sides of overviews, in px: of a list, of a screen."""

MOST_IMAGES = 500
"""Images of one request."""

LARGEST_SIDE = 8192
"""Longest side of an image that is sent, in px."""

UPLOAD = "upload-"
"""What the names of datasets begin with that a person has sent; they are hers alone."""

MapName = Literal["probability", "std", "entropy"]
FigureName = Literal["series", "fronts", "outlines"]
FigureFormat = Literal["png", "svg"]


class PlaneAbout(BaseModel):
    """A plane of pixels: little-endian uint16, rows from the top, gzip.

    Attributes
    ----------
    height, width
        Size in px.
    scale, offset
        An intensity in the image's own unit is offset + scale * value.
    pixel_size_nm
        Pixel edge in nm; None where not known.
    """

    model_config = ConfigDict(frozen=True)

    height: int
    width: int
    scale: float
    offset: float
    pixel_size_nm: float | None


class PlanesAbout(BaseModel):
    """Planes of an image by their longest side in px, 0 for the image itself, and its label."""

    model_config = ConfigDict(frozen=True)

    planes: dict[int, PlaneAbout]
    is_labelled: bool


class MapsAbout(BaseModel):
    """Maps of an image as a version segments it.

    Attributes
    ----------
    version
        Name of the version.
    classes
        Class names by mask value.
    largest
        Of each map, the value that 255 stands for in its picture: 1, 0.5, and the logarithm of the number of
        classes (nats).
    height, width
        Size in px.
    fractions
        Of the image's area, by class; they sum to 1.
    scores
        Numbers of the image (`icefloe.ensemble.prediction.SCORES`), None where a single member tells nothing.
    """

    model_config = ConfigDict(frozen=True)

    version: str
    classes: tuple[str, ...]
    largest: dict[MapName, float]
    height: int
    width: int
    fractions: tuple[float, ...]
    scores: dict[str, float | None]


class Curve(BaseModel):
    """A quantity over time, as many numbers as images; None where it is not known.

    Attributes
    ----------
    unit
        Such as `nm2`; empty for a plain number.
    values, std
        Measured on the ensemble's map, and the standard deviation over members.
    low, high
        Ends of the 95 % interval.
    """

    model_config = ConfigDict(frozen=True)

    unit: str
    values: tuple[float | None, ...]
    std: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]


class Series(BaseModel):
    """What was measured on a whole series.

    Attributes
    ----------
    version
        Name of the version that segmented it.
    stems, times_s
        The images, in time order, and when each was taken, in s.
    curves
        Quantities by name, such as `area` and `mean_front`.
    sentences
        Areas at both ends, rates, and how the intervals agree with labels.
    notes
        What was assumed, and images that need care.
    """

    model_config = ConfigDict(frozen=True)

    version: str
    stems: tuple[str, ...]
    times_s: tuple[float, ...]
    curves: dict[str, Curve]
    sentences: tuple[str, ...]
    notes: tuple[str, ...]


def dataset_names(settings: Settings) -> list[str]:
    """Names of the workspace's datasets, in natural order."""
    folders = (path.parent.name for path in settings.data.glob(f"*/{INFO_FILE}"))
    return sorted((name for name in folders if not name.startswith(".")), key=natural_key)


def find_dataset(settings: Settings, name: str, person_id: int | None) -> Dataset:
    """A dataset of the workspace, or one that the person has sent.

    Raises
    ------
    MissingError
        If there is none of that name, or it can't be a name.
    """
    root = settings.data
    if name.startswith(UPLOAD):
        root = uploads_of(settings, person_id)
    if name_problem(name) or not (root / name / INFO_FILE).is_file():
        raise MissingError(f"{name}: no such dataset. List the datasets to see them.")
    if name.startswith(UPLOAD):
        note_use(root / name / INFO_FILE)
    return Dataset.load(root / name)


def find_sample(settings: Settings, dataset: str, stem: str, person_id: int | None) -> Sample:
    """An image of the workspace, or one that the person has sent.

    Raises
    ------
    MissingError
        If there is none of that name.
    """
    for sample in find_dataset(settings, dataset, person_id).samples:
        if sample.stem == stem:
            return sample
    raise MissingError(f"{dataset}/{stem}: no such image. List the dataset's images to see them.")


def note_use(file: Path) -> None:
    """Note that somebody has asked for what a file stands for, which keeps it from being removed for now."""
    with suppress(OSError):
        os.utime(file)


def uploads_of(settings: Settings, person_id: int | None) -> Path:
    """Folder of the datasets that a person has sent."""
    return settings.state / "served" / "uploads" / str(person_id)


def uploads(settings: Settings, person_id: int | None) -> list[Dataset]:
    """Datasets that a person has sent, the latest first."""
    files = uploads_of(settings, person_id).glob(f"{UPLOAD}*/{INFO_FILE}")
    newest = sorted(files, key=lambda file: file.stat().st_mtime, reverse=True)
    return [Dataset.load(file.parent) for file in newest]


def arriving(settings: Settings, person_id: int, upload: str) -> Path:
    """Folder of a file that a person has sent and no worker has read yet."""
    return settings.state / "served" / "arriving" / str(person_id) / upload


class Prepared:
    """Where prepared files of a workspace are.

    A folder is named after what it was made from, so that it is never out of date: an image that is replaced
    gets another.

    Parameters
    ----------
    settings
        Settings of the workspace.
    """

    def __init__(self, settings: Settings) -> None:
        self._root = settings.state / "served"

    def planes(self, sample: Sample) -> Path:
        """Folder of an image's planes, made or not."""
        return self._root / "planes" / sample.dataset / sample.stem / _stamp(sample)

    def maps(self, sample: Sample, version: str) -> Path:
        """Folder of an image's maps by a version, made or not."""
        if name_problem(version):
            raise MissingError(f"{version}: no such version. List the models to see them.")
        return self._root / "maps" / sample.dataset / sample.stem / _stamp(sample) / version

    def chips(self, sample: Sample) -> Path:
        """Folder of what few-shot sessions need to know of an image, made or not."""
        return self._root / "chips" / sample.dataset / sample.stem / _stamp(sample)

    def series(self, dataset: Dataset, version: str) -> Path:
        """Folder of what a version measured on a whole dataset, made or not."""
        if name_problem(version):
            raise MissingError(f"{version}: no such version. List the models to see them.")
        table = dataset.path / COMPOSITES_FILE  # it says when the images were taken
        times = table.read_bytes() if table.is_file() else b""
        parts = ([_stamp(sample) for sample in dataset.samples], dataset.info.model_dump_json(), times)
        stamp = hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
        return self._root / "series" / dataset.name / stamp / version


def read_planes(folder: Path) -> PlanesAbout | None:
    """What a folder of planes holds; None while it is not made."""
    note_use(folder / ABOUT)
    return read_written(PlanesAbout, folder / ABOUT, _REMEDY)


def read_maps(folder: Path) -> MapsAbout | None:
    """What a folder of maps holds; None while it is not made."""
    note_use(folder / ABOUT)
    return read_written(MapsAbout, folder / ABOUT, _REMEDY)


def read_series(folder: Path) -> Series | None:
    """What was measured on a whole dataset; None while it is not gathered."""
    return read_written(Series, folder / ABOUT, _REMEDY)


def read_file(path: Path) -> Path | None:
    """A file that is whole once it is there; None while it is not made."""
    return path if path.is_file() else None


def plane_file(side: int) -> str:
    """Name of the file of a plane by its longest side, 0 for the image itself."""
    return f"{side or 'full'}.u16.gz"


def tiff_file(name: MapName) -> str:
    """Name of the file of a map's numbers."""
    return f"{name}.tif"


def picture_file(name: MapName | Literal["thumbnail"]) -> str:
    """Name of the file of a map's picture."""
    return f"{PICTURES}/{name}.png"


def figure_file(name: FigureName, kind: FigureFormat) -> str:
    """Name of the file of a series' figure."""
    return f"{name}.{kind}"


def _stamp(sample: Sample) -> str:
    """By what a sample is known that its files or its dataset's description may change."""
    files = [path for path in (sample.image_path, sample.mask_path) if path is not None]
    try:
        states = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    except FileNotFoundError as error:
        raise MissingError(f"{sample.key}: the image is gone. Look at its dataset again.") from error
    parts = (states, sample.pixel_size_nm, sample.steps_done)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
