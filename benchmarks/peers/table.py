"""From finished cells to the table: pooled scores, with intervals over images and seeds."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from importlib.metadata import version
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.cases import Case
from benchmarks.peers.cells import Cell, Method
from icefloe.files import write_text_atomic
from icefloe.scoring.calibration import CalibrationBins
from icefloe.scoring.metrics import scores_from_confusion
from icefloe.statistics.interval import Interval
from icefloe.statistics.repetitions import over_seeds, resampled_seeds
from icefloe.tables import Table

Positions = NDArray[np.int64]
SCORES = {"pca": "pCA", "iou": "IoU", "dice": "Dice", "brier": "Brier", "ece": "ECE"}
OURS = "ours"

NOTES = """\
Every method learns from the same images and masks, bound to the same cores, for the minutes allowed; its test
images come without masks. Scores are of all test pixels together, at native size, means over seeds; IoU and
Dice are means over all classes but the background. Intervals (95 %) add in quadrature that over images
(expanded bootstrap and jackknife, the wider) and, from two seeds on, the t interval over seeds. Images of one
experiment resemble each other, so they say nothing of a third experiment. The number of steps follows from
the machine's speed: a seed repeats first weights and draws, not every digit.

- Icefloe: `--preset auto`, planned for the minutes allowed, as it is by default from photographs and then
  simulated micrographs (image-sim), or from random weights (scratch) or photographs alone (imagenet); from
  simulated micrographs alone (sim) with the members of the preset demo, which has such weights. Any other
  preset takes its own time.
- smp U-Net: `benchmarks/peers/smp_unet.py`, whole images at 256 px, nothing tuned on these data.
- nnU-Net v2: its own plan, network, patches, augmentation, loss and optimizer, one network of all images; its
  learning rate falls over the minutes allowed in place of 1,000 epochs. It plans for a GPU of 8 GB: on a CPU
  a step of that takes long, so it stands here planned for 1 GB, too.
- Ice: of test pictures that are pixel by pixel alike the first counts. Nanoparticles: halves, images that
  show the same area on one side. Superalloy: the published split of Super1; its images of other alloys are
  not in the folder. Coatings: halves by furnace batch; what EBC3 holds out is not in the folder.
"""


def read_cells(paths: Iterable[Path]) -> list[Cell]:
    """The cells that are finished."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.is_file()]


def write_comparison(
    folder: Path,
    cells: Sequence[Cell],
    cases: Mapping[str, Case],
    methods: Mapping[str, Method],
    command: str,
) -> str:
    """Write `peers.md`; its text."""
    rows = [row for case in cases for row in _rows_of_case(case, cells, methods)]
    trained = [cell for cell in cells if "began" in cell]
    days = sorted({cell["began"][:10] for cell in trained})
    machines = sorted({f"{cell['threads']} cores of {cell['machine']}" for cell in trained})
    head = f"Measured by `{command}`, torch {version('torch')}."
    if trained:
        head += f" Trained {days[0]} to {days[-1]} on {'; '.join(machines)}."
    parts = ["# Icefloe beside its peers, on real images", head, NOTES]
    parts += [_scores_table(rows, cases, methods).markdown(), _failures(cells)]
    parts += ["## IoU of Icefloe less that of another", _differences(cells, cases, methods).markdown()]
    text = "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    write_text_atomic(folder / "peers.md", text)
    return text


def _rows_of_case(case: str, cells: Sequence[Cell], methods: Mapping[str, Method]) -> list[dict[str, Any]]:
    rows = []
    for name in methods:
        done = _done(cells, case, name)
        if not done:
            continue
        scores = {score: interval(done, score) for score in SCORES}
        by_class = np.mean([pooled(cell["images"])["by_class"] for cell in done], axis=0)
        times = {key: _mean(done, key) for key in ("training_s", "training_cpu_s", "prediction_s")}
        rows.append(
            {"case": case, "method": name, "seeds": len(done), "n_train": max(c["n_train"] for c in done)}
            | {"n_test": len(done[0]["images"]), **scores, "iou_by_class": by_class.tolist(), **times}
        )
    return rows


