"""Datasets of the workspace, and the images in them."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from icefloe.datasets.dataset import Dataset, Sample
from icefloe.settings import Settings
from serving.auth.identity import CurrentPerson
from serving.prepared import dataset_names, find_dataset

router = APIRouter(prefix="/datasets", tags=["datasets"])


class DatasetEntry(BaseModel):
    """A dataset: its name, experiment, class names by mask value, and how many images and labels it has."""

    model_config = ConfigDict(frozen=True)

    name: str
    experiment: str
    classes: tuple[str, ...]
    pixel_size_nm: float | None
    source: str
    licence: str
    n_images: int
    n_labelled: int

    @classmethod
    def of(cls, dataset: Dataset) -> "DatasetEntry":
        """The form in which the API shows a dataset."""
        info = dataset.info
        return cls(
            name=info.name,
            experiment=info.experiment,
            classes=tuple(info.classes),
            pixel_size_nm=info.pixel_size_nm,
            source=info.source,
            licence=info.licence,
            n_images=len(dataset.samples),
            n_labelled=len(dataset.labelled),
        )


class ImageEntry(BaseModel):
    """An image: dataset, stem, position in time from 0, and whether somebody has labelled it."""

    model_config = ConfigDict(frozen=True)

    dataset: str
    stem: str
    index: int
    is_labelled: bool
    pixel_size_nm: float | None

    @classmethod
    def of(cls, sample: Sample) -> "ImageEntry":
        """The form in which the API shows an image."""
        return cls(
            dataset=sample.dataset,
            stem=sample.stem,
            index=sample.index,
            is_labelled=sample.is_labelled,
            pixel_size_nm=sample.pixel_size_nm,
        )


@router.get("")
def list_datasets(request: Request) -> list[DatasetEntry]:
    """Every dataset, in natural order."""
    settings: Settings = request.app.state.settings
    return [DatasetEntry.of(find_dataset(settings, name, None)) for name in dataset_names(settings)]


@router.get("/{dataset}")
def show_dataset(dataset: str, request: Request, person: CurrentPerson) -> DatasetEntry:
    """One dataset of the workspace, or one that you have sent."""
    return DatasetEntry.of(find_dataset(request.app.state.settings, dataset, person.id))


@router.get("/{dataset}/images")
def list_images(dataset: str, request: Request, person: CurrentPerson) -> list[ImageEntry]:
    """The dataset's images in time order."""
    found = find_dataset(request.app.state.settings, dataset, person.id)
    return [ImageEntry.of(sample) for sample in found.samples]
