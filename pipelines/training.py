"""From labelled data to a registered version: what the pipelines `train`, `retrain` and `loop` share."""

from kfp import dsl

from components.assemble_ensemble.component import assemble_ensemble
from components.collect_labels.component import collect_labels
from components.evaluate_ensemble.component import evaluate_ensemble
from components.get_data.component import get_data
from components.get_ensemble.component import get_ensemble
from components.prune_members.component import prune_members
from components.register_version.component import register_version
from components.resolve.component import resolve
from components.train_members.component import train_members


@dsl.pipeline(name="first-version")
def first_version(datasets: list[str], split: dict, training: dict, pruning: dict, promotion: dict) -> str:
    """Train, prune, assemble, evaluate and register the first version on `datasets`; return the verdict."""
    current = resolve()
    data = get_data(version=current.outputs["data"], names=datasets, split=split)
    trained = train_members(data=data.outputs["data"], training=training)
    kept = prune_members(members=trained.outputs["members"], pruning=pruning)
    ensemble = assemble_ensemble(
        members=trained.outputs["members"], kept=kept.outputs["kept"], data=data.outputs["data"]
    )
    evaluated = evaluate_ensemble(ensemble=ensemble.outputs["ensemble"], data=data.outputs["data"])
    registered = register_version(
        ensemble=ensemble.outputs["ensemble"],
        members=trained.outputs["members"],
        kept=kept.outputs["kept"],
        evaluation=evaluated.outputs["evaluation"],
        data=data.outputs["data"],
        training=training,
        promotion=promotion,
    )
    return registered.outputs["Output"]


@dsl.pipeline(name="next-version")
def next_version(arrived: str, split: dict, training: dict, pruning: dict, promotion: dict) -> str:
    """Make submitted labels a data version, train from the champion's weights, promote what is better."""
    labels = collect_labels(dataset=arrived)
    current = resolve(version="champion").after(labels)
    data = get_data(version=current.outputs["data"], names=[], split=split)
    champion = get_ensemble(version=current.outputs["version"])
    trained = train_members(
        data=data.outputs["data"], training=training, start_from=champion.outputs["ensemble"]
    )
    kept = prune_members(members=trained.outputs["members"], pruning=pruning)
    ensemble = assemble_ensemble(
        members=trained.outputs["members"], kept=kept.outputs["kept"], data=data.outputs["data"]
    )
    evaluated = evaluate_ensemble(
        ensemble=ensemble.outputs["ensemble"],
        data=data.outputs["data"],
        champion=champion.outputs["ensemble"],
    )
    registered = register_version(
        ensemble=ensemble.outputs["ensemble"],
        members=trained.outputs["members"],
        kept=kept.outputs["kept"],
        evaluation=evaluated.outputs["evaluation"],
        data=data.outputs["data"],
        training=training,
        promotion=promotion,
        arrived=arrived,
        champion=champion.outputs["ensemble"],
    )
    return registered.outputs["Output"]
