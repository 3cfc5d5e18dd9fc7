"""Make an ensemble of the members kept."""

from kfp.dsl import Artifact, Dataset, Input, Model, Output

from components.base import component


@component
def assemble_ensemble(
    members: Input[Model],
    kept: Input[Artifact],
    data: Input[Dataset],
    ensemble: Output[Model],
    parent: Input[Model] = None,
) -> float:
    """Fit threshold and temperature on validation images, measure the benchmark; return the threshold."""
    import json
    from pathlib import Path

    from icefloe.datasets.bundle import Bundle
    from icefloe.training.assembly import assemble_kept
    from icefloe.training.members import MembersDir

    assembled = assemble_kept(
        MembersDir.load(Path(members.path)),
        json.loads(Path(kept.path).read_text(encoding="utf-8"))["kept"],
        Bundle.load(Path(data.path)),
        parent=parent.metadata["version"] if parent else None,
    )
    assembled.save(Path(ensemble.path))
    return assembled.manifest.threshold
