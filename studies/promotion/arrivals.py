"""An experiment arrives in a world: two labels, a retraining, and what held-out images and the truth say."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from icefloe.datasets.dataset import Dataset, DatasetInfo, load_datasets
from icefloe.datasets.splits import Split, SplitConfig, split_samples
from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.fit import TrainedNetwork, assemble
from icefloe.ensemble.judges import UnseenBy
from icefloe.evaluation.evaluate import Evaluation, evaluate
from icefloe.files import atomic_directory
from icefloe.models.spec import MemberSpec
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.spec import ExperimentSpec
from icefloe.simulate.workspace import write_dataset
from icefloe.training.data import prepare
from icefloe.training.fit import fit_member
from icefloe.training.members import MembersDir
from icefloe.training.parallel import member_folds, member_jobs, train_members
from icefloe.training.previous import PreviousVersion
from studies.kit.study import Record
from studies.promotion.design import N_LABELS, N_NEW_LABELS, N_TRUTH, TRAINING, Arrival, World

NEW = "new"
"""Name of the dataset that arrives."""

SPLIT = SplitConfig(folds=len(TRAINING.members))


class Judged(Record):
    """A challenger beside its champion.

    Attributes
    ----------
    held_out, truth
        Scores of both on the images that the gate sees, each by members that were not trained on it, and on
        others of every experiment, by all members; challenger first.
    departure, pace
        In what the experiment departs from the standard, and the factor on the learning rate.
    """

    held_out: tuple[Evaluation, Evaluation]
    truth: tuple[Evaluation, Evaluation]
    departure: str
    pace: float


@dataclass(frozen=True)
class FirstVersion:
    """A world's standard experiments and the version that was trained on them.

    Attributes
    ----------
    world
        The world.
    folder
        Holds its datasets (`data`), their other images (`truth`) and `ensemble`; whole or not there.
    """

    world: World
    folder: Path

    @classmethod
    def of(cls, world: World, folder: Path) -> "FirstVersion":
        """Simulate and train what is not in `folder`."""
        if not folder.exists():
            with atomic_directory(folder, durable=False) as beside:
                for number, spec in enumerate(world.specs()):
                    _simulate(spec, world.seed + number, f"S{number + 1}", beside, N_LABELS)
                _train(load_datasets(beside / "data"), beside, world.seed)
        return cls(world, folder)

    @cached_property
    def datasets(self) -> dict[str, Dataset]:
        """With labels."""
        return load_datasets(self.folder / "data")

    @cached_property
    def ensemble(self) -> Ensemble:
        """The champion."""
        return Ensemble.load(self.folder / "ensemble")

    def judge(self, arrival: Arrival) -> Judged:
        """Let an experiment arrive, label two of its images, retrain, and score."""
        spec, departure, pace = arrival.conditions()
        with TemporaryDirectory(prefix="icefloe-") as scratch:
            folder = Path(scratch)
            _simulate(spec, arrival.seed, NEW, folder, N_NEW_LABELS)
            datasets = {**self.datasets, **load_datasets(folder / "data")}
            start = self.folder / "ensemble"
            split = _train(datasets, folder, arrival.seed, start, pace)
            versions = Ensemble.load(folder / "ensemble"), self.ensemble
            truth = [
                sample
                for place in (self.folder, folder)
                for dataset in load_datasets(place / "truth").values()
                for sample in dataset.samples
            ]
            judges = [UnseenBy(version, split.fold_of) for version in versions]
            labelled = [sample for dataset in datasets.values() for sample in dataset.labelled]
            held_out = [
                sample
                for sample in labelled
                if split.side(sample.key) != "validation" and all(judge.judges(sample) for judge in judges)
            ]
            challenger, champion = (evaluate(judge, held_out) for judge in judges)
            true_challenger, true_champion = (evaluate(version, truth) for version in versions)
        return Judged(
            held_out=(challenger, champion),
            truth=(true_challenger, true_champion),
            departure=departure,
            pace=pace,
        )


def _simulate(spec: ExperimentSpec, seed: int, name: str, folder: Path, n_labels: int) -> None:
    """Write an experiment's labelled images to `data`, others of its images, evenly between, to `truth`."""
    seconds = np.linspace(1, spec.n_composites - 1, n_labels + N_TRUTH).round().astype(int)
    labelled = set(np.linspace(0, len(seconds) - 1, n_labels + 2).round().astype(int)[1:-1].tolist())
    info = DatasetInfo(name=name, experiment=name, pixel_size_nm=spec.pixel_size_nm)
    for part, chosen in (
        ("data", [second for index, second in enumerate(seconds.tolist()) if index in labelled]),
        ("truth", [second for index, second in enumerate(seconds.tolist()) if index not in labelled]),
    ):
        write_dataset(simulate_experiment(spec, seed, chosen), folder / part / name, info, labelled=True)


def _train(
    datasets: Mapping[str, Dataset],
    folder: Path,
    seed: int,
    start: Path | None = None,
    pace: float = 1.0,
) -> Split:
    """Train the members on folds, and save them as `ensemble`."""
    split = split_samples(list(datasets.values()), SPLIT)
    retraining = TRAINING.retraining
    config = TRAINING.model_copy(
        update={
            "seed": seed % 2**31,
            "retraining": retraining.model_copy(update={"learning_rate": pace * retraining.learning_rate}),
        }
    )
    new_keys = [sample.key for sample in datasets[NEW].labelled] if start else []
    previous = PreviousVersion.load(start) if start else None
    data = prepare(datasets.values(), split, config.preprocessing, new_keys)
    folds = member_folds(config.members, split, previous)
    # Here and not on Ray: arrivals, not members, are what runs side by side.
    checkpoints = folder / "checkpoints"
    for job in member_jobs(config, data, [part.sha256 for part in data], folds, checkpoints, previous, None):
        fit_member(
            job.spec,
            job.data,
            job.config,
            job.directory,
            initial=job.initial,
            started_from=job.started_from,
        )
    members = train_members(
        datasets.values(),
        split,
        config,
        output=folder / "members",
        checkpoints=checkpoints,
        start_from=start,
        new_keys=new_keys,
    )
    _assembled(members, datasets, split).save(folder / "ensemble")
    shutil.rmtree(checkpoints)
    return split


def _assembled(members: MembersDir, datasets: Mapping[str, Dataset], split: Split) -> Ensemble:
    networks = [
        TrainedNetwork(
            MemberSpec.model_validate(receipt.spec),
            members.weights_path(receipt.name),
            receipt.fold,
            receipt.trained_on,
        )
        for receipt in members.receipts
    ]
    validation = [s for dataset in datasets.values() for s in dataset.labelled if s.key in split.fold_of]
    return assemble(
        networks,
        validation,
        (),
        name="EA",
        preprocessing=TRAINING.preprocessing,
        classes=members.classes,
        fold_of=split.fold_of,
        views=TRAINING.views,
    )
