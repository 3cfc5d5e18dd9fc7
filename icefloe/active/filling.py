"""From a selection to the queue: why each image was chosen, and the predicted mask to start from."""

import math
from collections.abc import Mapping

from icefloe.active.items import NewItem, Purpose
from icefloe.active.plan import LabellingPlan
from icefloe.active.queue import Queue
from icefloe.active.sampler import Selected, Selection
from icefloe.active.uploads import encode_png
from icefloe.datasets.dataset import Dataset
from icefloe.ensemble.predictions import PredictionSet

EVERY_IMAGE_ONCE = LabellingPlan()


def fill(
    queue: Queue,
    selection: Selection,
    predictions: PredictionSet,
    datasets: Mapping[str, Dataset],
    round: str,
    plan: LabellingPlan = EVERY_IMAGE_ONCE,
    seed: int = 0,
) -> int:
    """Queue the selected images with their predicted masks; return how many were not queued before.

    Parameters
    ----------
    queue
        Labelling queue that the images are added to.
    selection
        Images that the sampler chose, with the reasons.
    predictions
        Predictions that it chose from; they give the pre-segmentations.
    datasets
        Datasets of the images by name; they give the class names.
    round
        What the images were chosen in, such as `EA-T1`: doing it again for one round queues nothing twice.
    plan
        Which of them go to two people, and which are shown without the pre-segmentation.
    seed
        Seed of these lots.

    Raises
    ------
    IcefloeError
        If a prediction's maps are gone; then nothing is queued.
    """

    uncertainty = dict(zip(predictions.keys, predictions.column("uq_mean").tolist(), strict=True))

    def item(selected: Selected) -> NewItem:
        known = uncertainty[selected.key]
        mask = predictions.maps(selected.key).mask
        return NewItem(
            dataset=selected.dataset,
            stem=selected.stem,
            round=round,
            shape=(mask.shape[0], mask.shape[1]),
            classes=tuple(datasets[selected.dataset].info.classes),
            purpose=Purpose(
                selected.strategy,
                selected.score,
                selected.rank,
                selected.reason,
                known if math.isfinite(known) else None,
            ),
            presegmentation=encode_png(mask),
            predicted_by=predictions.version or None,
            third_below=plan.third_below_of(selected.key, round, seed),
            arm=plan.arm_of(selected.key, round, seed),
            regions=selected.regions,
        )

    return queue.add([item(selected) for selected in selection.items])
