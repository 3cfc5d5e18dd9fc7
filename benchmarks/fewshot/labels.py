"""Weak labels and outlines of the same minutes, each to an ensemble: Dice on simulated particles.

The minutes of both are a person's by the keystroke-level model (`benchmarks.service.hand`): a session costs
its clicks, whatever the number of images; an outline costs pointing and its length. Nobody drew anything.
"""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from scipy import ndimage
from skimage.measure import find_contours

from benchmarks.fewshot.scenes import Segmented
from icefloe.datasets.dataset import Dataset, DatasetInfo
from icefloe.datasets.label_history import mask_path
from icefloe.datasets.labels import write_mask
from icefloe.datasets.splits import SplitConfig
from icefloe.datasets.versions import init_workspace
from icefloe.ensemble.ensemble import Ensemble
from icefloe.errors import IcefloeError
from icefloe.params import DEFAULT_PARAMS, load_params
from icefloe.scoring.metrics import confusion_matrix, scores_from_confusion
from icefloe.settings import Settings, load_settings
from icefloe.simulate.nanoparticles import NanoparticleSpec, simulate_nanoparticles
from icefloe.tables import Table
from icefloe.training.config import TrainingConfig
from icefloe.typing import IGNORE, MaskArray
from icefloe.workflow.data import commit_data, get_data
from icefloe.workflow.fewshot import FewShotOptions, classify_images
from icefloe.workflow.runs import start_run
from icefloe.workflow.training import assemble_version, prune_candidates, train_candidates
from studies.kit.keystrokes import DRAW_PX_PER_S, KEY_S, POINT_S, THINK_S

CLASSES = ("background", "particle")
SPEC = NanoparticleSpec(size_px=256, coverage=0.12, radius_nm=8.0, spread=0.25)
"""Particles of about 40 px."""

EDGE = 16
"""Of chips, px: what a person sees to fit into a particle."""

N_IMAGES, N_TEST = 16, 8
SUPPORTS_A_CLASS = 10
CLEAR = 0.9
"""Share of a chip in particles from which a person would give it as an example of one."""

SESSION_STEPS = 8
"""Image, edge, grid, two sets with their names, and so on: each thought of, pointed at and clicked."""

SCREEN_PX = 760.0
"""Side of the picture on the screen, where it is drawn in."""

EPOCHS = 24


@dataclass(frozen=True)
class Labelled:
    """Labels of the training images.

    Attributes
    ----------
    minutes
        Of a person.
    masks
        Stem -> mask; 255 is no label.
    """

    minutes: float
    masks: dict[str, MaskArray]


def simulated(n_images: int, seed: int) -> dict[str, Segmented]:
    """Micrographs with their true masks, by stem."""
    return {
        f"field_{number}": Segmented(
            f"field_{number}", field.image.astype(np.float32), field.mask.astype(np.uint8)
        )
        for number in range(n_images)
        for field in [simulate_nanoparticles(SPEC, np.random.default_rng([seed, number]))]
    }


def session_minutes() -> float:
    """Of a person who assigns all supports by click and key."""
    clicks = len(CLASSES) * SUPPORTS_A_CLASS
    return (clicks + SESSION_STEPS) * (THINK_S + POINT_S + KEY_S) / 60


def write_supports(image: Segmented, path: Path, rng: np.random.Generator) -> None:
    """Chips that a person would choose: free of particles, or full of one."""
    chips = image.cut(EDGE, CLASSES)
    shares = image.pixels(chips.grid, len(CLASSES))[:, 1] / EDGE**2
    full = np.flatnonzero(shares >= CLEAR)
    if len(full) < 2:
        raise IcefloeError(f"{image.name}: it has no chips full of particle. Take another seed.")
    chosen = [rng.permutation(which)[:SUPPORTS_A_CLASS] for which in (np.flatnonzero(shares == 0), full)]
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["chip", "set"])
        for name, of_set in zip(CLASSES, chosen, strict=True):
            table.writerows((chip, name) for chip in sorted(of_set.tolist()))


def outlined(images: dict[str, Segmented], minutes: float) -> Labelled:
    """Exact outlines of one particle after the other, image after image, until the time is over.

    An image that is not finished is labelled from the top to the first particle that is not.
    """
    left, masks = 60 * minutes, {}
    for name, image in images.items():
        mask = np.full(image.mask.shape, IGNORE, np.uint8)
        labels, n_particles = ndimage.label(image.mask)
        done = len(mask)
        for number in range(1, n_particles + 1):  # in the order of their first rows
            left -= outline_s(labels == number)
            if left < 0:
                done = int(np.flatnonzero((labels == number).any(axis=1))[0])
                break
        left -= THINK_S + KEY_S  # hands it in
        mask[:done] = image.mask[:done]
        if done:
            masks[name] = mask
        if left < 0:
            break
    return Labelled(minutes, masks)


def outline_s(particle: np.ndarray) -> float:
    """Seconds of a person who draws around a particle, bool (H, W)."""
    outline = max(find_contours(np.pad(particle, 1).astype(float), 0.5), key=len)
    length = float(np.hypot(*np.diff(outline, axis=0).T).sum()) * SCREEN_PX / len(particle)
    return THINK_S + POINT_S + length / DRAW_PX_PER_S


def dice(masks: dict[str, MaskArray], images: dict[str, Segmented]) -> float:
    """Of all pixels together that have a label."""
    confusion = sum(
        confusion_matrix(_truth(images[stem], mask), _found(mask)) for stem, mask in masks.items()
    )
    return scores_from_confusion(np.asarray(confusion)).dice


def _truth(image: Segmented, mask: MaskArray) -> MaskArray:
    return np.where(mask == IGNORE, IGNORE, image.mask).astype(np.uint8)


