"""Train the candidates of an ensemble side by side on Ray."""

from kfp.dsl import HTML, Dataset, Input, Model, Output

from components.base import component


@component
def train_members(
    data: Input[Dataset],
    training: dict,
    members: Output[Model],
    curves: Output[HTML],
    start_from: Input[Model] = None,
) -> int:
    """Train candidates from scratch, or from an earlier version's weights, if no withdrawn label moved them.

    Args:
        data: The datasets and their split.
        training: Members, and how they are trained (`TrainingConfig`).
        start_from: The version that the training starts from; where a label that was withdrawn since has
            trained it, the training starts from the newest one before it that knows of none.

    Returns:
        Output: Number of candidates.
        members: Weights, receipts and validation probabilities of every candidate.
        curves: Loss and scores by epoch.
    """
    from pathlib import Path

    from components.artifacts import step_progress, write_figure
    from icefloe.settings import load_settings
    from icefloe.training.config import TrainingConfig
    from icefloe.workflow import runs
    from icefloe.workflow import training as workflow

    settings = load_settings()
    trained = workflow.train_candidates(
        settings,
        Path(data.path),
        TrainingConfig(**training),
        Path(members.path),
        runs.this_run(settings),
        workflow.FetchedVersion(start_from.metadata["version"], Path(start_from.path))
        if start_from
        else None,
        step_progress,
    )
    members.metadata["parent"] = trained.parent or ""
    write_figure(curves, "Training", trained.figure)
    return len(trained.members.receipts)
