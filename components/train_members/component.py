"""Train the candidates of an ensemble side by side on Ray."""

from kfp.dsl import HTML, Dataset, Input, Model, Output

from components.base import component


@component
def train_members(
    data: Input[Dataset],
    training: dict,
    run: str,
    members: Output[Model],
    curves: Output[HTML],
    start_from: Input[Model] = None,
) -> int:
    """Train from scratch, or from the members of `start_from`; return the number of candidates."""
    import os
    from pathlib import Path

    from icefloe.datasets.bundle import Bundle
    from icefloe.registry.registry import Registry
    from icefloe.report.curves import curves_page
    from icefloe.settings import load_settings
    from icefloe.training.config import TrainingConfig
    from icefloe.training.jobs import Tracking
    from icefloe.training.parallel import train_members

    os.environ["MLFLOW_RUN_ID"] = run
    settings = load_settings()
    bundle = Bundle.load(Path(data.path))
    seen = Registry(settings).show(start_from.metadata["version"]).lineage.keys() if start_from else []
    trained = train_members(
        bundle.datasets.values(),
        bundle.split,
        TrainingConfig(**training),
        output=Path(members.path),
        checkpoints=settings.checkpoints,
        start_from=Path(start_from.path) if start_from else None,
        new_keys=set(bundle.split.train) - set(seen),
        tracking=Tracking(settings.tracking_uri, settings.experiment, settings.artifact_uri),
        ray_address=settings.ray_address,
        weights_dir=settings.weights_dir,
    )
    Path(curves.path).write_text(curves_page(trained.history()), encoding="utf-8")
    return len(trained.receipts)
