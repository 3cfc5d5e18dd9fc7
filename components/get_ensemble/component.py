"""Fetch a registered ensemble."""

from kfp.dsl import Model, Output

from components.base import component


@component
def get_ensemble(version: str, ensemble: Output[Model]) -> str:
    """Download `version` (`EA-T2`, or an alias such as `champion`); return its EA-Tn name."""
    from pathlib import Path

    from icefloe.registry.registry import Registry
    from icefloe.settings import load_settings

    registry = Registry(load_settings())
    registry.download(version, Path(ensemble.path))
    ensemble.metadata["version"] = registry.get(version).name
    return ensemble.metadata["version"]
