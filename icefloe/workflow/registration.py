"""Register a version, judge it, and promote it if it is better and has forgotten nothing."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icefloe.datasets.bundle import Bundle
from icefloe.evaluation.evaluate import Evaluation
from icefloe.evaluation.rule import PromotionRule
from icefloe.registry.registry import Registry
from icefloe.registry.runs import RunRecord
from icefloe.registry.submission import Submission, describe_lineage, submit
from icefloe.settings import Settings
from icefloe.training.members import MembersDir
from icefloe.training.pruning import PruningResult
from icefloe.workflow.evaluation import CHAMPION, EVALUATION, PICTURES


@dataclass(frozen=True)
class Challenger:
    """A finished version, and what it was made from.

    Attributes
    ----------
    ensemble
        Directory of its ensemble.
    members
        Directory of all candidates.
    kept
        File that `prune_candidates` wrote.
    evaluation
        Folder that `evaluate_version` wrote.
    data
        Bundle of the data that it was trained on.
    training
        Settings of the training, as in `params.yaml`.
    parent
        Version that its training started from; None: from scratch.
    champion
        Version that it was evaluated beside; None: it is a first version.
    arrived
        Dataset whose arrival it answers, on which it has to be better; None: a first version.
    """

    ensemble: Path
    members: Path
    kept: Path
    evaluation: Path
    data: Path
    training: dict[str, Any]
    parent: str | None = None
    champion: str | None = None
    arrived: str | None = None


def register_version(
    settings: Settings, challenger: Challenger, promotion: PromotionRule, run: str
) -> Submission:
    """Register a challenger as the next version, with its lineage, and promote it if it passes the gate.

    Parameters
    ----------
    settings
        Name the registry and the tracking store.
    challenger
        The version and what it was made from.
    promotion
        What the challenger must show.
    run
        Id of the run that keeps gate, evaluations, pruning and pictures by the version's name.
    """
    registry = Registry(settings)
    evaluation = Evaluation.load(challenger.evaluation / EVALUATION)
    champion = None
    if challenger.champion is not None:
        champion = challenger.champion, Evaluation.load(challenger.evaluation / CHAMPION)
    pruning = PruningResult.model_validate_json(challenger.kept.read_bytes())
    lineage = describe_lineage(
        registry,
        challenger.ensemble,
        Bundle.load(challenger.data),
        MembersDir.load(challenger.members).receipts,
        challenger.training,
        challenger.parent,
    )
    submission = submit(
        registry,
        challenger.ensemble,
        lineage,
        evaluation,
        promotion,
        champion=champion,
        new_dataset=challenger.arrived,
        run_id=run,
        provisional=pruning.provisional,
    )
    RunRecord(settings, run).write_version(
        submission,
        evaluation,
        champion,
        pruning,
        (challenger.evaluation / PICTURES).read_bytes(),
    )
    return submission
