"""Inference on tensors that a program has sent."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from icefloe.ensemble.prediction import Prediction
from icefloe.errors import IcefloeError
from icefloe.stopwatch import part
from icefloe.typing import FloatArray
from serving.inference_v2.files import IMAGES, TensorFolders, output_file
from serving.worker.context import Arguments, Context
from serving.worker.maps import maps_of


@dataclass(frozen=True)
class TensorSample:
    """An image of a request: pixels float32 of shape (H, W), and their edge in nm where it is known."""

    index: int
    pixels: FloatArray
    pixel_size_nm: float | None
    dataset: str = "request"
    experiment: str = ""
    steps_done: tuple[str, ...] = ()

    @property
    def stem(self) -> str:
        return str(self.index)

    @property
    def key(self) -> str:
        return f"image {self.index}"

    def image(self) -> FloatArray:
        return self.pixels


def infer(context: Context, arguments: Arguments) -> Mapping[str, Any]:
    """Segment the images of a request, and write the outputs that it asks for."""
    folder = TensorFolders(context.settings).folder(arguments["tensors"])
    try:
        images = np.load(folder / IMAGES, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise IcefloeError("Whoever asked for it is gone. Ask for it again.") from error

    def samples() -> Iterator[TensorSample]:
        for index, pixels in enumerate(images):
            context.progress.advance("Segmenting", index, len(images))
            yield TensorSample(index, np.asarray(pixels, np.float32), arguments["pixel_size_nm"])

    segmenter = context.models.get(arguments["version"])
    with ExitStack() as opened:
        files = {
            name: opened.enter_context((folder / output_file(name)).open("wb"))
            for name in arguments["outputs"]
        }
        for _, prediction in segmenter.predict(samples()):
            with part("encode"):
                outputs = _outputs(prediction)
                for name, file in files.items():
                    file.write(np.ascontiguousarray(outputs[name]).data)
    return {"n_images": len(images)}


def _outputs(prediction: Prediction) -> dict[str, Any]:
    outputs: dict[str, Any] = {"mask": np.asarray(prediction.mask, np.uint8)}
    for name, values in maps_of(prediction).items():
        outputs[name] = np.asarray(values, "<f4")
    return outputs
