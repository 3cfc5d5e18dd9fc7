"""Queue items as Label Studio's tasks, and masks as the regions of a prediction."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from icefloe.active.exchange.brush import encode_brush
from icefloe.active.exchange.formats import purpose_columns
from icefloe.active.exchange.label_studio_config import BRUSH, IMAGE
from icefloe.active.items import Item
from icefloe.datasets.annotations.drawing import IGNORE_NAME
from icefloe.typing import IGNORE, MaskArray

LARGEST_STD = 0.5
UNCERTAINTY_DIGITS = 4
"""Label Studio sorts by the digits as text unless told otherwise: none may be written as 1e-05."""


def task_data(item: Item, address: str) -> dict[str, Any]:
    """What a task says of its image.

    Parameters
    ----------
    item
        Queue item of the image.
    address
        Where Label Studio finds the image.
    """
    uncertainty = item.purpose.uncertainty
    known: dict[str, Any] = (
        {} if uncertainty is None else {"uncertainty": round(uncertainty, UNCERTAINTY_DIGITS)}
    )
    if item.regions:
        known["regions"] = [asdict(region) for region in item.regions]
    named = {"dataset": item.dataset, "stem": item.stem, "round": item.round}
    return {"image": address, **named, **known, **purpose_columns(item)}


def prediction(
    regions: Sequence[Mapping[str, Any]], version: str, uncertainty: float | None
) -> dict[str, Any]:
    """A prediction of a task.

    Its score is Label Studio's kind, by which the lowest is labelled first: 1 where all members agree on
    every pixel, 0 at the largest disagreement. There is none where the uncertainty is not known.
    """
    score = {} if uncertainty is None else {"score": 1 - uncertainty / LARGEST_STD}
    return {"model_version": version, "result": list(regions), **score}


def brush_regions(
    mask: MaskArray, classes: Sequence[str], brush: str = BRUSH, image: str = IMAGE
) -> list[dict[str, Any]]:
    """A mask as brush regions, one for each class but the first: exact to the pixel.

    Parameters
    ----------
    mask : uint8, shape (H, W)
        Class index, 255 = ignore.
    classes
        Class names by mask value.
    brush, image
        Names of the brush and the image in the labelling interface.
    """
    return [
        region(
            number,
            mask.shape,
            (brush, image, "brushlabels"),
            {
                "format": "rle",
                "rle": encode_brush(mask == value),
                "brushlabels": [IGNORE_NAME if value == IGNORE else classes[value]],
            },
        )
        for number, value in enumerate(np.unique(mask[mask > 0]))
    ]


def region(
    number: int, shape: tuple[int, ...], tag: tuple[str, str, str], value: Mapping[str, Any]
) -> dict[str, Any]:
    """A region of an image of (H, W); `tag` has the names of tool and image, and the tool's kind."""
    from_name, to_name, kind = tag
    return {
        "id": f"region{number}",
        "from_name": from_name,
        "to_name": to_name,
        "type": kind,
        "original_width": shape[1],
        "original_height": shape[0],
        "image_rotation": 0,
        "value": value,
    }
