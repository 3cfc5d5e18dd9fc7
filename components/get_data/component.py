"""Fetch datasets of a data version and split them."""

from kfp.dsl import Dataset, Output

from components.base import component


@component
def get_data(version: str, names: list[str], split: dict, data: Output[Dataset]) -> str:
    """Copy datasets of a data version, and divide their labelled images.

    Args:
        version: Git commit of the data version, such as the step `resolve` returns.
        names: Datasets; none named: all.
        split: How labelled images are divided (`SplitConfig`).

    Returns:
        Output: Hash of the data version.
        data: The datasets and their split.
    """
    from pathlib import Path

    from icefloe.datasets.splits import SplitConfig
    from icefloe.settings import load_settings
    from icefloe.workflow import data as workflow

    bundle = workflow.get_data(load_settings(), names, SplitConfig(**split), Path(data.path), version)
    data.metadata.update(bundle.describe())
    return bundle.version.md5
