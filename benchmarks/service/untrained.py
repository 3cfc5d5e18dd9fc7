"""Versions that nobody trained: networks take the same time, and work the same way."""

from pathlib import Path

from icefloe.ensemble.ensemble import Ensemble
from icefloe.evaluation.evaluate import Evaluation
from icefloe.registry.lineage import DataState, LabelledImage, Lineage, member_hashes
from icefloe.registry.registry import Registry
from icefloe.settings import load_settings


def register_untrained(workspace: Path, ensemble: Ensemble, name: str = "EA-T1") -> Registry:
    """Register an ensemble, untrained and not judged, in a workspace; its registry."""
    folder = workspace.parent
    ensemble.save(folder / name)
    image = LabelledImage(
        key="D1/a", role="train", image_sha256="i", mask_sha256="m", author="ada", labelled_at="2026-01-01"
    )
    lineage = Lineage(
        data=DataState(rev="rev", md5="md5-of-D1"),
        git_sha="c0de",
        parameters={},
        seeds={},
        packages={},
        images=(image,),
        weights_sha256=member_hashes(folder / name),
        start_sha256={},
        parent=None,
        created="2026-01-01T00:00:00+00:00",
    )
    evaluation = Evaluation(
        ensemble="EA",
        classes=ensemble.manifest.classes,
        threshold=0.5,
        images=(),
        datasets={},
        baselines={},
    )
    registry = Registry(load_settings(workspace))
    registry.register(folder / name, lineage, evaluation)
    return registry
