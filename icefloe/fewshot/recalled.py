"""A session from a file of somebody's, whose parts must agree before anything is drawn from it."""

from collections.abc import Mapping
from typing import Any

from icefloe.errors import IcefloeError
from icefloe.fewshot.result import Classification
from icefloe.fewshot.session import Session
from icefloe.fewshot.sets import UNSURE
from icefloe.fewshot.source import ImageReference
from icefloe.validation import validated

_ROUNDING = 1e-6
"""Of the probabilities in a file."""

_SOURCE, _REMEDY = "The session", "Export it again."


def recalled(content: Mapping[str, Any], image: ImageReference) -> Session:
    """The session that a file holds.

    Parameters
    ----------
    content
        The file's JSON, parsed.
    image
        The image that it is recalled on.

    Raises
    ------
    IcefloeError
        If it is no session or one of another image, or its result is not that of its grid and sets.
    """
    for part in (content, content.get("result")):
        grid = part.get("grid") if isinstance(part, Mapping) else None
        if isinstance(grid, Mapping):
            # Before anything is made of sizes that a stranger may have written.
            _require_size(grid, image)
    session = validated(Session, content, _SOURCE, _REMEDY)
    if session.image.sha256 != image.sha256:
        raise IcefloeError(
            f"{image.name}: not the image that the session was made of, {session.image.name}; its pixels "
            "differ. Send that image first."
        )
    if session.result is not None and not _agree(session, session.result):
        raise IcefloeError(
            f"{_SOURCE}: its result is not that of its grid and sets. Export it again, or leave the result "
            "out."
        )
    # Infinite numbers, which JSON has no words for, would be lost when it is written.
    return validated(Session, session.model_dump_json(), _SOURCE, _REMEDY)


def _require_size(grid: Mapping[str, Any], image: ImageReference) -> None:
    if (grid.get("height"), grid.get("width")) != (image.height, image.width):
        raise IcefloeError(
            f"{image.name}: not the image that the session was made of; it has {image.width}x{image.height} "
            "px. Send that image first."
        )


def _agree(session: Session, result: Classification) -> bool:
    used = session.sets.used
    n_chips, n_classes = result.grid.n_chips, len(used)
    named = [(one.name, one.style, len(one.chips)) for one in used]
    return (
        [(one.name, one.style, one.n_supports) for one in result.classes] == [*named, (UNSURE, None, 0)]
        and len(result.nearest) == len(result.probabilities) == n_chips
        and all(0 <= one < n_classes for one in result.nearest)
        and all(0 <= chip < n_chips for chip in (*result.unsure, *result.label_next, *result.far_chips))
        and len(set(result.unsure)) == len(result.unsure)
        and all(len(row) == n_classes for row in result.probabilities)
        and all(
            row[nearest] >= max(row) - _ROUNDING
            for row, nearest in zip(result.probabilities, result.nearest, strict=True)
        )
        and _counts(result) == [one.count.mean for one in result.classes]
    )


def _counts(result: Classification) -> list[int]:
    unsure = set(result.unsure)
    counts = [0] * len(result.classes)
    for chip, nearest in enumerate(result.nearest):
        counts[-1 if chip in unsure else nearest] += 1
    return counts
