"""A dataset on disk: `images/`, `masks/`, perhaps `truth/`, and `dataset.yaml` that says what it is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from icefloe.datasets.conditions import NOT_KNOWN, Conditions, read_conditions
from icefloe.datasets.readers import image_shape, is_readable_name, read_image, read_mask
from icefloe.errors import IcefloeError
from icefloe.files import read_yaml, write_text_atomic
from icefloe.names import composed, name_problem
from icefloe.typing import IGNORE, FloatArray, MaskArray
from icefloe.validation import validated

INFO_FILE = "dataset.yaml"
COMPOSITES_FILE = "composites.csv"
"""Beside the images that `icefloe stack` made: from which frames, from when."""

MASK_SUFFIXES = (".png", ".tif", ".tiff")


def _check_name(name: str) -> str:
    if problem := name_problem(name):
        raise PydanticCustomError("name", problem.replace("{", "{{").replace("}", "}}"))
    return composed(name)


def _check_classes(classes: list[str]) -> list[str]:
    if not all(name.strip() for name in classes):
        raise PydanticCustomError("classes", "a class without a name")
    if len(set(classes)) < len(classes):
        raise PydanticCustomError("classes", "two classes of one name, which labels can't tell apart")
    return classes


Name = Annotated[str, AfterValidator(_check_name)]


_FURTHER_CONDITIONS = tuple(
    name for name in Conditions.model_fields if name not in ("pixel_size_nm", "dose_e_per_A2")
)


class DatasetInfo(BaseModel):
    """What `dataset.yaml` says of one dataset.

    Attributes
    ----------
    name
        The dataset's name, which is its folder's name.
    experiment
        The experiment that the frames are of; a split may hold out whole experiments.
    classes
        Class names by mask value; value 255 means ignore and has no name here.
    pixel_size_nm, dose_e_per_A2, frame_rate_hz
        Pixel edge in nm, dose of one image in e/A^2, camera frames per second; null where not known, or not
        the same for all images (`conditions.csv`).
    magnification, exposure_s, date, instrument, material, diameter_nm, session
        Further conditions that all images share; see `icefloe.datasets.conditions`.
    temperature_programme
        In words, such as `melt, -12 to 2 degC`.
    source, licence
        Where the data come from and on what terms they may be used.
    preprocessing
        Steps already done to the images, such as `stacked` and `region`; they are not done again.
    converted
        Image stem: what the importer changed to store it (container to TIFF, and the like).
    notes
        Anything a reader of the results should know.
    shifts
        Name of a property: how it departs from the standard datasets.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    experiment: Name
    classes: Annotated[list[str], AfterValidator(_check_classes)] = Field(
        default=["background", "ice"], min_length=2, max_length=IGNORE
    )
    pixel_size_nm: float | None = Field(default=None, gt=0)
    dose_e_per_A2: float | None = Field(default=None, gt=0)  # noqa: N815 - the unit is ångström
    frame_rate_hz: float | None = Field(default=None, gt=0)
    magnification: float | None = Field(default=None, gt=0)
    exposure_s: float | None = Field(default=None, gt=0)
    date: str | None = None
    instrument: str | None = None
    material: str | None = None
    diameter_nm: float | None = Field(default=None, gt=0)
    session: str | None = None
    temperature_programme: str | None = None
    source: str = ""
    licence: str = ""
    preprocessing: list[str] = []
    converted: dict[str, str] = {}
    notes: str = ""
    shifts: dict[str, str] = {}

    @property
    def conditions(self) -> Conditions:
        """What is known of how all images were taken."""
        return Conditions(**{name: getattr(self, name) for name in Conditions.model_fields})

    @classmethod
    def load(cls, dataset: Path) -> "DatasetInfo":
        """Read `dataset.yaml` of the dataset folder `dataset`.

        Raises
        ------
        IcefloeError
            If the file is missing, is not YAML, or has an unknown or wrong entry.
        """
        path = dataset / INFO_FILE
        try:
            content = read_yaml(path)
        except FileNotFoundError as error:
            raise IcefloeError(
                f"{dataset}: no {INFO_FILE} here, so this is not a dataset. "
                "Import the images with `icefloe data import DIR --name NAME`."
            ) from error
        return validated(cls, content, path)

    def save(self, dataset: Path) -> None:
        """Write `dataset.yaml` into the folder `dataset`; the same content gives the same bytes.

        Further conditions that are not known have no line: files from before there were any stay as they are.
        """
        unknown = {name for name in _FURTHER_CONDITIONS if getattr(self, name) is None}
        text = yaml.safe_dump(
            self.model_dump(exclude=unknown), sort_keys=False, allow_unicode=True, width=100
        )
        write_text_atomic(dataset / INFO_FILE, text)


