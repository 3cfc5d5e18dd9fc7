"""Which images train and which test: labels are few, and no test image is like one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from icefloe.datasets.dataset import Sample
from icefloe.datasets.splits import SplitConfig, time_blocks
from icefloe.errors import IcefloeError
from studies.material import Material, labelled_and_held_back

TEST_SHARE = 1 / 3
BLOCKS = SplitConfig(validation_fraction=0.0, test_fraction=TEST_SHARE, block_frames=3)
RECORDING = 20
"""From so many frames a dataset is taken for a recording and divided in blocks of time; a few pictures of an
experiment, of unknown order, are divided by groups of duplicates."""


@dataclass(frozen=True)
class Panel:
    """One learning curve.

    Attributes
    ----------
    name
        In tables and file names, such as `standard`.
    train, test
        Datasets. Where the two are alike, a third of each dataset's images tests and the others can be
        labelled; otherwise all of them do what they are named for.
    n_labels
        Numbers of labelled images.
    size
        Side of the network's input in px.
    """

    name: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    n_labels: tuple[int, ...]
    size: int

    def title(self) -> str:
        """In words: which datasets, and what tests."""
        if self.train == self.test:
            return f"{', '.join(self.train)}: a third of the images held out"
        return f"Labels of {', '.join(self.train)}, tested on {', '.join(self.test)}"


def default_panels(
    data: Path, standard: Sequence[str] | None = None, arriving: Sequence[str] | None = None
) -> list[Panel]:
    """The study's learning curves on the datasets of a workspace.

    Standard datasets make two: a third of their images held out, and the first experiment's labels tested on
    the others, whole. Those that arrive make a third, of up to 20 labels.

    Parameters
    ----------
    data
        The workspace's data folder.
    standard, arriving
        Names; left out: datasets with labels, and those whose labels are held back.

    Raises
    ------
    IcefloeError
        If there is no dataset for any of them.
    """
    labelled, held_back = labelled_and_held_back(data)
    first = tuple(standard or labelled)
    later = tuple(arriving or [name for name in held_back if name not in first])
    panels = []
    if first:
        panels.append(Panel("standard", first, first, (2, 5, 10), 192))
    if first[1:]:
        panels.append(Panel("new-experiment", first[:1], first[1:], (2, 5, 10), 192))
    if later:
        panels.append(Panel("arriving", later, later, (2, 5, 10, 20), 128))
    if not panels:
        raise IcefloeError(f"{data}: no dataset has labels or a truth kept back. Import or simulate some.")
    return panels


@dataclass(frozen=True)
class Draw:
    """The images of one seed.

    Attributes
    ----------
    order
        Labelled images, of which the first n train; the datasets take turns.
    test
        Images that test, the same for every n and every kind of weights.
    """

    order: tuple[Sample, ...]
    test: tuple[Sample, ...]


def draw(material: Material, panel: Panel, seed: int) -> Draw:
    """Test images and an order of labelling, at random but for the rules of `Panel`.

    A group of duplicates is represented by its first image, so that n labels are n different images.

    Parameters
    ----------
    material
        Datasets and groups.
    panel
        Which of them, and how.
    seed
        The same seed gives the same draw.

    Raises
    ------
    IcefloeError
        If there are fewer images to label than the panel wants.
    """
    rng = np.random.default_rng(seed)
    pools: list[list[Sample]] = []
    test: list[Sample] = []
    if panel.train == panel.test:
        for name in panel.train:
            pool, held_out = _divided(_different(material, [name]), rng)
            pools.append(pool)
            test += held_out
    else:
        test = _different(material, panel.test)
        tested = {material.groups[sample.key] for sample in test}
        for name in panel.train:
            pools.append([s for s in _different(material, [name]) if material.groups[s.key] not in tested])
    shuffled = [[pool[index] for index in rng.permutation(len(pool))] for pool in pools]
    order = tuple(_in_turn([shuffled[index] for index in rng.permutation(len(shuffled))]))
    if len(order) < max(panel.n_labels):
        raise IcefloeError(
            f"{', '.join(panel.train)}: {len(order)} different images can be labelled, "
            f"but {max(panel.n_labels)} are wanted. Ask for fewer labels, or name more datasets."
        )
    return Draw(order, tuple(test))


def _different(material: Material, names: Sequence[str]) -> list[Sample]:
    """Images with a reference, one a group."""
    first: dict[int, Sample] = {}
    for sample in material.samples(*names):
        first.setdefault(material.groups[sample.key], sample)
    return list(first.values())


def _divided(samples: list[Sample], rng: np.random.Generator) -> tuple[list[Sample], list[Sample]]:
    """Images to label and images that test."""
    if len(samples) < RECORDING:
        n_test = max(1, round(TEST_SHARE * len(samples)))
        tested = set(rng.permutation(len(samples))[:n_test].tolist())
        pool = [sample for index, sample in enumerate(samples) if index not in tested]
        return pool, [samples[index] for index in sorted(tested)]
    sides = time_blocks([1] * len(samples), BLOCKS)
    near = {index + step for index, side in enumerate(sides) if side == "test" for step in (-1, 0, 1)}
    pool = [sample for index, sample in enumerate(samples) if index not in near]
    return pool, [sample for sample, side in zip(samples, sides, strict=True) if side == "test"]


def _in_turn(pools: list[list[Sample]]) -> list[Sample]:
    longest = max(map(len, pools))
    return [pool[place] for place in range(longest) for pool in pools if place < len(pool)]
