"""What is trained on, and what is tested on: real images that differ as a new experiment does."""

import csv
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from icefloe.datasets.dataset import Dataset, Sample
from icefloe.datasets.duplicates import find_groups, identical_groups, merge_links
from icefloe.datasets.importer import import_folder
from icefloe.errors import IcefloeError

Stems = list[str]
Sides = tuple[Stems, Stems]
"""Stems to train on, and stems to test on."""


@dataclass(frozen=True)
class Case:
    """One training set and its test set.

    Attributes
    ----------
    name
        On the command line and in files.
    title
        In the table.
    train, test
        Folders of `../shared/data` with `images` and `masks`, or with both side by side.
    classes
        Class names by mask value.
    divide
        Function from the folders' labelled samples to the stems of both sides.
    region_done
        Whether the two-phase region was cut out before.
    """

    name: str
    title: str
    train: str
    test: str
    classes: tuple[str, ...]
    divide: Callable[[Path, list[Sample], list[Sample]], Sides]
    region_done: bool = False


@dataclass(frozen=True)
class Prepared:
    """Datasets of a case, as the product's import makes them.

    Attributes
    ----------
    source
        Folder of the training images and masks as they came, for a method that imports for itself.
    train
        What methods learn from.
    test
        What they segment: images alone.
    truth
        The test images with their masks, which no method is told of.
    """

    source: Path
    train: Dataset
    test: Dataset
    truth: Dataset


def prepare(case: Case, data: Path, folder: Path) -> Prepared:
    """Import both sides of a case into `folder`; what an earlier run made is made anew.

    Raises
    ------
    IcefloeError
        If the data are not there.
    """
    shutil.rmtree(folder, ignore_errors=True)
    everything = {
        side: import_folder(_existing(data / where), f"all-{side}", folder, classes=case.classes).dataset
        for side, where in (("train", case.train), ("test", case.test))
    }
    known, new = (list(everything[side].labelled) for side in ("train", "test"))
    sides = dict(zip(("train", "test"), case.divide(data, known, new), strict=True))
    shared = {sample.stem for sample in known} & set(sides["test"]) & set(sides["train"])
    if case.train == case.test and shared:
        raise IcefloeError(f"{case.name}: {sorted(shared)[0]} is on both sides. Correct the case.")
    imported = {}
    for name, side, masks in (("train", "train", True), ("test", "test", False), ("truth", "test", True)):
        staged = folder / "staged" / name
        _stage(everything[side], sides[side], staged, masks)
        done = ("region",) if case.region_done else ()
        imported[name] = import_folder(
            staged, name, folder, experiment=case.name, classes=case.classes, preprocessing=done
        ).dataset
    for side in ("train", "test"):
        shutil.rmtree(folder / f"all-{side}")
    return Prepared(folder / "staged" / "train", imported["train"], imported["test"], imported["truth"])


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise IcefloeError(f"{folder}: no such folder. Name the folder of the real data with --data.")
    return folder


def _stage(dataset: Dataset, stems: Iterable[str], folder: Path, masks: bool) -> None:
    wanted = set(stems)
    for kind in ("images", *(("masks",) if masks else ())):
        (folder / kind).mkdir(parents=True)
        for path in sorted((dataset.path / kind).iterdir()):
            if path.stem in wanted:
                shutil.copyfile(path, folder / kind / path.name)


def _experiments(_: Path, known: list[Sample], new: list[Sample]) -> Sides:
    """Everything known trains; of pictures of the new experiment that are pixel by pixel alike one counts."""
    repeated = {key for group in identical_groups(new) for key in group.keys[1:]}
    return [sample.stem for sample in known], [sample.stem for sample in new if sample.key not in repeated]


def _halves(number: int, group_of: Callable[[list[Sample]], dict[str, str]]) -> Callable[..., Sides]:
    """Half of the groups of images trains, every other one; the other half is for testing."""

    def divide(_: Path, known: list[Sample], __: list[Sample]) -> Sides:
        groups = group_of(known)
        names = list(dict.fromkeys(groups.values()))
        trains = set(names[number::2])
        train = [stem for stem, group in groups.items() if group in trains]
        return train, [stem for stem, group in groups.items() if group not in trains]

    return divide


def _scenes(samples: list[Sample]) -> dict[str, str]:
    """Images that show the same area of the specimen are a group."""
    links = merge_links([group.keys for group in find_groups(samples)])
    first = {key: keys[0] for keys in links for key in keys}
    return {sample.stem: first.get(sample.key, sample.key) for sample in samples}


def _batches(samples: list[Sample]) -> dict[str, str]:
    """Specimens of the coatings by their furnace batch: 040617#3_S0410018 is of 040617."""
    return {sample.stem: sample.stem.removeprefix("S879_").partition("#")[0] for sample in samples}


def _published(name: str) -> Callable[..., Sides]:
    """The split of that name in splits.csv: training and validation images train."""

    def divide(data: Path, known: list[Sample], _: list[Sample]) -> Sides:
        with (data / "superalloy" / "splits.csv").open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["set"] == name]
        sides = {Path(row["image"]).stem: row["split"] for row in rows}
        present = [sample.stem for sample in known if sample.stem in sides]
        test = [stem for stem in present if sides[stem] == "test"]
        return [stem for stem in present if sides[stem] in ("train", "val")], test

    return divide


_ICE, _NP = ("background", "ice"), ("background", "particle")
_ALLOY, _COATING = ("matrix", "secondary", "tertiary"), ("background", "oxide", "crack")
_GRAINS, _BARRIER = "nanoparticle-sintering", "thermal-barrier"

CASES = {
    case.name: case
    for case in (
        Case("ice-d1-d2", "ice: D1, tested on D2", "ice/D1", "ice/D2", _ICE, _experiments, True),
        Case("ice-d2-d1", "ice: D2, tested on D1", "ice/D2", "ice/D1", _ICE, _experiments, True),
        Case("np-a", "nanoparticles: half A, tested on B", _GRAINS, _GRAINS, _NP, _halves(0, _scenes)),
        Case("np-b", "nanoparticles: half B, tested on A", _GRAINS, _GRAINS, _NP, _halves(1, _scenes)),
        Case("alloy", "superalloy: Super1", "superalloy", "superalloy", _ALLOY, _published("Super1")),
        Case(
            "coating-a",
            "coatings: batches A, tested on B",
            _BARRIER,
            _BARRIER,
            _COATING,
            _halves(0, _batches),
        ),
        Case(
            "coating-b",
            "coatings: batches B, tested on A",
            _BARRIER,
            _BARRIER,
            _COATING,
            _halves(1, _batches),
        ),
    )
}
