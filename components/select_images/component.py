"""Choose the images to label, and put them in the labelling queue."""

from kfp.dsl import HTML, Artifact, Dataset, Input, Markdown, Output

from components.base import component


@component
def select_images(
    predictions: Input[Artifact],
    data: Input[Dataset],
    sampling: dict,
    reasons: Output[Markdown],
    pictures: Output[HTML],
) -> int:
    """Queue the images that the sampling strategy picks, pre-segmented.

    Args:
        predictions: Scores, features and maps of the dataset's images.
        data: The one dataset.
        sampling: Strategy, number and spread (`SamplerConfig`).

    Returns:
        Output: Number of images chosen.
        reasons: Why each image was chosen.
        pictures: The images chosen.
    """
    from pathlib import Path

    from components.artifacts import tell, write_figure, write_findings
    from icefloe.active.sampler import SamplerConfig
    from icefloe.settings import load_settings
    from icefloe.workflow import runs, selection

    settings = load_settings()
    chosen = selection.select_images(
        settings, Path(predictions.path), Path(data.path), SamplerConfig(**sampling), runs.this_run(settings)
    )
    write_findings(reasons, chosen.selection)
    write_figure(pictures, "Chosen for labelling", chosen.figure)
    tell(chosen.selection.sentence())
    return len(chosen.selection.items)
