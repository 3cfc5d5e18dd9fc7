"""Evaluate a version on every held-out image, beside the champion that it wants to replace."""

from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from icefloe.datasets.bundle import Bundle
from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.judges import UnseenBy
from icefloe.errors import IcefloeError
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

    Each image is judged by the members that were not trained on it. Beside a champion only images are scored
    that members of both can judge; of an image in a fold, those of the same fold.

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

    Raises
    ------
    IcefloeError
        If there is no image that they can judge.
    """
    bundle = Bundle.load(data)
    versions = [
        UnseenBy(Ensemble.load(folder), bundle.split.fold_of) for folder in (ensemble, champion) if folder
    ]
    judged = [sample for sample in bundle.held_out if all(version.judges(sample) for version in versions)]
    if not judged:
        names = " and to ".join(version.name for version in versions)
        raise IcefloeError(
            f"No labelled image is new to {names}, so nothing can be evaluated. Label more images."
        )
    challenger, *others = versions
    n_unjudged = sum(not challenger.judges(sample) for sample in bundle.held_out)
    found = Evaluated(
        evaluate(challenger, judged).model_copy(update={"n_unjudged": n_unjudged}),
        evaluate(others[0], judged) if others else None,
        evaluation_figure(challenger, judged),
    )
    found.evaluation.save(output / EVALUATION)
    if found.champion is not None:
        found.champion.save(output / CHAMPION)
    write_bytes_atomic(output / PICTURES, png(found.figure))
    return found
