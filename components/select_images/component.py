"""Choose the images worth a label, and put them in the labelling queue."""

from kfp.dsl import HTML, Artifact, Dataset, Input, Markdown, Output

from components.base import component


@component
def select_images(
    predictions: Input[Artifact],
    data: Input[Dataset],
    sampling: dict,
    run: str,
    reasons: Output[Markdown],
    pictures: Output[HTML],
) -> int:
    """Queue the images that the sampling strategy picks, pre-segmented; return how many there are."""
    from pathlib import Path

    from icefloe.active.queue import Queue
    from icefloe.active.request import request_labels
    from icefloe.active.sampler import SamplerConfig
    from icefloe.datasets.bundle import Bundle
    from icefloe.datasets.dataset import load_datasets
    from icefloe.ensemble.predictions import PredictionSet
    from icefloe.registry.registry import Registry
    from icefloe.registry.runs import RunRecord
    from icefloe.report.figures import html_page, png
    from icefloe.report.overlays import selection_figure
    from icefloe.settings import load_settings

    settings = load_settings()
    bundle = Bundle.load(Path(data.path))
    predicted = PredictionSet.load(Path(predictions.path))
    selection = request_labels(
        Queue(settings.queue_path),
        bundle.datasets,
        predicted,
        SamplerConfig(**sampling),
        # Not the champion: were its successor refused, its round would be over and ask for no more.
        Registry(settings).newest().name,
        workspace=load_datasets(settings.data),
    )
    Path(reasons.path).write_text(selection.to_markdown(), encoding="utf-8")
    figure = selection_figure(selection, bundle.samples, predicted)
    Path(pictures.path).write_text(html_page("Chosen for labelling", figure), encoding="utf-8")
    record = RunRecord(settings, run)
    record.write_json(f"selection/{bundle.only.name}.json", selection.to_dict())
    record.write_png(f"selection/{bundle.only.name}.png", png(figure))
    record.tell(f"selection/{bundle.only.name}", selection.sentence())
    print(f"icefloe: {selection.sentence()}")
    return len(selection.items)
