"""Icefloe itself: the steps of `icefloe pipeline run train`, by the functions behind them.

python -m benchmarks.peers.ours JOB.json
"""

import sys
from pathlib import Path

from benchmarks.peers.jobs import Job, save_prediction
from icefloe.datasets.dataset import Dataset
from icefloe.datasets.versions import init_workspace
from icefloe.ensemble.ensemble import Ensemble
from icefloe.errors import IcefloeError
from icefloe.models.spec import ENCODERS, MemberSpec
from icefloe.models.weights import weights_file
from icefloe.params import DEFAULT_PARAMS, Params, load_params
from icefloe.settings import Settings, load_settings
from icefloe.training.config import TrainingConfig
from icefloe.training.members import MembersDir
from icefloe.workflow.data import commit_data, get_data, import_images
from icefloe.workflow.runs import start_run
from icefloe.workflow.training import assemble_version, prune_candidates, train_candidates

SEED_STEP = 1000
"""Between the first weights of two repetitions: more than an ensemble has members of one encoder."""


def main(job: Job) -> None:
    """Train a first version on the job's images, segment its test images."""
    settings = _workspace(job)
    clock = job.clock()
    params = _params(settings, job)
    bundle, members, kept, version = (
        job.folder / name for name in ("bundle", "members", "kept.json", "version")
    )
    get_data(settings, [], params.split, bundle)
    run = start_run(settings, "train")
    train_candidates(settings, bundle, params.training, members, run)
    pruning = prune_candidates(members, params.pruning, kept)
    manifest = assemble_version(members, kept, bundle, version)
    clock.trained()
    ensemble = Ensemble.load(version)
    for sample, prediction in ensemble.predict(Dataset.load(job.test).samples):
        save_prediction(job, sample.stem, prediction.mean, prediction.mask)
    clock.predicted(
        preset=job.options["preset"],
        members=[f"{spec.name} ({spec.weights})" for spec in params.training.members],
        kept=list(pruning.kept),
        threshold=manifest.threshold,
        temperature=manifest.temperature,
        member_s={receipt.name: receipt.seconds for receipt in MembersDir.load(members).receipts},
    )


def _workspace(job: Job) -> Settings:
    folder = job.folder / "workspace"
    init_workspace(folder, params_text=DEFAULT_PARAMS.read_text(encoding="utf-8"))
    settings = load_settings(folder)
    info = Dataset.load(job.train).info
    import_images(
        settings,
        job.source,
        info.name,
        experiment=info.experiment,
        classes=info.classes,
        region_done="region" in info.preprocessing,
    )
    commit_data(settings, "The training images")
    return settings


def _params(settings: Settings, job: Job) -> Params:
    """The preset with the first weights that are asked for."""
    params = load_params(settings.workspace / "params.yaml", job.options["preset"])
    training = with_weights(params.training, job.options["weights"])
    members = [
        spec.model_copy(update={"seed": spec.seed + SEED_STEP * job.seed}) for spec in training.members
    ]
    training = training.model_copy(update={"members": tuple(members), "seed": job.seed})
    return params.model_copy(update={"training": training})


def with_weights(training: TrainingConfig, weights: str) -> TrainingConfig:
    """A configuration whose members start from the named weights.

    Where those are not on this machine for every encoder of the configuration, its members take, in order,
    the encoders that they are there for; the decoders stay.

    Raises
    ------
    IcefloeError
        If there are too few such encoders.
    """
    members = training.members
    encoders = [spec.encoder for spec in members]
    if not all(_has(encoder, weights) for encoder in encoders):
        encoders = [encoder for encoder in ENCODERS if _has(encoder, weights)][: len(members)]
    if len(encoders) < 2:
        raise IcefloeError(f"{weights}: there are no such weights here for two encoders. Place some.")
    specs = [
        MemberSpec.model_validate(spec.model_dump() | {"encoder": encoder, "weights": weights})
        for spec, encoder in zip(members, encoders, strict=False)
    ]
    return training.model_copy(update={"members": tuple(specs)})


def _has(encoder: str, weights: str) -> bool:
    if weights == "none":
        return True
    if weights not in ("sim", *ENCODERS[encoder].pretrained):
        return False
    try:
        weights_file(encoder, weights)
    except IcefloeError:
        return False
    return True


if __name__ == "__main__":
    main(Job.load(Path(sys.argv[1])))
