"""Fetch datasets of the workspace's data version and split them."""

from kfp.dsl import Dataset, Output

from components.base import component


@component
def get_data(names: list[str], split: dict, data: Output[Dataset]) -> str:
    """Copy the named datasets (none named: all) and divide their labelled images; return the data version."""
    from pathlib import Path

    from icefloe.datasets.bundle import Bundle
    from icefloe.datasets.splits import SplitConfig
    from icefloe.settings import load_settings

    bundle = Bundle.make(load_settings().workspace, names, SplitConfig(**split), Path(data.path))
    data.metadata.update(bundle.describe())
    return bundle.version.md5
