"""Icefloe itself: the steps of `icefloe pipeline run train`, by the functions behind them.

python -m benchmarks.peers.ours JOB.json
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.jobs import Job, save_prediction
from benchmarks.peers.variants import with_entries
from icefloe.datasets.dataset import Dataset, load_datasets
from icefloe.datasets.fingerprint import Fingerprint, fingerprint
from icefloe.datasets.versions import init_workspace
from icefloe.ensemble.ensemble import Ensemble
from icefloe.models.spec import MemberSpec
from icefloe.params import DEFAULT_PARAMS, Params, load_params
from icefloe.settings import Settings, load_settings
from icefloe.training.config import TrainingConfig
from icefloe.training.members import MembersDir
from icefloe.training.plan import Machine, Plan
from icefloe.training.planner import ENCODERS, plan_training
from icefloe.training.speed import StepTime, step_time
from icefloe.workflow.data import commit_data, get_data, import_images
from icefloe.workflow.planning import planned_params
from icefloe.workflow.runs import start_run
from icefloe.workflow.training import assemble_version, prune_candidates, train_candidates

AUTO = "auto"
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
        epochs=params.training.epochs,
        view=params.training.preprocessing.model_dump(mode="json"),
        folds=params.split.folds,
        provisional=pruning.provisional,
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
    """The preset, or the plan for the job's minutes, with the first weights that are asked for."""
    preset, weights = job.options["preset"], job.options["weights"]
    if preset == AUTO:
        found = fingerprint(list(load_datasets(settings.data).values()))
        params = planned_params(plan_for(found, weights, job.threads, job.minutes))
    else:
        params = load_params(settings.workspace / "params.yaml", preset)
    training = with_entries(with_weights(params.training, weights), job.options.get("training", {}))
    members = [
        spec.model_copy(update={"seed": spec.seed + SEED_STEP * job.seed}) for spec in training.members
    ]
    training = training.model_copy(update={"members": tuple(members), "seed": job.seed})
    return params.model_copy(update={"training": training})


def plan_for(found: Fingerprint, weights: str, cores: int, minutes: float) -> Plan:
    """The plan of `--preset auto`, its length by the networks that are trained in the end."""

    def timing(member: MemberSpec, *how: int) -> StepTime:
        (replaced,) = _replaced((member,), weights)
        return step_time(replaced, *how)

    return plan_training(found, Machine(cores=cores, gpu=None), minutes, timing=timing)


def with_weights(training: TrainingConfig, weights: str) -> TrainingConfig:
    """A configuration whose members start from the named weights.

    For `sim` they become those of the preset `demo`, which these weights are made for. For the others
    decoders stay, and encoders, too, if they have such weights; else they become the planner's.
    """
    return training.model_copy(update={"members": _replaced(training.members, weights)})


def _replaced(members: Sequence[MemberSpec], weights: str) -> tuple[MemberSpec, ...]:
    if weights == "sim":
        return load_params(DEFAULT_PARAMS, "demo").training.members[: len(members)]
    encoders = [spec.encoder for spec in members]
    if weights != "none" and not set(encoders) <= set(ENCODERS):
        encoders = list(ENCODERS[: len(members)])
    return tuple(
        MemberSpec.model_validate(spec.model_dump() | {"encoder": encoder, "weights": weights})
        for spec, encoder in zip(members, encoders, strict=True)
    )


if __name__ == "__main__":
    main(Job.load(Path(sys.argv[1])))
