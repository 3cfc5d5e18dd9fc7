"""Choose among the candidates by their validation scores."""

from kfp.dsl import Artifact, Input, Markdown, Model, Output

from components.base import component


@component
def prune_members(
    members: Input[Model], pruning: dict, kept: Output[Artifact], receipt: Output[Markdown]
) -> int:
    """Keep the members that pass the rule.

    Args:
        members: All candidates.
        pruning: The rule by which a member is kept (`PruningRule`).

    Returns:
        Output: Number of members kept.
        kept: Names, scores and reasons.
        receipt: A row per candidate.
    """
    from pathlib import Path

    from components.artifacts import write_findings
    from icefloe.training.rule import PruningRule
    from icefloe.workflow.training import prune_candidates

    result = prune_candidates(Path(members.path), PruningRule(**pruning), Path(kept.path))
    write_findings(receipt, result)
    return len(result.kept)