def pooled(images: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Scores of all pixels of images together, and the IoU of each class but the background."""
    confusion = np.sum([image["confusion"] for image in images], axis=0)
    scores = scores_from_confusion(confusion)
    bins = reduce(add, (CalibrationBins(*map(np.asarray, image["bins"])) for image in images))
    union = confusion.sum(0) + confusion.sum(1) - np.diag(confusion)
    return {
        "pca": scores.accuracy,
        "iou": scores.iou,
        "dice": scores.dice,
        "brier": sum(image["squared_error"] for image in images) / confusion.sum(),
        "ece": bins.expected_calibration_error,
        "by_class": (np.diag(confusion) / np.maximum(union, 1))[1:],
    }


def interval(
    cells: Sequence[Cell],
    score: str,
    others: Sequence[Cell] = (),
) -> Interval:
    """Of a pooled score, mean over seeds; with `others`, of the difference to theirs, image by image."""

    def of(positions: Positions) -> float:
        def mean(of_cells: Sequence[Cell]) -> float:
            return float(
                np.mean([pooled([cell["images"][i] for i in positions])[score] for cell in of_cells])
            )

        return mean(cells) - (mean(others) if others else 0.0)

    over_images = resampled_seeds(of, len(cells[0]["images"]))
    squared = 0.0
    for group in (cells, others):
        if len(group) > 1:
            seeds = over_seeds([pooled(cell["images"])[score] for cell in group])
            squared += (seeds.high - seeds.mean) ** 2
    mean = over_images.mean
    return Interval(
        mean=mean,
        low=max(mean - np.hypot(mean - over_images.low, np.sqrt(squared)), -np.inf if others else 0.0),
        high=mean + np.hypot(over_images.high - mean, np.sqrt(squared)),
        n=over_images.n,
    )


def _scores_table(
    rows: Sequence[Mapping[str, Any]], cases: Mapping[str, Case], methods: Mapping[str, Method]
) -> Table:
    shown = []
    for row in rows:
        case = cases[row["case"]]
        classes = [
            f"{name} {iou:.3f}" for name, iou in zip(case.classes[1:], row["iou_by_class"], strict=True)
        ]
        cells = {
            "case": f"{case.title} ({row['n_train']} → {row['n_test']})" if row["n_train"] else case.title,
            "method": methods[row["method"]].title,
            "seeds": row["seeds"] if methods[row["method"]].module else None,
            **{
                heading: row[name].text(4 if name in ("brier", "ece") else 3)
                for name, heading in SCORES.items()
            },
            "IoU by class": ", ".join(classes) if len(classes) > 1 else None,
        }
        for heading, key in (("training, min", "training_s"), ("CPU, min", "training_cpu_s")):
            cells[heading] = None if row[key] is None else f"{row[key] / 60:.1f}"
        shown.append(cells)
    return Table.of(shown)


def _differences(cells: Sequence[Cell], cases: Mapping[str, Case], methods: Mapping[str, Method]) -> Table:
    names = [name for name in methods if methods[name].module]
    rows = []
    for case in cases:
        for ours in (name for name in names if name.startswith(OURS)):
            row = {"case": cases[case].title, "less": methods[ours].title}
            for other in (name for name in names if not name.startswith(OURS)):
                one, two = _done(cells, case, ours), _done(cells, case, other)
                if one and two:
                    difference = interval(one, "iou", two)
                    row[methods[other].title] = difference.text(signed=True)
            if len(row) > 2:
                rows.append(row)
    return Table.of(rows)


def _failures(cells: Sequence[Cell]) -> str:
    failed = [cell for cell in cells if "error" in cell]
    lines = [f"- {cell['case']}, {cell['method']}, seed {cell['seed']}: {cell['error']}" for cell in failed]
    return "\n".join(["Without a result:", "", *lines]) if lines else ""


def _done(cells: Iterable[Cell], case: str, method: str) -> list[Cell]:
    return [cell for cell in cells if (cell["case"], cell["method"]) == (case, method) and "images" in cell]


def _mean(cells: Sequence[Cell], key: str) -> float | None:
    values = [cell[key] for cell in cells if key in cell]
    return float(np.mean(values)) if values else None
