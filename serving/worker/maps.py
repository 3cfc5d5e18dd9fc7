"""Maps of an image as a version segments it: pictures for show, numbers for download."""

import io
from pathlib import Path

import numpy as np
import tifffile

from icefloe.active.uploads import encode_png
from icefloe.datasets.dataset import Sample
from icefloe.ensemble.prediction import Prediction
from icefloe.files import atomic_directory, write_bytes_atomic
from icefloe.stopwatch import part
from icefloe.typing import FloatArray, MaskArray
from serving.prepared import ABOUT, PICTURES, MapName, MapsAbout, picture_file, read_maps, tiff_file
from serving.worker.pictures import png
from serving.worker.thumbnail import thumbnail

MASK = "mask.png"
NUMBERS = "maps.npz"


def prepare_maps(version: str, classes: tuple[str, ...], prediction: Prediction, folder: Path) -> None:
    """Write what came of an image, but for pictures of its maps: they take longer than all the rest.

    Parameters
    ----------
    version, classes
        Name of the version in the registry, and class names by mask value.
    prediction
        The image as that version segments it.
    folder
        New folder for the mask, as 8-bit PNG, and the maps, as NPZ (float32).
    """
    values = maps_of(prediction)
    largest: dict[MapName, float] = {
        "probability": 1.0,
        "std": 0.5,
        "entropy": float(np.log(len(classes))),
    }
    with part("encode"), atomic_directory(folder, durable=False) as beside:
        (beside / MASK).write_bytes(encode_png(prediction.mask))
        with (beside / NUMBERS).open("wb") as file:
            # Deflate takes 50 times as long, and saves a sixth.
            np.savez(file, allow_pickle=False, mask=prediction.mask, **values)
        about = MapsAbout(
            version=version,
            classes=classes,
            largest=largest,
            height=prediction.mask.shape[0],
            width=prediction.mask.shape[1],
            fractions=tuple(float(np.mean(prediction.mask == index)) for index in range(len(classes))),
            scores=prediction.scores(),
        )
        (beside / ABOUT).write_text(about.model_dump_json(), encoding="utf-8")


def draw_pictures(sample: Sample, folder: Path) -> None:
    """Draw the maps of an image as 8-bit PNG for show, and a small picture; nothing if they are there.

    Parameters
    ----------
    sample
        The image.
    folder
        Folder of its maps.
    """
    about = read_maps(folder)
    if about is None or (folder / PICTURES).is_dir():
        return
    with np.load(folder / NUMBERS, allow_pickle=False) as numbers:
        mask, values = numbers["mask"], {name: numbers[name] for name in about.largest}
    pictures = {picture_file(name): png(_shown(value, about.largest[name])) for name, value in values.items()}
    pictures[picture_file("thumbnail")] = thumbnail(sample.image(), mask, values["std"])
    with atomic_directory(folder / PICTURES, durable=False) as beside:
        for name, content in pictures.items():
            (beside / Path(name).name).write_bytes(content)


def maps_of(prediction: Prediction) -> dict[MapName, FloatArray]:
    """The maps that are shown, float32 of shape (H, W).

    `probability` is that of being foreground: of any class but the first.
    """
    foreground = prediction.mean if prediction.mean.ndim == 2 else 1 - prediction.mean[0]
    return {"probability": foreground, "std": prediction.std, "entropy": prediction.entropy}


def write_tiff(folder: Path, name: MapName, pixel_size_nm: float | None) -> None:
    """Write a map's numbers as float32 TIFF beside it, with the pixel size where ImageJ looks for it.

    Parameters
    ----------
    folder
        Folder of the image's maps.
    name
        The map.
    pixel_size_nm
        Pixel edge in nm; None where not known.
    """
    with np.load(folder / NUMBERS, allow_pickle=False) as numbers:
        values = numbers[name].astype(np.float32)
    resolution = None if pixel_size_nm is None else (1 / pixel_size_nm, 1 / pixel_size_nm)
    file = io.BytesIO()
    unit = {} if pixel_size_nm is None else {"unit": "nm"}
    tifffile.imwrite(file, values, imagej=True, resolution=resolution, metadata=unit)
    write_bytes_atomic(folder / tiff_file(name), file.getvalue())


def _shown(values: FloatArray, largest: float) -> MaskArray:
    scaled = np.nan_to_num(values) * np.float32(255 / largest)
    shown: MaskArray = np.rint(scaled.clip(0, 255)).astype(np.uint8)
    return shown
