"""Evaluate a version on every held-out image, beside the champion that it wants to replace."""

from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from icefloe.datasets.bundle import Bundle
from icefloe.ensemble.ensemble import Ensemble
from icefloe.evaluation.evaluate import Evaluation, evaluate
from icefloe.evaluation.temperature import check_temperature
from icefloe.files import write_bytes_atomic
from icefloe.report.figures import png
from icefloe.report.overlays import evaluation_figure

EVALUATION, CHAMPION, PICTURES = "evaluation.json", "champion.json", "pictures.png"
"""Files of an evaluation's folder; without a champion there are two."""


@dataclass(frozen=True)
class Evaluated:
    """Results of an evaluation.

    Attributes
    ----------
    evaluation
        Scores of the version on every dataset.
    champion
        Scores of the champion on the same images; None: there is none.
    figure
        Some of the images, with outlines of prediction and reference.
    """

    evaluation: Evaluation
    champion: Evaluation | None
    figure: Figure

    def to_markdown(self) -> str:
        """The scores, and where the version's temperature helps."""
        check = check_temperature(self.evaluation)
        return "\n".join([self.evaluation.to_markdown(), *([check.to_markdown()] if check else [])])


def evaluate_version(ensemble: Path, data: Path, output: Path, champion: Path | None = None) -> Evaluated:
    """Score a version on the held-out images of every labelled dataset, and write a folder of what was found.

    Parameters
    ----------
    ensemble
        Directory of the version's ensemble.
    data
        Bundle of the datasets and their split.
    output
        Folder for `evaluation.json`, `champion.json` and `pictures.png`, made if need be.
    champion
        Directory of the champion's ensemble; None: there is none.
    """
    loaded, held_out = Ensemble.load(ensemble), Bundle.load(data).held_out
    found = Evaluated(
        evaluate(loaded, held_out),
        evaluate(Ensemble.load(champion), held_out) if champion else None,
        evaluation_figure(loaded, held_out),
    )
    found.evaluation.save(output / EVALUATION)
    if found.champion is not None:
        found.champion.save(output / CHAMPION)
    write_bytes_atomic(output / PICTURES, png(found.figure))
    return found
