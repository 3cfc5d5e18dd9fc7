"""STO on Ge (fig2_A of Doty et al. 2022): how many chips get the class of pyChip's published table."""

import csv
import re
from pathlib import Path

import numpy as np
from sklearn.metrics import cohen_kappa_score

from benchmarks.fewshot.draws import of_scene
from benchmarks.fewshot.scenes import Scene
from benchmarks.fewshot.vectors import SPECS, embedded, title
from icefloe.errors import IcefloeError
from icefloe.fewshot.cache import Cache
from icefloe.fewshot.classifier import Classifier
from icefloe.fewshot.grid import Grid, constant_chips
from icefloe.fewshot.rule import Rule
from icefloe.fewshot.sets import SupportSets
from icefloe.fewshot.source import read_picture
from icefloe.fewshot.support_files import sets_from_folder
from icefloe.tables import Table
from icefloe.typing import IGNORE

_PLACE = re.compile(r"_(\d+)_(\d+)\.png$")


def read_published(data: Path) -> tuple[Scene, SupportSets]:
    """The image, with pyChip's own predictions as classes, and its support sets.

    Raises
    ------
    IcefloeError
        If the files are not there.
    """
    folder = data / "fewshot-chips" / "fig2_A"
    if not folder.is_dir():
        raise IcefloeError(f"{folder}: not there. Name the folder of the real data with --data.")
    image = read_picture(folder / "STO-Ge-HAADF.jpg").image
    grid = Grid(height=image.shape[0], width=image.shape[1], edge=95)
    sets, _ = sets_from_folder(folder / "support_set", image, grid)
    names = tuple(sorted(sets.names))
    classes = np.full(grid.n_chips, -1)
    with (folder / "test2.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            place = _PLACE.search(row[""])
            assert place is not None
            chip = (int(place[1]) - 1) * grid.columns + int(place[2]) - 1
            classes[chip] = names.index(row["prediction"])
    return Scene(image, grid, names, classes), sets


def published_table(data: Path, cache: Cache | None) -> Table:
    """Agreement of every encoder in both ways, and the counts."""
    scene, sets = read_published(data)
    counts = np.bincount(scene.classes, minlength=len(scene.names))
    told = "published table"
    rows: list[dict[str, object]] = [
        {"vectors": told, **dict(zip(scene.names, counts.tolist(), strict=True))}
    ]
    constant = constant_chips(scene.image, scene.grid)
    for spec in SPECS:
        vectors = embedded(scene, spec, cache)
        result = Classifier.fit(vectors, sets, scene.grid, Rule()).classify(
            vectors, scene.grid, constant, is_support_image=True
        )
        found = of_scene(scene, sets)[list(result.nearest)]
        is_sure = result.outcomes != IGNORE
        same = found == scene.classes
        rows.append(
            {
                "vectors": title(spec),
                **{name: int(np.sum(found == position)) for position, name in enumerate(scene.names)},
                "agreement": np.mean(same),
                "Cohen's kappa": cohen_kappa_score(found, scene.classes),
                "unsure": np.mean(~is_sure),
                "agreement of the others": np.mean(same[is_sure]),
            }
        )
    percent = dict.fromkeys(("agreement", "unsure", "agreement of the others"), ".1%")
    return Table.of(rows, {**percent, "Cohen's kappa": ".2f"})