def _found(mask: MaskArray) -> MaskArray:
    return np.where(mask == IGNORE, 0, mask).astype(np.uint8)


def measure_labels(folder: Path, seed: int, epochs: int = EPOCHS) -> list[dict[str, object]]:
    """One row for each kind of label: what it costs, what it is worth, and what the ensemble is."""
    images, test = simulated(N_IMAGES, seed), simulated(N_TEST, seed + 1000)
    minutes = session_minutes()
    tests = _dataset(folder / "test", "test", test, {})
    rows: list[dict[str, object]] = []
    kinds: dict[str, Callable[[Settings], Labelled]] = {
        "weak, of a session": lambda settings: _weak(settings, images, seed),
        "outlines of the same minutes": lambda settings: _written(
            settings, images, outlined(images, minutes)
        ),
        "all outlines": lambda settings: _written(settings, images, all_outlined(images)),
    }
    for number, (kind, label) in enumerate(kinds.items()):
        workspace = folder / f"workspace-{number}"
        init_workspace(workspace, params_text=DEFAULT_PARAMS.read_text(encoding="utf-8"))
        settings = load_settings(workspace)
        made = label(settings)
        ensemble = _trained(settings, seed, epochs)
        predicted = {sample.stem: found.mask for sample, found in ensemble.predict(tests.samples)}
        known = np.mean([np.mean(mask != IGNORE) for mask in made.masks.values()])
        rows.append(
            {
                "labels": kind,
                "a person's minutes": made.minutes,
                "images": len(made.masks),
                "of their pixels labelled": f"{known:.0%}",
                "Dice of the labels": dice(made.masks, images),
                "Dice of the ensemble, new images": dice(predicted, test),
            }
        )
        print(Table.of(rows[-1:], FORMATS).markdown(), flush=True)
    return rows


FORMATS = {
    "a person's minutes": ".1f",
    "Dice of the labels": ".3f",
    "Dice of the ensemble, new images": ".3f",
}


def all_outlined(images: dict[str, Segmented]) -> Labelled:
    """Every particle of every image."""
    seconds = 0.0
    for image in images.values():
        labels, n_particles = ndimage.label(image.mask)
        seconds += sum(outline_s(labels == number) for number in range(1, n_particles + 1))
        seconds += THINK_S + KEY_S
    return Labelled(seconds / 60, {name: image.mask for name, image in images.items()})


def _weak(settings: Settings, images: dict[str, Segmented], seed: int) -> Labelled:
    """The classes of chips of all images, by supports of the first, through Icefloe's own functions."""
    from icefloe.workflow.fewshot_dataset import label_weakly

    raw, output = settings.workspace / "raw", settings.workspace / "classified"
    paths = _write_images(raw, images)
    supports = raw / "supports.csv"
    write_supports(next(iter(images.values())), supports, np.random.default_rng(seed))
    classify_images(settings, paths[:1], supports, output, FewShotOptions(edge=EDGE))
    session = output / f"{paths[0].stem}.session.json"
    weak = label_weakly(settings, [session], "labels", paths, background=CLASSES[0])
    masks = {sample.stem: sample.mask() for sample in weak.dataset.labelled}
    return Labelled(session_minutes(), masks)


def _written(settings: Settings, images: dict[str, Segmented], made: Labelled) -> Labelled:
    _dataset(settings.data / "labels", "labels", images, made.masks)
    return made


def _dataset(folder: Path, name: str, images: dict[str, Segmented], masks: dict[str, MaskArray]) -> Dataset:
    _write_images(folder / "images", images)
    for stem, mask in masks.items():
        place = mask_path(folder, stem)
        place.parent.mkdir(exist_ok=True)
        write_mask(place, mask)
    DatasetInfo(name=name, experiment=name, classes=list(CLASSES)).save(folder)
    return Dataset.load(folder)


def _write_images(folder: Path, images: dict[str, Segmented]) -> list[Path]:
    folder.mkdir(parents=True)
    paths = [folder / f"{stem}.tif" for stem in images]
    for path, image in zip(paths, images.values(), strict=True):
        tifffile.imwrite(path, image.image.astype(np.uint16))
    return paths


def training_config(seed: int, epochs: int) -> TrainingConfig:
    """The two members of the preset `light`, from ImageNet weights."""
    training = load_params(DEFAULT_PARAMS, "light").training
    members = [spec.model_copy(update={"seed": spec.seed + 1000 * seed}) for spec in training.members]
    content = training.model_dump() | {"seed": seed, "epochs": epochs, "patience": epochs}
    content["preprocessing"]["region"] = False  # particles lie everywhere
    content["members"] = [spec.model_dump() for spec in members]
    return TrainingConfig.model_validate(content)


def _trained(settings: Settings, seed: int, epochs: int) -> Ensemble:
    """By the product's own steps; each member validates on half of the labelled images."""
    commit_data(settings, "Labels")
    work = settings.workspace / "work"
    work.mkdir()
    split = SplitConfig(test_fraction=0, folds=2, min_labels=1, block_frames=1)
    get_data(settings, [], split, work / "bundle")
    run = start_run(settings, "train")
    train_candidates(settings, work / "bundle", training_config(seed, epochs), work / "members", run)
    prune_candidates(work / "members", load_params(DEFAULT_PARAMS, "light").pruning, work / "kept.json")
    assemble_version(work / "members", work / "kept.json", work / "bundle", work / "version")
    return Ensemble.load(work / "version")


def labels_table(rows: Sequence[dict[str, object]]) -> Table:
    """All seeds' rows."""
    return Table.of(rows, FORMATS)