@dataclass(frozen=True)
class Sample:
    """One image of a dataset, and its mask where it has one.

    Attributes
    ----------
    dataset, stem
        Names of the dataset and of the image (file name without its ending).
    index
        Position in time within the dataset, from 0.
    image_path
        File of the image.
    mask_path
        The label, a class-index image; None where nobody has labelled the image yet.
    truth_path
        A label kept back that plays the labeler in simulations; training never reads it.
    n_classes
        Number of classes a mask may hold besides 255 = ignore.
    experiment
        The experiment that the image was taken in.
    steps_done
        Preprocessing done to the image already (`DatasetInfo.preprocessing`); it is not done again.
    pixel_size_nm
        Pixel edge in nm; None where not known.
    conditions
        How the image was taken and of what, its pixel size among them.
    """

    dataset: str
    stem: str
    index: int
    image_path: Path
    mask_path: Path | None = None
    truth_path: Path | None = None
    n_classes: int = 2
    experiment: str = ""
    steps_done: tuple[str, ...] = ()
    pixel_size_nm: float | None = None
    conditions: Conditions = NOT_KNOWN

    @property
    def key(self) -> str:
        """Name that is unique in a workspace, such as `D1/stack_7`."""
        return f"{self.dataset}/{self.stem}"

    @property
    def is_labelled(self) -> bool:
        """Whether somebody has labelled the image."""
        return self.mask_path is not None

    @property
    def has_truth(self) -> bool:
        """Whether a label is kept back."""
        return self.truth_path is not None

    @property
    def has_reference(self) -> bool:
        """Whether there is a mask to evaluate against: a label, or a truth kept back."""
        return self.is_labelled or self.has_truth

    def image(self) -> FloatArray:
        """The image.

        Returns
        -------
        float32, shape (H, W)
            Intensity in the file's own units (counts or grey levels).

        Raises
        ------
        IcefloeError
            If the file can't be read as one grey image; see `readers.read_image`.
        """
        return read_image(self.image_path)

    def mask(self) -> MaskArray:
        """The label.

        Returns
        -------
        uint8, shape (H, W)
            Class index, 255 = ignore.

        Raises
        ------
        IcefloeError
            If the image has no label, or the mask has another size or unknown classes.
        """
        if self.mask_path is None:
            raise IcefloeError(
                f"{self.image_path}: the image has no mask. Label it, or leave it out of what needs labels."
            )
        return self._checked_mask(self.mask_path)

    def truth(self) -> MaskArray:
        """The label kept back, as `mask`.

        Raises
        ------
        IcefloeError
            If none is kept, or it has another size or unknown classes.
        """
        if self.truth_path is None:
            raise IcefloeError(
                f"{self.image_path}: no truth is kept for this image. "
                "Import the dataset with its labels held back to run the loop on it."
            )
        return self._checked_mask(self.truth_path)

    def reference(self) -> MaskArray:
        """The mask to evaluate against: the label, or the truth kept back; errors as in `mask`."""
        return self.truth() if self.has_truth and not self.is_labelled else self.mask()

    def _checked_mask(self, path: Path) -> MaskArray:
        mask = read_mask(path)
        check_mask(path, mask, image_shape(self.image_path), self.n_classes)
        return mask


def check_mask(path: Path | str, mask: MaskArray, shape: tuple[int, int], n_classes: int) -> None:
    """Refuse a mask that does not fit its image.

    Parameters
    ----------
    path
        The file, or what else the error names.
    mask : uint8, shape (H, W)
        Class index, 255 = ignore.
    shape
        (H, W) of the image.
    n_classes
        Values 0 to n_classes - 1 are known.

    Raises
    ------
    IcefloeError
        If the size differs or a value is unknown.
    """
    if mask.shape != shape:
        raise IcefloeError(
            f"{path}: mask is {mask.shape[1]}x{mask.shape[0]} but the image is {shape[1]}x{shape[0]}. "
            "Export the mask at the image's size."
        )
    unknown = np.unique(mask[(mask >= n_classes) & (mask != IGNORE)])
    if unknown.size:
        values = ", ".join(str(value) for value in unknown[:5])
        raise IcefloeError(
            f"{path}: mask has unknown classes (values {values}); known are 0 to {n_classes - 1} "
            "and 255 = ignore. Export class indices, or name the further classes in dataset.yaml."
        )


