"""Time of few-shot classification: embedding by both ways with three encoders, and an update of the supports.

    python -m benchmarks.fewshot --chips 1000 --edge 64

Needs nothing but this repository: the image is noise, whose values don't matter for time. Ways and encoders
take turns, so that whatever else the machine does meets all of them alike. CPU time is that of all threads.
"""

import argparse
import platform
import time
from collections.abc import Callable
from functools import partial
from statistics import median

import numpy as np
import torch

from icefloe.fewshot.classifier import Classifier
from icefloe.fewshot.embedding import embed
from icefloe.fewshot.embedding_spec import EmbeddingSpec, EncoderSpec
from icefloe.fewshot.encoder import Encoder
from icefloe.fewshot.figures import map_figure
from icefloe.fewshot.grid import Grid, constant_chips
from icefloe.fewshot.result import Classification
from icefloe.fewshot.rule import Rule
from icefloe.fewshot.sets import SupportSets
from icefloe.report.figures import png
from icefloe.tables import Table

ENCODERS = (
    EncoderSpec(),
    EncoderSpec(encoder="efficientnet-lite2"),
    EncoderSpec(encoder="resnet18", weights="sim"),
)
WAYS = ("dense", "chips")


def image_of(n_chips: int, edge: int) -> tuple[np.ndarray, Grid]:
    """Noise that holds at least so many chips."""
    columns = int(np.ceil(n_chips**0.5))
    rows = -(-n_chips // columns)
    image = np.random.default_rng(0).normal(size=(rows * edge, columns * edge)).astype(np.float32)
    return image, Grid(height=rows * edge, width=columns * edge, edge=edge)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock and of CPU time."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """Print two tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--chips", type=int, default=1000)
    parser.add_argument("--edge", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    image, grid = image_of(arguments.chips, arguments.edge)
    encoders = [Encoder(spec) for spec in ENCODERS]
    runs = [(encoder, way) for encoder in encoders for way in WAYS]
    times: dict[int, list[tuple[float, float]]] = {index: [] for index in range(len(runs))}
    embed(image, grid, encoders[0], EmbeddingSpec(way="dense"))  # first use of everything
    for _ in range(arguments.repeats):
        for index, (encoder, way) in enumerate(runs):
            spec = EmbeddingSpec(encoder=encoder.spec, way=way)
            times[index].append(timed(partial(embed, image, grid, encoder, spec)))
    rows = [
        {
            "encoder": encoder.spec.encoder,
            "weights": encoder.spec.weights,
            "way": way,
            "s": median(wall for wall, _ in times[index]),
            "CPU s": median(cpu for _, cpu in times[index]),
        }
        for index, (encoder, way) in enumerate(runs)
    ]
    print(
        f"{grid.n_chips} chips of {grid.edge} px, {torch.get_num_threads()} threads, {platform.processor()}"
    )
    print(Table.of(rows, {"s": ".2f", "CPU s": ".2f"}).markdown())
    print(
        Table.of(steps(image, grid, encoders[0], arguments.repeats), {"s": ".3f", "CPU s": ".3f"}).markdown()
    )


def steps(image: np.ndarray, grid: Grid, encoder: Encoder, repeats: int) -> list[dict[str, object]]:
    """What follows the embedding when supports change, with three sets of five."""
    embeddings = embed(image, grid, encoder, EmbeddingSpec())
    sets = SupportSets()
    for index, name in enumerate("abc"):
        sets = sets.added(name, range(5 * index, 5 * index + 5))
    constant = constant_chips(image, grid)

    def classify() -> Classification:
        classifier = Classifier.fit(embeddings, sets, grid, Rule())
        return classifier.classify(embeddings, grid, constant, is_support_image=True)

    result = classify()
    work = {"classify, intervals included": classify, "draw the map": lambda: png(map_figure(result, image))}
    measured = {step: [timed(one) for _ in range(repeats)] for step, one in work.items()}
    return [
        {"step": step, "s": median(wall for wall, _ in found), "CPU s": median(cpu for _, cpu in found)}
        for step, found in measured.items()
    ]


if __name__ == "__main__":
    main()
