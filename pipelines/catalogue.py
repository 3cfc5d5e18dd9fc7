"""The pipelines, by name."""

from kfp import dsl

from components.close_run.component import close_run
from components.fewshot.component import fewshot as classify_chips
from components.get_data.component import get_data
from components.get_ensemble.component import get_ensemble
from components.label_from_truth.component import label_from_truth
from components.resolve.component import resolve
from components.start_run.component import start_run
from components.write_report.component import write_report
from pipelines.drift import gate_and_sample
from pipelines.training import first_version, next_version


@dsl.pipeline(name="train", description="Labelled datasets in; a pruned, evaluated, registered ensemble out.")
def train(
    datasets: list[str],
    split: dict = {},
    training: dict = {},
    pruning: dict = {},
    promotion: dict = {},
) -> None:
    """Train a version on `datasets` from scratch.

    Args:
        datasets: Labelled datasets to train on.
        split: How labelled images are divided (`SplitConfig`).
        training: Members, and how they are trained (`TrainingConfig`).
        pruning: Which members are kept (`PruningRule`).
        promotion: What a version must show to be promoted (`PromotionRule`).
    """
    with dsl.ExitHandler(close_run()):
        started = start_run(name="train")
        version = first_version(
            datasets=datasets, split=split, training=training, pruning=pruning, promotion=promotion
        ).after(started)
        write_report().after(version)


@dsl.pipeline(name="drift-check", description="A new dataset against the champion's benchmark.")
def drift_check(dataset: str, gate: dict = {}, sampling: dict = {}) -> None:
    """Decide whether `dataset` is in distribution; if it has shifted, queue the images to label.

    Args:
        dataset: The new dataset.
        gate: How the drift gate decides (`GateConfig`).
        sampling: How images to label are chosen (`SamplerConfig`).
    """
    with dsl.ExitHandler(close_run()):
        started = start_run(name="drift_check", about=dataset)
        decision = gate_and_sample(dataset=dataset, gate=gate, sampling=sampling).after(started)
        write_report().after(decision)


@dsl.pipeline(name="retrain", description="Submitted labels in; the next version, promoted if better.")
def retrain(
    dataset: str,
    split: dict = {},
    training: dict = {},
    pruning: dict = {},
    promotion: dict = {},
) -> None:
    """Train the next version on the labels submitted for `dataset`.

    Args:
        dataset: The new dataset.
        split: How labelled images are divided (`SplitConfig`).
        training: Members, and how they are trained (`TrainingConfig`).
        pruning: Which members are kept (`PruningRule`).
        promotion: What a version must show to be promoted (`PromotionRule`).
    """
    with dsl.ExitHandler(close_run()):
        started = start_run(name="retrain", about=dataset)
        version = next_version(
            arrived=dataset, split=split, training=training, pruning=pruning, promotion=promotion
        ).after(started)
        write_report().after(version)


@dsl.pipeline(name="arrivals")
def arrivals(
    arriving: list[str],
    split: dict,
    training: dict,
    pruning: dict,
    gate: dict,
    sampling: dict,
    promotion: dict,
) -> None:
    """Each arriving dataset in turn: gate, and if it has shifted, labels from its truth and a next version.

    A pipeline of its own because kfp's local runner hands the loop's item to a task of a `ParallelFor`
    body in place of another task's output; a pipeline's parameter arrives intact.
    """
    with dsl.ParallelFor(arriving, name="arriving", parallelism=1) as dataset:
        decision = gate_and_sample(dataset=dataset, gate=gate, sampling=sampling)
        with dsl.If(decision.output == "shifted", name="shifted"):
            labelled = label_from_truth(dataset=dataset)
            next_version(
                arrived=dataset, split=split, training=training, pruning=pruning, promotion=promotion
            ).after(labelled)


@dsl.pipeline(
    name="loop", description="The whole loop in simulation: held-back truth takes the labeler's place."
)
def loop(
    initial: list[str],
    arriving: list[str],
    split: dict = {},
    training: dict = {},
    pruning: dict = {},
    gate: dict = {},
    sampling: dict = {},
    promotion: dict = {},
) -> None:
    """Train on `initial`, then process the `arriving` datasets one after the other.

    Without an `ExitHandler`, around which Kubeflow fails where there is a `ParallelFor` inside
    (kubeflow/pipelines#12390).

    Args:
        initial: Labelled datasets of the first version.
        arriving: Datasets that arrive, in order; their labels are held back.
        split: How labelled images are divided (`SplitConfig`).
        training: Members, and how they are trained (`TrainingConfig`).
        pruning: Which members are kept (`PruningRule`).
        gate: How the drift gate decides (`GateConfig`).
        sampling: How images to label are chosen (`SamplerConfig`).
        promotion: What a version must show to be promoted (`PromotionRule`).
    """
    started = start_run(name="loop")
    first = first_version(
        datasets=initial, split=split, training=training, pruning=pruning, promotion=promotion
    ).after(started)
    processed = arrivals(
        arriving=arriving,
        split=split,
        training=training,
        pruning=pruning,
        gate=gate,
        sampling=sampling,
        promotion=promotion,
    ).after(first)
    write_report().after(processed)


# Not the component's own name: kfp would take that for the package when it loads it.
@dsl.pipeline(name="fewshot-series", description="A series classified chip by chip, by a few examples.")
def fewshot(dataset: str, version: str) -> int:
    """Count the chips of each class in every image of `dataset`.

    Args:
        dataset: The images.
        version: A few-shot version, such as FS-T1.

    Returns:
        Output: Number of images.
    """
    started = start_run(name="fewshot", about=dataset)
    current = resolve(version=version).after(started)
    data = get_data(version=current.outputs["data"], names=[dataset], split={})
    supports = get_ensemble(version=current.outputs["version"])
    classified = classify_chips(session=supports.outputs["ensemble"], data=data.outputs["data"])
    write_report().after(classified)
    return classified.outputs["Output"]


PIPELINES = {
    "train": train,
    "drift_check": drift_check,
    "retrain": retrain,
    "loop": loop,
    "fewshot": fewshot,
}
