"""The datasets and versions that a person names for a pipeline, as its parameters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from icefloe.datasets.dataset import Dataset, load_datasets
from icefloe.errors import IcefloeError
from icefloe.settings import Settings
from pipelines.names import PipelineName

ON_ONE_DATASET = (PipelineName.DRIFT_CHECK, PipelineName.RETRAIN, PipelineName.FEWSHOT)


def dataset_arguments(
    name: PipelineName, named: Sequence[str], arriving: Sequence[str], data: Path
) -> dict[str, Any]:
    """The parameters of a pipeline that name datasets.

    Parameters
    ----------
    name
        Name of the pipeline.
    named, arriving
        Datasets given by name; none: those that the pipeline takes by itself, where it does.
    data
        The workspace's datasets.

    Raises
    ------
    IcefloeError
        If one is not there, or there is none to take.
    """
    present = load_datasets(data)
    for dataset in [*named, *arriving]:
        if dataset not in present:
            raise IcefloeError(f"{data / dataset}: no such dataset. There are: {', '.join(present)}.")
    if name in ON_ONE_DATASET:
        if len(named) != 1:
            raise IcefloeError(f"{name}: one new dataset is needed. Name it: --dataset D3.")
        return {"dataset": named[0]}
    first = list(named) or _names(d for d in present.values() if d.labelled and not d.holds_truth)
    if not first:
        raise IcefloeError(
            f"{data}: no dataset has labels, so nothing can be trained. Import labels with the images."
        )
    if name is PipelineName.TRAIN:
        return {"datasets": first}
    later = list(arriving) or _names(d for d in present.values() if d.name not in first and d.holds_truth)
    if not later:
        raise IcefloeError(
            f"{data}: no dataset has labels held back, and the loop needs one. "
            "Import one with `icefloe data import DIR --name D2 --hold-labels`."
        )
    return {"initial": first, "arriving": later}


def version_argument(settings: Settings, name: PipelineName, version: str | None) -> dict[str, str]:
    """The parameter of `fewshot` that names a few-shot version, the newest by default.

    Raises
    ------
    IcefloeError
        If there is no such version, or the pipeline takes none.
    """
    if name is not PipelineName.FEWSHOT:
        if version is not None:
            raise IcefloeError(f"{name}: --version is for fewshot. Leave it out.")
        return {}
    from icefloe.registry.families import FS
    from icefloe.registry.registry import Registry

    known = [one.name for one in Registry(settings, FS).list()]
    if not known:
        raise IcefloeError(
            "fewshot: no session is registered. Register one with `icefloe fewshot register SESSION`."
        )
    if version is not None and version not in known:
        raise IcefloeError(f"{version}: no such few-shot version. There are {', '.join(known)}.")
    return {"version": version or known[-1]}


def _names(datasets: Iterable[Dataset]) -> list[str]:
    return [dataset.name for dataset in datasets]
