"""Make an ensemble of the members kept."""

from kfp.dsl import Artifact, Dataset, Input, Model, Output

from components.base import component


@component
def assemble_ensemble(
    members: Input[Model],
    kept: Input[Artifact],
    data: Input[Dataset],
    ensemble: Output[Model],
) -> float:
    """Fit threshold and temperature on validation images, and measure the benchmark.

    Args:
        members: All candidates.
        kept: Which of them pruning kept, and why.
        data: The datasets they were trained on, and their split.

    Returns:
        Output: The threshold on the mean probability.
        ensemble: A directory of `ensemble.yaml` and one safetensors file per member.
    """
    from pathlib import Path

    from icefloe.workflow.training import assemble_version

    return assemble_version(
        Path(members.path),
        Path(kept.path),
        Path(data.path),
        Path(ensemble.path),
        parent=members.metadata.get("parent") or None,
    ).threshold
