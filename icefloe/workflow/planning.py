"""Plan a training from the data, the machine and the time there is: what `--preset auto` means."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from icefloe.datasets.dataset import load_datasets
from icefloe.datasets.fingerprint import fingerprint
from icefloe.datasets.splits import SplitConfig
from icefloe.evaluation.rule import PromotionRule
from icefloe.files import write_text_atomic
from icefloe.params import Params
from icefloe.progress import SILENT, Progress
from icefloe.registry.lineage import Lineage
from icefloe.registry.registry import Registry
from icefloe.settings import Settings
from icefloe.training.config import TrainingConfig
from icefloe.training.plan import Machine, Plan
from icefloe.training.planner import MINUTES, plan_training, pruning_rule
from icefloe.validation import validated

FORMAT = 4
"""Raise it when the same data, machine and time come to mean another plan."""

PROMOTION = PromotionRule(dice_margin=0.05, pca_margin=0.02, ece_margin=0.05)
"""Margins that a few held-out images can show."""


def plan_version(
    settings: Settings, datasets: Sequence[str], minutes: float | None = None, progress: Progress = SILENT
) -> Plan:
    """Plan a first version; the same data, machine and time give the plan made before.

    So a run that was interrupted goes on with the settings that it began with, although a step's time is
    measured anew on each occasion.

    Parameters
    ----------
    settings
        Settings of the workspace, which keeps the plan.
    datasets
        Labelled datasets to train on.
    minutes
        Wall time that the run should take; None: `planner.MINUTES`.
    progress
        Told the plan, and the reason of each choice.

    Raises
    ------
    IcefloeError
        If no image of the datasets has a label.
    """
    found = fingerprint(list(load_datasets(settings.data, list(datasets)).values()))
    machine, minutes = Machine.here(), MINUTES if minutes is None else minutes
    path = _kept(settings, [found.model_dump_json(), machine.model_dump_json(exclude={"load"}), minutes])
    if path.is_file():
        plan = validated(Plan, path.read_bytes(), path, "Remove the file, and a plan is made anew.")
    else:
        progress.tell("Planning: timing a training step.")
        plan = plan_training(found, machine, minutes)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_atomic(path, plan.model_dump_json(indent=1))
    progress.tell(plan.sentence())
    for decision in plan.decisions:
        progress.tell(f"  {decision.what}: {decision.choice}, because {decision.why}.")
    return plan


def planned_params(plan: Plan) -> Params:
    """The settings of a plan, with those that the data do not decide."""
    return Params(split=plan.split, training=plan.training, pruning=plan.pruning, promotion=PROMOTION)


def champions_params(settings: Settings, progress: Progress = SILENT) -> Params:
    """The champion's own settings: how its successor is trained, and how new data are compared with it.

    Parameters
    ----------
    settings
        Settings of the workspace; they name the registry.
    progress
        Told whose settings they are.

    Raises
    ------
    IcefloeError
        If there is no champion.
    """
    registry = Registry(settings)
    details = registry.show("champion")
    training = TrainingConfig.model_validate(details.lineage.parameters)
    progress.tell(
        f"Plan: as {details.version.name} was trained: {len(training.members)} members, "
        f"{training.retraining.epochs} epochs from its weights."
    )
    split = SplitConfig(folds=_n_folds(details.lineage))
    return Params(
        split=split,
        training=training,
        pruning=pruning_rule(split),
        promotion=PROMOTION,
    )


def _n_folds(lineage: Lineage) -> int:
    """Number of folds of a version's images; a member that was pruned has left its fold behind."""
    return max((image.fold + 1 for image in lineage.images if image.fold is not None), default=0)


def _kept(settings: Settings, identity: list[object]) -> Path:
    digest = hashlib.sha256(json.dumps([FORMAT, *identity]).encode()).hexdigest()
    return settings.state / "plans" / f"{digest[:16]}.json"
