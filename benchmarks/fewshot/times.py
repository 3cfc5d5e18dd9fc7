"""Time of few-shot classification: embedding in both ways by three encoders, and what follows it.

The image is noise, whose values don't matter for time. Ways and encoders take turns, so that whatever else
the machine does meets all of them alike. CPU time is that of all threads.
"""

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.fewshot.vectors import ENCODERS, SPECS, title
from icefloe.fewshot.cache import Cache
from icefloe.fewshot.classifier import Classifier
from icefloe.fewshot.embedding import embed
from icefloe.fewshot.encoder import Encoder
from icefloe.fewshot.figures import map_figure
from icefloe.fewshot.grid import Grid, constant_chips
from icefloe.fewshot.result import Classification
from icefloe.fewshot.rule import Rule
from icefloe.fewshot.sets import SupportSets
from icefloe.report.figures import png
from icefloe.tables import Table
from icefloe.typing import FloatArray

Seconds = tuple[float, float]
"""On the clock, and of CPU time."""


def noise(n_chips: int, edge: int) -> tuple[FloatArray, Grid]:
    """An image that holds at least so many chips, and its grid."""
    columns = int(np.ceil(n_chips**0.5))
    rows = -(-n_chips // columns)
    image = np.random.default_rng(0).normal(size=(rows * edge, columns * edge)).astype(np.float32)
    return image, Grid(height=rows * edge, width=columns * edge, edge=edge)


def embedding_table(image: FloatArray, grid: Grid, repeats: int) -> Table:
    """Medians of each encoder and way."""
    encoders = {spec: Encoder(spec) for spec in ENCODERS}
    embed(image, grid, encoders[SPECS[0].encoder], SPECS[0])  # first use of everything
    times: dict[str, list[Seconds]] = {title(spec): [] for spec in SPECS}
    for _ in range(repeats):
        for spec in SPECS:
            times[title(spec)].append(_timed(partial(embed, image, grid, encoders[spec.encoder], spec)))
    return _table("vectors", times)


def step_table(image: FloatArray, grid: Grid, repeats: int) -> Table:
    """What follows the embedding, by the default and three sets of five."""
    encoder = Encoder(ENCODERS[0])
    sets = SupportSets()
    for index, name in enumerate("abc"):
        sets = sets.added(name, range(5 * index, 5 * index + 5))
    constant = constant_chips(image, grid)
    with tempfile.TemporaryDirectory() as folder:
        cache = Cache(Path(folder))
        embeddings = embed(image, grid, encoder, SPECS[0], cache)

        def classify(chosen: SupportSets = sets) -> Classification:
            classifier = Classifier.fit(embeddings, chosen, grid, Rule())
            return classifier.classify(embeddings, grid, constant, is_support_image=True)

        result = classify()
        work: dict[str, Callable[[], object]] = {
            "vectors from the cache": partial(embed, image, grid, encoder, SPECS[0], cache),
            "classify, intervals included": classify,
            "classify after one more support": partial(classify, sets.assigned("a", [20], grid)),
            "draw the map as a picture": lambda: png(map_figure(result, image)),
        }
        times = {step: [_timed(one) for _ in range(repeats)] for step, one in work.items()}
    return _table("step", times)


def _timed(work: Callable[[], object]) -> Seconds:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def _table(what: str, times: dict[str, list[Seconds]]) -> Table:
    return Table.of(
        [
            {what: name, "s": median(wall for wall, _ in found), "CPU s": median(cpu for _, cpu in found)}
            for name, found in times.items()
        ],
        {"s": ".3f", "CPU s": ".3f"},
    )
