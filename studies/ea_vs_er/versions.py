"""T1 from the standard datasets, then one version more for each dataset that arrives."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import safetensors.numpy

from icefloe.datasets.dataset import Sample
from icefloe.training.config import TrainingConfig
from icefloe.training.data import TrainingData
from icefloe.training.identity import checkpoint_directory
from icefloe.training.jobs import Job, run_jobs
from icefloe.training.members import TrainedMember
from icefloe.typing import WeightsMirror
from studies.ea_vs_er.design import Design
from studies.ea_vs_er.parts import Parts
from studies.material import Material


@dataclass(frozen=True)
class Version:
    """All networks after one training.

    Attributes
    ----------
    name
        `T1` and so on.
    learned
        The dataset whose images were labelled for it; None for T1.
    drawn
        Seed -> keys of those images.
    networks
        By name.
    """

    name: str
    learned: str | None
    drawn: dict[int, tuple[str, ...]]
    networks: dict[str, TrainedMember]


@dataclass(frozen=True)
class Where:
    """Places that training needs: checkpoints, published weights, a Ray cluster."""

    checkpoints: Path
    weights_dir: WeightsMirror | None = None
    ray_address: str | None = None


def train_versions(
    material: Material,
    parts: Parts,
    design: Design,
    config: TrainingConfig,
    n_labels: int,
    where: Where,
    tell: Callable[[str], None],
) -> list[Version]:
    """Train every network of the design, then retrain it once for each arriving dataset.

    Networks of one seed are shown the same newly labelled images, drawn anew for each seed; so an EA knows
    one set of labels, and different EAs different ones. What was trained before is not trained again.

    Parameters
    ----------
    material, parts
        Images.
    design
        Networks.
    config
        How they are trained, and retrained.
    n_labels
        Images labelled of each arriving dataset.
    where
        Checkpoints and the like.
    tell
        Told what begins.

    Returns
    -------
    list of Version
        T1, T2, ..., one more than datasets arrive.
    """
    first = _same_for_all(design, material.training_data(parts.train, parts.validation, config.preprocessing))
    tell(f"T1: {len(design.specs)} networks on {len(parts.train)} images")
    versions = [Version("T1", None, {}, _train(design, config, first, where, None))]
    labelled: dict[int, list[Sample]] = {seed: list(parts.train) for seed in design.seeds}
    for number, dataset in enumerate(parts.pools, 2):
        drawn = {seed: parts.draw(dataset, n_labels, seed) for seed in design.seeds}
        data = {}
        for seed, new in drawn.items():
            labelled[seed] += new
            data[seed] = material.training_data(
                labelled[seed], parts.validation, config.preprocessing, new=new
            )
        tell(f"T{number}: all of them again, with {n_labels} images of {dataset}")
        networks = _train(design, config.for_retraining(), data, where, versions[-1])
        keys = {seed: tuple(sample.key for sample in new) for seed, new in drawn.items()}
        versions.append(Version(f"T{number}", dataset, keys, networks))
    return versions


def _same_for_all(design: Design, data: TrainingData) -> dict[int, TrainingData]:
    return dict.fromkeys(design.seeds, data)


def _train(
    design: Design,
    config: TrainingConfig,
    data: dict[int, TrainingData],
    where: Where,
    previous: Version | None,
) -> dict[str, TrainedMember]:
    hashes = {identity: content.sha256 for identity, content in {id(d): d for d in data.values()}.items()}
    jobs = []
    for name, spec in design.specs.items():
        initial, init_sha256, started_from = None, None, None
        if previous is not None:
            before = previous.networks[name]
            initial, started_from = safetensors.numpy.load_file(before.weights), previous.name
            init_sha256 = before.receipt.weights_sha256
        directory = checkpoint_directory(
            where.checkpoints, spec, config, hashes[id(data[spec.seed])], init_sha256
        )
        jobs.append(Job(name, spec, data[spec.seed], config, directory.absolute(), initial, started_from))
    trained = run_jobs(
        jobs,
        weights_dir=where.weights_dir,
        ray_address=where.ray_address,
        per_gpu=config.members_per_gpu,
    )
    return dict(zip(design.specs, trained, strict=True))
