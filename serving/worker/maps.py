"""Maps of an image as a version segments it: pictures for show, numbers for download."""

from pathlib import Path

import numpy as np

from icefloe.datasets.dataset import Sample
from icefloe.ensemble.prediction import Prediction
from icefloe.ensemble.segmenter import Segmenter
from icefloe.files import atomic_directory
from icefloe.stopwatch import part
from icefloe.typing import FloatArray, MaskArray
from serving.prepared import ABOUT, MapName, MapsAbout
from serving.worker.pictures import png
from serving.worker.thumbnail import save_thumbnail

MASK = "mask.png"
NUMBERS = "maps.npz"
THUMBNAIL = "thumbnail.png"


def prepare_maps(sample: Sample, version: str, segmenter: Segmenter, folder: Path) -> None:
    """Segment an image and write what came of it.

    Parameters
    ----------
    sample
        The image.
    version, segmenter
        Name of the version in the registry, and the version.
    folder
        New folder for the mask and the maps, as 8-bit PNG and together as NPZ (float32), and a small picture.

    Raises
    ------
    IcefloeError
        If the image cannot be segmented.
    """
    ((_, prediction),) = segmenter.predict([sample])
    values = maps_of(prediction)
    largest: dict[MapName, float] = {
        "probability": 1.0,
        "std": 0.5,
        "entropy": float(np.log(len(segmenter.classes))),
    }
    with part("encode"), atomic_directory(folder, durable=False) as beside:
        (beside / MASK).write_bytes(png(prediction.mask))
        for name, value in values.items():
            (beside / f"{name}.png").write_bytes(png(_shown(value, largest[name])))
        with (beside / NUMBERS).open("wb") as file:
            # Deflate takes 50 times as long, and saves a sixth.
            np.savez(file, allow_pickle=False, mask=prediction.mask, **values)
        save_thumbnail(beside / THUMBNAIL, sample.image(), prediction)
        about = MapsAbout(
            version=version,
            classes=segmenter.classes,
            largest=largest,
            height=prediction.mask.shape[0],
            width=prediction.mask.shape[1],
            fractions=tuple(
                float(np.mean(prediction.mask == index)) for index in range(len(segmenter.classes))
            ),
            scores=prediction.scores(),
        )
        (beside / ABOUT).write_text(about.model_dump_json(), encoding="utf-8")


def maps_of(prediction: Prediction) -> dict[MapName, FloatArray]:
    """The maps that are shown, float32 of shape (H, W).

    `probability` is that of being foreground: of any class but the first.
    """
    foreground = prediction.mean if prediction.mean.ndim == 2 else 1 - prediction.mean[0]
    return {"probability": foreground, "std": prediction.std, "entropy": prediction.entropy}


def _shown(values: FloatArray, largest: float) -> MaskArray:
    scaled = np.nan_to_num(values) * np.float32(255 / largest)
    shown: MaskArray = np.rint(scaled.clip(0, 255)).astype(np.uint8)
    return shown
