"""Simulated experiments as datasets on disk; existing files are never overwritten."""

import io
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from icefloe.datasets.dataset import INFO_FILE, DatasetInfo
from icefloe.errors import IcefloeError
from icefloe.files import atomic_directory
from icefloe.progress import SILENT, Progress, tracked
from icefloe.simulate.ice import Experiment, simulate_experiment
from icefloe.simulate.standard import StandardDataset, standard_datasets

Files = dict[str, bytes]


def simulate_workspace(
    data: Path,
    seed: int = 0,
    progress: Progress = SILENT,
    names: Collection[str] = (),
) -> tuple[Path, ...]:
    """Write D1-D5 and `noisy` into a workspace's data folder; the same seed gives the same bytes.

    Parameters
    ----------
    data
        The folder of datasets.
    seed
        Non-negative; another seed is another set of experiments with the same properties.
    progress
        Told of each dataset as it is written.
    names
        Datasets to make; none given: all of them.

    Returns
    -------
    tuple of Path
        The datasets' folders.

    Raises
    ------
    IcefloeError
        If there is no such dataset, or one of them exists with other content; then nothing at all is written.
    """
    planned: list[tuple[Path, Files]] = []
    datasets = _selected(standard_datasets(seed), names)
    for index, dataset in tracked(datasets.items(), progress, "Simulating datasets", len(datasets)):
        experiment = simulate_experiment(dataset.spec, experiment_seed(seed, index))
        files = dataset_files(experiment, _info(dataset, seed), labelled=dataset.labelled)
        planned.append((data / dataset.name, files))
    missing = [(folder, files) for folder, files in planned if not _is_there(folder, files)]
    for folder, files in missing:
        _write(folder, files)
    return tuple(folder for folder, _ in planned)


def write_dataset(experiment: Experiment, folder: Path, info: DatasetInfo, *, labelled: bool) -> None:
    """Write one experiment as a dataset, whole or not at all.

    Parameters
    ----------
    experiment
        The images and their exact masks.
    folder
        The dataset's folder, `data/<name>`.
    info
        Content of `dataset.yaml`.
    labelled
        Put the masks into `masks/`, where training sees them; otherwise into `truth/`.

    Raises
    ------
    IcefloeError
        If the folder exists with other content.
    """
    files = dataset_files(experiment, info, labelled=labelled)
    if not _is_there(folder, files):
        _write(folder, files)


def dataset_files(experiment: Experiment, info: DatasetInfo, *, labelled: bool) -> Files:
    """The bytes of every file of the dataset, by path within its folder."""
    masks = "masks" if labelled else "truth"
    files = {INFO_FILE: _yaml(info)}
    for second, image, mask in zip(experiment.seconds, experiment.images, experiment.masks, strict=True):
        stem = f"composite_{second:03d}"
        files[f"images/{stem}.tif"] = _tiff(image, experiment.spec.pixel_size_nm)
        files[f"{masks}/{stem}.png"] = _png(mask)
    return files


def experiment_seed(seed: int, index: int) -> int:
    """Seed of the `index`-th standard dataset of the workspace seed `seed`."""
    return int(np.random.SeedSequence(seed, spawn_key=(index, 1)).generate_state(1, np.uint64)[0])


def _selected(datasets: Sequence[StandardDataset], names: Collection[str]) -> dict[int, StandardDataset]:
    """The datasets of these names by their index, which decides their random numbers."""
    known = [dataset.name for dataset in datasets]
    for name in names:
        if name not in known:
            raise IcefloeError(f"{name}: no such simulated dataset. There are {', '.join(known)}.")
    return {index: dataset for index, dataset in enumerate(datasets) if not names or dataset.name in names}


def _info(dataset: StandardDataset, seed: int) -> DatasetInfo:
    spec = dataset.spec
    return DatasetInfo(
        name=dataset.name,
        experiment=dataset.name,
        pixel_size_nm=spec.pixel_size_nm,
        dose_e_per_A2=spec.camera.dose_e_per_A2,
        frame_rate_hz=spec.camera.frame_rate_hz,
        temperature_programme=spec.temperature_programme,
        source=f"icefloe data simulate --seed {seed}",
        licence="Apache-2.0",
        preprocessing=["stacked"],
        notes=dataset.notes,
        shifts=dataset.shifts,
    )


def _is_there(folder: Path, files: Files) -> bool:
    """Whether the folder already holds exactly these files; other files in it (new labels) are the user's."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    for name, content in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            raise IcefloeError(
                f"{folder}: exists already with another {name}. "
                "Move the folder away, or simulate into another workspace."
            )
    return True


def _write(folder: Path, files: Files) -> None:
    with atomic_directory(folder) as beside:
        for name, content in files.items():
            path = beside / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)


def _tiff(image: NDArray[np.uint16], pixel_size_nm: float) -> bytes:
    buffer = io.BytesIO()
    pixels_per_cm = round(1e7 / pixel_size_nm)
    tifffile.imwrite(
        buffer,
        image,
        photometric="minisblack",
        resolution=(pixels_per_cm, pixels_per_cm),
        resolutionunit="CENTIMETER",
        software=False,  # the library's version would change the bytes
        metadata=None,
        byteorder="<",
    )
    return buffer.getvalue()


def _png(mask: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    # Uncompressed: compressors differ between versions of zlib, stored blocks do not.
    Image.fromarray(mask).save(buffer, format="PNG", compress_level=0)
    return buffer.getvalue()


def _yaml(info: DatasetInfo) -> bytes:
    """The bytes that `DatasetInfo.save` writes."""
    with tempfile.TemporaryDirectory() as folder:
        info.save(Path(folder))
        return (Path(folder) / INFO_FILE).read_bytes()
