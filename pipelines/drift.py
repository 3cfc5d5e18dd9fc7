"""From a new dataset to the gate's decision and, if it has shifted, to images in the labelling queue."""

from kfp import dsl

from components.check_drift.component import check_drift
from components.get_data.component import get_data
from components.get_ensemble.component import get_ensemble
from components.predict_images.component import predict_images
from components.resolve.component import resolve
from components.select_images.component import select_images


@dsl.pipeline(name="gate-and-sample")
def gate_and_sample(dataset: str, gate: dict, sampling: dict) -> str:
    """Predict `dataset` with the champion, decide, sample and queue; return the gate's outcome."""
    current = resolve(version="champion")
    data = get_data(version=current.outputs["data"], names=[dataset], split={})
    champion = get_ensemble(version=current.outputs["version"])
    predicted = predict_images(ensemble=champion.outputs["ensemble"], data=data.outputs["data"])
    decision = check_drift(
        ensemble=champion.outputs["ensemble"],
        predictions=predicted.outputs["predictions"],
        data=data.outputs["data"],
        gate=gate,
    )
    # The local runner resolves a condition only on an output named `Output`.
    with dsl.If(decision.outputs["Output"] == "shifted", name="shifted"):
        select_images(
            predictions=predicted.outputs["predictions"], data=data.outputs["data"], sampling=sampling
        )
    return decision.outputs["Output"]
