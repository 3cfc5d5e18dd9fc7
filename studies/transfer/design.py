"""Which images train and which test: labels are few, and no test image is like one of them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from icefloe.datasets.dataset import Sample
from icefloe.datasets.splits import SplitConfig, time_blocks
from icefloe.errors import IcefloeError
from studies.kit.data import Division, StudyData, labelled_and_held_back
from studies.kit.study import Record

TEST_SHARE = 1 / 3
BLOCKS = SplitConfig(validation_fraction=0.0, test_fraction=TEST_SHARE, block_frames=3)
RECORDING = 20
"""From so many frames a dataset is taken for a recording and divided in blocks of time; a few pictures of an
experiment, of unknown order, are divided by groups of duplicates."""

LABELS = (2, 5, 10, 20)
MOST_LABELS = LABELS[-1]
REAL_SIZE, SIMULATED_SIZE = 192, 128
"""Side of the networks' input in px."""


class Panel(Record):
    """One learning curve.

    Attributes
    ----------
    name
        Name in tables, such as `standard` or `unseen D2`.
    train, test
        Datasets. Where the two are alike, a third of each dataset's images tests and the others can be
        labelled; otherwise all of them do what they are named for.
    n_labels
        Numbers of labelled images, ascending.
    size
        Side of the networks' input in px.
    """

    name: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    n_labels: tuple[int, ...]
    size: int

    @property
    def title(self) -> str:
        """In words: which datasets, and what tests."""
        if self.train == self.test:
            return f"{', '.join(self.train)}: a third of the images held out"
        return f"Labels of {', '.join(self.train)}, tested on {', '.join(self.test)}"


def default_panels(folder: Path, standard: Sequence[str] = (), arriving: Sequence[str] = ()) -> list[Panel]:
    """The study's learning curves on the datasets of a workspace, each of up to 20 labels.

    Standard datasets make one with a third of their images held out, and one for each of them that is tested
    whole with labels of the others: leave one experiment out. Those that arrive make another.

    Standard are by default the datasets with labels, arriving those in the workspace's `data` folder whose
    labels are held back.

    Raises
    ------
    IcefloeError
        If there is no dataset for any of them.
    """
    labelled, held_back = labelled_and_held_back(folder)
    first = tuple(standard or labelled)
    later = tuple(arriving or [name for name in held_back if name not in first])

    def curve(name: str, train: tuple[str, ...], test: tuple[str, ...], size: int) -> Panel:
        return Panel(name=name, train=train, test=test, n_labels=LABELS, size=size)

    panels = [curve("standard", first, first, REAL_SIZE)] if first else []
    for unseen in first if first[1:] else ():
        others = tuple(name for name in first if name != unseen)
        panels.append(curve(f"unseen {unseen}", others, (unseen,), REAL_SIZE))
    if later:
        panels.append(curve("arriving", later, later, SIMULATED_SIZE))
    if not panels:
        raise IcefloeError(f"{folder}: no dataset has labels or a truth kept back. Import or simulate some.")
    return panels


def as_far_as_images_go(data: StudyData, panel: Panel, n_seeds: int) -> Panel:
    """The panel without numbers of labels that some seed's division has too few images for.

    Raises
    ------
    IcefloeError
        If even the least number of labels is too many.
    """
    fewest = panel.model_copy(update={"n_labels": panel.n_labels[:1]})
    n_pool = min(len(divide(data, fewest, seed).pool) for seed in range(n_seeds))
    return panel.model_copy(update={"n_labels": tuple(n for n in panel.n_labels if n <= n_pool)})


def divide(data: StudyData, panel: Panel, seed: int) -> Division:
    """Test images and an order of labelling, at random but for the rules of `Panel`.

    Of the pool the first n images train; in it the datasets take turns. A group of duplicates is represented
    by its first image, so that n labels are n different images.

    Raises
    ------
    IcefloeError
        If there are fewer images to label than the panel wants.
    """
    rng = np.random.default_rng(seed)
    different = {name: data.distinct(data.samples(name)) for name in panel.train}
    if panel.train == panel.test:
        sides = [_divided(samples, rng) for samples in different.values()]
        pools = [pool for pool, _ in sides]
        test = [sample for _, held_out in sides for sample in held_out]
    else:
        test = data.distinct(data.samples(*panel.test))
        pools = [data.distinct(samples, known=test) for samples in different.values()]
    shuffled = [[pool[index] for index in rng.permutation(len(pool))] for pool in pools]
    pool = tuple(_in_turn([shuffled[index] for index in rng.permutation(len(shuffled))]))
    if len(pool) < max(panel.n_labels):
        raise IcefloeError(
            f"{', '.join(panel.train)}: {len(pool)} different images can be labelled, "
            f"but {max(panel.n_labels)} are wanted. Ask for fewer labels, or name more datasets."
        )
    return Division(pool, tuple(test))


def _divided(samples: list[Sample], rng: np.random.Generator) -> tuple[list[Sample], list[Sample]]:
    """Images to label and images that test."""
    if len(samples) < RECORDING:
        n_test = max(1, round(TEST_SHARE * len(samples)))
        tested = near = set(rng.permutation(len(samples))[:n_test].tolist())
    else:
        sides = time_blocks([1] * len(samples), BLOCKS)
        tested = {index for index, side in enumerate(sides) if side == "test"}
        near = {index + step for index in tested for step in (-1, 0, 1)}
    pool = [sample for index, sample in enumerate(samples) if index not in near]
    return pool, [samples[index] for index in sorted(tested)]


def _in_turn(pools: list[list[Sample]]) -> list[Sample]:
    longest = max(map(len, pools))
    return [pool[position] for position in range(longest) for pool in pools if position < len(pool)]
