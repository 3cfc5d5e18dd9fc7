"""Fetch a registered ensemble."""

from kfp.dsl import Model, Output

from components.base import component


@component
def get_ensemble(version: str, ensemble: Output[Model]) -> str:
    """Download a registered version, checking every file's hash.

    Args:
        version: Name such as `EA-T2`.

    Returns:
        Output: The version's name.
        ensemble: A directory of `ensemble.yaml` and one safetensors file per member.
    """
    from pathlib import Path

    from icefloe.settings import load_settings
    from icefloe.workflow.versions import fetch_version

    ensemble.metadata["version"] = fetch_version(load_settings(), version, Path(ensemble.path)).name
    return ensemble.metadata["version"]
