"""Versions of an ensemble by what they were trained on: each is trained once, whoever asks for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import safetensors.numpy

from icefloe.datasets.dataset import Sample
from icefloe.datasets.splits import Split
from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.manifest import Manifest, Member
from icefloe.models.spec import MemberSpec
from icefloe.training.config import TrainingConfig
from icefloe.training.data import PreparedImages, TrainingData
from icefloe.training.identity import checkpoint_directory
from icefloe.training.jobs import Job, run_jobs
from icefloe.training.members import MASK_THRESHOLD, TrainedMember
from icefloe.typing import WeightsMirror
from studies.material import Material

SEEDS_APART = 1000
"""Between the first weights' seeds of one repetition and the next: an ER has several within one."""


@dataclass(frozen=True)
class Recipe:
    """What a version is trained on.

    Attributes
    ----------
    standard
        Names of the standard datasets.
    new
        Keys of the images labelled since, in time order; none for a first version. However they were chosen,
        the same images make the same version.
    """

    standard: tuple[str, ...]
    new: tuple[str, ...] = ()

    @classmethod
    def of(cls, standard: tuple[str, ...], labelled: Iterable[Sample]) -> "Recipe":
        """A first version, retrained with some images of one dataset."""
        return cls(standard, tuple(s.key for s in sorted(labelled, key=lambda sample: sample.index)))

    @property
    def first(self) -> "Recipe":
        """The version that this one is retrained from."""
        return Recipe(self.standard)

    @property
    def name(self) -> str:
        """For progress and receipts; no two recipes of a seed share it."""
        return "+".join((*self.standard, *self.new))


@dataclass
class Versions:
    """Trains versions of one seed and keeps them.

    A retraining starts from the first version's weights, not from the previous round's: so a version depends
    on its labels, and neither on how they were chosen nor on how many rounds that took.

    Attributes
    ----------
    material
        The datasets.
    images
        All images that are trained on, prepared.
    splits
        Of the standard datasets, by their names.
    config
        How to train.
    seed
        Moves the seeds of members and of training.
    checkpoints
        Directory of checkpoints; what is finished there is not trained again.
    weights_dir
        Local mirror of published encoder weights.
    """

    material: Material
    images: PreparedImages
    splits: Mapping[tuple[str, ...], Split]
    config: TrainingConfig
    seed: int
    checkpoints: Path
    weights_dir: WeightsMirror | None = None
    _trained: dict[Recipe, list[TrainedMember]] = field(default_factory=dict, init=False)
    _read: dict[Path, Mapping[str, np.ndarray]] = field(default_factory=dict, init=False)

    def train(self, recipes: Iterable[Recipe]) -> None:
        """Train what has not been trained, first versions before those that start from them."""
        wanted = list(dict.fromkeys(recipes))
        self._train_side_by_side(dict.fromkeys(recipe.first for recipe in wanted))
        self._train_side_by_side(wanted)

    def ensemble(self, recipe: Recipe) -> Ensemble:
        """A trained version; a pixel is foreground from a mean probability of 0.5 on.

        The threshold is not the best on the standard datasets' validation images: there are few, a shifted
        dataset would have another, and a label's worth should not hang on it.
        """
        members = self._trained[recipe]
        manifest = Manifest(
            name=recipe.name,
            members=tuple(
                Member(spec=spec, sha256=trained.receipt.weights_sha256)
                for spec, trained in zip(self.specs, members, strict=True)
            ),
            preprocessing=self.config.preprocessing,
            classes=tuple(self.material.datasets[recipe.standard[0]].info.classes),
            threshold=MASK_THRESHOLD,
        )
        return Ensemble(manifest, [trained.weights for trained in members])

    @property
    def specs(self) -> list[MemberSpec]:
        """The members as this seed begins them."""
        return [
            spec.model_copy(update={"seed": spec.seed + SEEDS_APART * self.seed})
            for spec in self.config.members
        ]

    def _train_side_by_side(self, recipes: Iterable[Recipe]) -> None:
        jobs = {recipe: self._jobs(recipe) for recipe in recipes if recipe not in self._trained}
        trained = run_jobs(
            [job for of_one in jobs.values() for job in of_one],
            weights_dir=self.weights_dir,
            per_gpu=self.config.members_per_gpu,
        )
        n_members = len(self.config.members)
        for position, recipe in enumerate(jobs):
            self._trained[recipe] = trained[position * n_members :][:n_members]

    def _jobs(self, recipe: Recipe) -> list[Job]:
        config = self.config.for_retraining() if recipe.new else self.config
        config = config.model_copy(update={"seed": config.seed + self.seed})
        data = self._data(recipe)
        data_sha256 = data.sha256
        # A file's hash is that of the weights, so it names where a retraining starts.
        starts = self._trained[recipe.first] if recipe.new else [None] * len(self.specs)
        jobs = []
        for spec, start in zip(self.specs, starts, strict=True):
            sha256 = start.receipt.weights_sha256 if start else None
            directory = checkpoint_directory(self.checkpoints, spec, config, data_sha256, sha256)
            job = Job(f"{recipe.name} {spec.name}", spec, data, config, directory.absolute())
            jobs.append(
                replace(job, initial=self._weights(start), started_from=recipe.first.name) if start else job
            )
        return jobs

    def _data(self, recipe: Recipe) -> TrainingData:
        split = self.splits[recipe.standard]
        return TrainingData.of(
            self.images.take([*split.train, *recipe.new]),
            self.images.take(split.validation),
            tuple(self.material.datasets[recipe.standard[0]].info.classes),
            new=recipe.new,
        )

    def _weights(self, member: TrainedMember) -> Mapping[str, np.ndarray]:
        """Read once, so that all trainings that start from it share one copy."""
        if member.weights not in self._read:
            self._read[member.weights] = safetensors.numpy.load_file(member.weights)
        return self._read[member.weights]