@dataclass(frozen=True)
class Dataset:
    """A dataset folder, its `dataset.yaml`, and its samples in time order (natural sort of their stems)."""

    path: Path
    info: DatasetInfo
    samples: tuple[Sample, ...]

    @classmethod
    def load(cls, path: Path) -> "Dataset":
        """List the dataset in folder `path`; images are read when a sample is asked for them.

        Raises
        ------
        IcefloeError
            If it is no dataset, holds no image, or holds two images of one stem.
        """
        info = DatasetInfo.load(path)
        images = _files_by_stem(path / "images")
        if not images:
            raise IcefloeError(
                f"{path / 'images'}: the dataset is empty. Put images there, or import it again."
            )
        masks = _files_by_stem(path / "masks", MASK_SUFFIXES)
        truths = _files_by_stem(path / "truth", MASK_SUFFIXES)
        shared, own = info.conditions, read_conditions(path)
        conditions = {stem: own[stem].over(shared) if stem in own else shared for stem in images}
        samples = tuple(
            Sample(
                dataset=info.name,
                stem=stem,
                index=index,
                image_path=images[stem],
                mask_path=masks.get(stem),
                truth_path=truths.get(stem),
                n_classes=len(info.classes),
                experiment=info.experiment,
                steps_done=tuple(info.preprocessing),
                pixel_size_nm=conditions[stem].pixel_size_nm,
                conditions=conditions[stem],
            )
            for index, stem in enumerate(sorted(images, key=natural_key))
        )
        return cls(path=path, info=info, samples=samples)

    @property
    def name(self) -> str:
        """The dataset's name."""
        return self.info.name

    @property
    def labelled(self) -> tuple[Sample, ...]:
        """Samples that have a mask, in time order."""
        return tuple(sample for sample in self.samples if sample.is_labelled)

    @property
    def n_truths(self) -> int:
        """Number of labels kept back."""
        return sum(sample.has_truth for sample in self.samples)

    def sentence(self) -> str:
        """How many images and labels there are."""
        held = f", {self.n_truths} labels held back" if self.n_truths else ""
        n_images = len(self.samples)
        images = f"{n_images} image" + ("" if n_images == 1 else "s")
        return f"{self.name}: {images}, {len(self.labelled)} with labels{held}"

    @property
    def holds_truth(self) -> bool:
        """Whether labels are kept back, so that the truth plays the labeler."""
        return self.n_truths > 0

    @property
    def unlabelled(self) -> tuple[Sample, ...]:
        """Samples without a mask, in time order."""
        return tuple(sample for sample in self.samples if not sample.is_labelled)


def load_datasets(root: Path, names: Sequence[str] | None = None) -> dict[str, Dataset]:
    """Datasets under `root` by name: those in `names`, in that order, or all in natural order.

    Raises
    ------
    IcefloeError
        If there is none, one named is missing, or a folder's name and its `dataset.yaml` disagree.
    """
    folders = {composed(file.parent.name): file.parent for file in root.glob(f"*/{INFO_FILE}")}
    present = sorted((name for name in folders if not name.startswith(".")), key=natural_key)
    if not present:
        raise IcefloeError(
            f"{root}: no dataset here. Make some with `icefloe data simulate` or `icefloe data import`."
        )
    datasets = {}
    for name in map(composed, names if names is not None else present):
        if name not in present:
            raise IcefloeError(f"{root / name}: no such dataset. There are: {', '.join(present)}.")
        dataset = Dataset.load(folders[name])
        if dataset.name != name:
            raise IcefloeError(
                f"{root / name / INFO_FILE}: the name is {dataset.name!r} but the folder is {name!r}. "
                "Make them agree."
            )
        datasets[name] = dataset
    return datasets


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sort key that puts `stack_10` after `stack_9`: runs of digits count as numbers."""
    parts = re.split(r"(\d+)", name)
    # \d matches other scripts' digits too, which int() reads; isdecimal() is the same set.
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts if part]


def _files_by_stem(folder: Path, suffixes: tuple[str, ...] | None = None) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        known = path.suffix.lower() in suffixes if suffixes else is_readable_name(path)
        if path.name.startswith(".") or not path.is_file() or not known:
            continue
        stem = composed(path.stem)  # a mask may be named on Linux, and its image on macOS
        if stem in found:
            raise IcefloeError(
                f"{path}: {found[stem].name} has the same stem, so labels can't tell them apart. Rename one."
            )
        found[stem] = path
    return found
