"""The loop, replayed: choose, label with the truth, retrain, score on images that nothing could choose."""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

import numpy as np

from icefloe.active.proposals import Candidate, candidates_of, propose_regions
from icefloe.active.region import Region
from icefloe.active.sampler import select
from icefloe.datasets.dataset import Sample
from icefloe.datasets.splits import Split
from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.manifest import Manifest, Member
from icefloe.ensemble.prediction import Prediction
from icefloe.ensemble.predictions import PredictionSet
from icefloe.ensemble.rows import ImageRow
from icefloe.scoring.baselines import BASELINES
from icefloe.scoring.metrics import PixelScores
from icefloe.training.config import TrainingConfig
from icefloe.training.members import MASK_THRESHOLD
from icefloe.typing import MaskArray
from studies.kit.data import pooled_scores
from studies.kit.study import Record
from studies.kit.training import Network, Trainer
from studies.label_cost.annotation_time import Cost, correction_cost
from studies.label_cost.design import ArrivingDataset, ComparedStrategy

SEEDS_APART = 1000
"""Between the first weights' seeds of one repetition and the next: an ER has several within one."""

Labels = tuple[tuple[str, tuple[Region, ...]], ...]
"""Images labelled so far, in time order, each with its regions in order; none: all of it is labelled.

They name a version; empty: the first one.
"""


@dataclass(frozen=True)
class PoolPredictions:
    """What a version says of the pool.

    Attributes
    ----------
    predictions
        Scores and features of each image.
    candidates
        Tiles of all images.
    masks
        By key, uint8 of shape (H, W): what a person would correct.
    """

    predictions: PredictionSet
    candidates: tuple[Candidate, ...]
    masks: Mapping[str, MaskArray]


class Repetition:
    """One arriving dataset with one seed: its versions, each trained and asked once.

    A retraining starts from the first version's weights, not from the previous round's: so a version depends
    on its labels, and neither on how they were chosen nor on how many rounds that took.

    Parameters
    ----------
    dataset
        The dataset that arrives.
    seed
        Number of the repetition: it divides the images, and is added to the seeds of members and training.
    trainer, split, config
        How versions are trained, on which images of the standard datasets.

    Attributes
    ----------
    scores, pool_predictions
        Labels -> what that version scores on the test images (native size, pixels pooled), and what it
        predicts of the pool; of this the last is kept.
    """

    def __init__(
        self, dataset: ArrivingDataset, seed: int, trainer: Trainer, split: Split, config: TrainingConfig
    ) -> None:
        self.dataset, self.seed, self.division = dataset, seed, dataset.divisions[seed]
        self._trainer, self._split = trainer, split
        self._config = config.model_copy(update={"seed": config.seed + seed})
        self.scores = cache(self._scores)
        self.pool_predictions = lru_cache(maxsize=1)(self._pool_predictions)

    def in_order(self, labelled: Mapping[str, Iterable[Region]]) -> Labels:
        """Labels by key in the order of time: however they were chosen, they make the same version."""
        keys = (sample.key for sample in self.division.pool if sample.key in labelled)
        return tuple((key, tuple(sorted(labelled[key]))) for key in keys)

    @property
    def whole_pool(self) -> Labels:
        """Every image that can be labelled."""
        return self.in_order({sample.key: () for sample in self.division.pool})

    def networks(self, labelled: Labels) -> list[Network]:
        """The members of a version; their names tell it from all others of the seed."""
        keys = tuple(key for key, _ in labelled)
        config = self._config.for_retraining() if labelled else self._config
        starts = self.networks(()) if labelled else [None] * len(config.members)
        return [
            Network(
                version="+".join((*self.dataset.standard, *map(_named, labelled))),
                spec=spec.model_copy(update={"seed": spec.seed + SEEDS_APART * self.seed}),
                config=config,
                train=(*self._split.train, *keys),
                validation=self._split.validation,
                new=keys,
                start=start,
                parts=tuple((key, regions) for key, regions in labelled if regions),
            )
            for spec, start in zip(config.members, starts, strict=True)
        ]

    def ensemble(self, labelled: Labels) -> Ensemble:
        """A version; a pixel is foreground from a mean probability of 0.5 on.

        The threshold is not the best on the standard datasets' validation images: there are few, a shifted
        dataset would have another, and a label's worth should not depend on it.
        """
        networks = self.networks(labelled)
        trained = self._trainer.train(networks)
        manifest = Manifest(
            name=networks[0].version,
            members=tuple(
                Member(spec=network.spec, sha256=member.receipt.weights_sha256)
                for network, member in zip(networks, trained, strict=True)
            ),
            preprocessing=self._config.preprocessing,
            classes=self._trainer.data.classes,
            views=self._config.views,
            threshold=MASK_THRESHOLD,
        )
        return Ensemble(manifest, [member.weights for member in trained])

    def baseline_dice(self) -> dict[str, float]:
        """Dice of the test images, by what takes no learning."""
        images = [self.dataset.images[sample.key] for sample in self.division.test]
        return {name: self._pooled(map(segment, images)).dice for name, segment in BASELINES.items()}

    def _predict(self, samples: Sequence[Sample], labelled: Labels) -> Iterator[Prediction]:
        images = [self.dataset.images[sample.key] for sample in samples]
        return self.ensemble(labelled).predict_images(images, samples[0].steps_done)

    def _pooled(self, masks: Iterable[MaskArray]) -> PixelScores:
        test = self.division.test
        references = [self.dataset.references[sample.key] for sample in test]
        return pooled_scores(references, masks, test[0].n_classes)

    def _scores(self, labelled: Labels) -> PixelScores:
        return self._pooled(found.mask for found in self._predict(self.division.test, labelled))

    def _pool_predictions(self, labelled: Labels) -> PoolPredictions:
        rows, features, candidates, masks = [], [], [], {}
        pool = self.division.pool
        for sample, prediction in zip(pool, self._predict(pool, labelled), strict=True):
            rows.append(ImageRow.of(sample, prediction))
            features.append(prediction.features)
            candidates += candidates_of(sample.key, prediction.std)
            masks[sample.key] = prediction.mask
        # No file: maps are not asked for again.
        predictions = PredictionSet(Path(), tuple(rows), np.stack(features))
        return PoolPredictions(predictions, tuple(candidates), masks)


