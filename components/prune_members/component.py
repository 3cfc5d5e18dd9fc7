"""Choose among the candidates by their validation accuracy."""

from kfp.dsl import Artifact, Input, Markdown, Model, Output

from components.base import component


@component
def prune_members(
    members: Input[Model], pruning: dict, kept: Output[Artifact], receipt: Output[Markdown]
) -> int:
    """Keep the members that pass the rule; return how many."""
    import json
    from pathlib import Path

    from icefloe.training.members import MembersDir
    from icefloe.training.pruning import PruningRule, prune

    result = prune(MembersDir.load(Path(members.path)), PruningRule(**pruning))
    Path(kept.path).write_text(json.dumps(result.to_dict()), encoding="utf-8")
    Path(receipt.path).write_text(result.to_markdown(), encoding="utf-8")
    return len(result.kept)
