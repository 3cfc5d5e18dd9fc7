"""The loop, replayed: choose, label with the truth, retrain, score on images that nothing could choose."""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

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
from studies.label_cost.annotation_time import correction_minutes
from studies.label_cost.design import ArrivingDataset, ComparedStrategy

SEEDS_APART = 1000
"""Between the first weights' seeds of one repetition and the next: an ER has several within one."""

Keys = tuple[str, ...]
"""Of the images labelled so far, in time order; they name a version, none the first one."""


@dataclass(frozen=True)
class PoolPredictions:
    """What a version says of the pool: scores and features, and minutes by key to correct its masks."""

    predictions: PredictionSet
    minutes: Mapping[str, float]


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
        Labelled keys -> what that version scores on the test images (native size, pixels pooled), and what it
        predicts of the pool.
    """

    def __init__(
        self, dataset: ArrivingDataset, seed: int, trainer: Trainer, split: Split, config: TrainingConfig
    ) -> None:
        self.dataset, self.seed, self.division = dataset, seed, dataset.divisions[seed]
        self._trainer, self._split = trainer, split
        self._config = config.model_copy(update={"seed": config.seed + seed})
        self.scores = cache(self._scores)
        self.pool_predictions = cache(self._pool_predictions)

    def labelled(self, samples: Iterable[Sample]) -> Keys:
        """Keys of some images in time order: however they were chosen, they make the same version."""
        return tuple(sample.key for sample in sorted(samples, key=lambda sample: sample.index))

    @property
    def whole_pool(self) -> Keys:
        """Every image that can be labelled."""
        return self.labelled(self.division.pool)

    def networks(self, labelled: Keys) -> list[Network]:
        """The members of a version; their names tell it from all others of the seed."""
        config = self._config.for_retraining() if labelled else self._config
        starts = self.networks(()) if labelled else [None] * len(config.members)
        return [
            Network(
                version="+".join((*self.dataset.standard, *labelled)),
                spec=spec.model_copy(update={"seed": spec.seed + SEEDS_APART * self.seed}),
                config=config,
                train=(*self._split.train, *labelled),
                validation=self._split.validation,
                new=labelled,
                start=start,
            )
            for spec, start in zip(config.members, starts, strict=True)
        ]

    def ensemble(self, labelled: Keys) -> Ensemble:
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

    def _predict(self, samples: Sequence[Sample], labelled: Keys) -> Iterator[Prediction]:
        images = [self.dataset.images[sample.key] for sample in samples]
        return self.ensemble(labelled).predict_images(images, samples[0].steps_done)

    def _pooled(self, masks: Iterable[MaskArray]) -> PixelScores:
        test = self.division.test
        references = [self.dataset.references[sample.key] for sample in test]
        return pooled_scores(references, masks, test[0].n_classes)

    def _scores(self, labelled: Keys) -> PixelScores:
        return self._pooled(found.mask for found in self._predict(self.division.test, labelled))

    def _pool_predictions(self, labelled: Keys) -> PoolPredictions:
        rows, features, minutes = [], [], {}
        pool = self.division.pool
        for sample, prediction in zip(pool, self._predict(pool, labelled), strict=True):
            rows.append(ImageRow.of(sample, prediction))
            features.append(prediction.features)
            estimated = correction_minutes(self.dataset.references[sample.key], prediction.mask)
            minutes[sample.key] = self.dataset.measured.get(sample.key, estimated)
        # No file: maps are not asked for again.
        return PoolPredictions(PredictionSet(Path(), tuple(rows), np.stack(features)), minutes)


class Outcome(Record):
    """One version on one arriving dataset.

    Attributes
    ----------
    dataset, seed, strategy
        Which arriving dataset and repetition, and how images were chosen.
    labels
        Number of images of the dataset that are labelled.
    dice, iou
        Scores in [0, 1] of the test images, their pixels pooled.
    minutes
        Minutes to make all those labels by correcting what the version before each had drawn.
    frames
        Time indices of all labelled images, in order of choice.
    """

    dataset: str
    seed: int
    strategy: str
    labels: int
    dice: float
    iou: float
    minutes: float
    frames: tuple[int, ...] = ()


@dataclass
class _Labelling:
    """One strategy in one repetition: what it has chosen, and what that cost in minutes."""

    repetition: Repetition
    strategy: ComparedStrategy
    chosen: list[Sample] = field(default_factory=list)
    minutes: float = 0.0

    @property
    def labelled(self) -> Keys:
        return self.repetition.labelled(self.chosen)

    def choose(self, count: int) -> None:
        """Label `count` more images of the pool, picked with the version trained on those before."""
        of_pool = self.repetition.pool_predictions(self.labelled)
        # Draws of two strategies, datasets or rounds must not be the same ones.
        words = f"{self.repetition.dataset.name} {self.strategy.name} {len(self.chosen)}"
        selection = select(
            of_pool.predictions,
            self.strategy.sampler.model_copy(update={"k": count}),
            np.random.default_rng((self.repetition.seed, zlib.crc32(words.encode()))),
            labelled=[sample.key for sample in self.chosen],
        )
        pool = {sample.key: sample for sample in self.repetition.division.pool}
        self.chosen += [pool[item.key] for item in selection.items]
        self.minutes += sum(of_pool.minutes[item.key] for item in selection.items)

    def outcome(self) -> Outcome:
        """How good the version with all labels so far is; it must be trained."""
        scores = self.repetition.scores(self.labelled)
        return Outcome(
            dataset=self.repetition.dataset.name,
            seed=self.repetition.seed,
            strategy=self.strategy.name,
            labels=len(self.chosen),
            dice=scores.dice,
            iou=scores.iou,
            minutes=self.minutes,
            frames=tuple(sample.index for sample in self.chosen),
        )


def replay(
    trainer: Trainer, repetitions: Sequence[Repetition], strategies: Sequence[ComparedStrategy]
) -> list[Outcome]:
    """Replay the loop of one seed: every strategy on every arriving dataset, side by side.

    Outcomes are those of each strategy without labels and after each round. `repetitions` are one a dataset,
    all of one seed; their versions with the whole pool are trained too.
    """
    under_way = [_Labelling(each, strategy) for each in repetitions for strategy in strategies]
    ceilings = [network for each in repetitions for network in each.networks(each.whole_pool)]

    def trained_and_scored() -> list[Outcome]:
        members = [network for each in under_way for network in each.repetition.networks(each.labelled)]
        trainer.train([*members, *ceilings])
        return [each.outcome() for each in under_way]

    outcomes = trained_and_scored()
    for labels in sorted({labels for each in repetitions for labels in each.dataset.labels}):
        under_way = [each for each in under_way if labels in each.repetition.dataset.labels]
        for each in under_way:
            each.choose(labels - len(each.chosen))
        outcomes += trained_and_scored()
    return outcomes