def _named(label: tuple[str, tuple[Region, ...]]) -> str:
    """An image's part in the name of a version; so many regions are too long to be listed."""
    key, regions = label
    if not regions:
        return key
    places = ((each.top, each.left, each.height, each.width) for each in regions)
    return f"{key}[{zlib.crc32(repr(list(places)).encode()):08x}]"


class Outcome(Record):
    """One version on one arriving dataset.

    Attributes
    ----------
    dataset, seed, strategy
        Which arriving dataset and repetition, and how labels were chosen.
    budget
        Seconds until which was labelled; the last label ends after it, unless nothing was left to label.
    seconds, clicks
        What all those labels cost, each a correction of what the version before had drawn.
    images, regions
        Numbers of images with a label, and of regions in them; 0 regions where whole images are labelled.
    dice, iou
        Scores in [0, 1] of the test images, their pixels pooled.
    frames
        Time indices of all images with a label.
    """

    dataset: str
    seed: int
    strategy: str
    budget: int
    seconds: float
    clicks: int
    images: int
    regions: int
    dice: float
    iou: float
    frames: tuple[int, ...] = ()


@dataclass
class _Labelling:
    """One strategy in one repetition: what it has had labelled, and what that cost."""

    repetition: Repetition
    strategy: ComparedStrategy
    chosen: dict[str, list[Region]] = field(default_factory=dict)
    cost: Cost = field(default_factory=Cost)

    @property
    def labelled(self) -> Labels:
        return self.repetition.in_order(self.chosen)

    def label_until(self, budget: int) -> None:
        """Label what the version trained on the labels before picks, for so many seconds in all."""
        of_pool = self.repetition.pool_predictions(self.labelled)
        # Draws of two strategies, datasets or rounds must not be the same ones.
        words = f"{self.repetition.dataset.name} {self.strategy.name} {budget}"
        rng = np.random.default_rng((self.repetition.seed, zlib.crc32(words.encode())))
        while self.cost.seconds < budget and (picked := self._pick(of_pool, rng)):
            for key, region in picked:
                if self.cost.seconds >= budget:
                    return
                regions = self.chosen.setdefault(key, [])
                if region:
                    regions.append(region)
                reference = self.repetition.dataset.references[key]
                self.cost += correction_cost(reference, of_pool.masks[key], region)

    def _pick(self, of_pool: PoolPredictions, rng: np.random.Generator) -> list[tuple[str, Region | None]]:
        """What to label next, images or regions, in that order; empty: all is labelled."""
        if self.strategy.regions:
            candidates, n_all = of_pool.candidates, len(of_pool.candidates)
            proposed = propose_regions(candidates, n_all, self.strategy.regions, rng, self.chosen)
            return [(each.key, each.region) for each in proposed]
        selection = select(of_pool.predictions, self.strategy.sampler, rng, labelled=list(self.chosen))
        return [(item.key, None) for item in selection.items]

    def outcome(self, budget: int) -> Outcome:
        """How good the version with all labels so far is; it must be trained."""
        scores = self.repetition.scores(self.labelled)
        return Outcome(
            dataset=self.repetition.dataset.name,
            seed=self.repetition.seed,
            strategy=self.strategy.name,
            budget=budget,
            seconds=self.cost.seconds,
            clicks=self.cost.clicks,
            images=len(self.chosen),
            regions=sum(map(len, self.chosen.values())),
            dice=scores.dice,
            iou=scores.iou,
            frames=tuple(s.index for s in self.repetition.division.pool if s.key in self.chosen),
        )


def replay(
    trainer: Trainer,
    repetitions: Sequence[Repetition],
    strategies: Sequence[ComparedStrategy],
    seconds: Sequence[int],
) -> list[Outcome]:
    """Replay the loop of one seed: every strategy on every arriving dataset, side by side.

    Outcomes are those of each strategy without labels and after each round, which ends at so many `seconds`.
    `repetitions` are one a dataset, all of one seed; their versions with the whole pool are trained too.
    """
    under_way = [_Labelling(each, strategy) for each in repetitions for strategy in strategies]
    ceilings = [network for each in repetitions for network in each.networks(each.whole_pool)]

    def trained_and_scored(budget: int) -> list[Outcome]:
        members = [network for each in under_way for network in each.repetition.networks(each.labelled)]
        trainer.train([*members, *ceilings])
        return [each.outcome(budget) for each in under_way]

    outcomes = trained_and_scored(0)
    for budget in seconds:
        for each in under_way:
            each.label_until(budget)
        outcomes += trained_and_scored(budget)
    return outcomes
