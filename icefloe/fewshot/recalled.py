"""A session from a file of somebody's, whose parts must agree before anything is drawn from it."""

from typing import Any

import numpy as np

from icefloe.errors import IcefloeError
from icefloe.fewshot.result import Classification
from icefloe.fewshot.session import Session
from icefloe.fewshot.sets import UNSURE
from icefloe.validation import validated

_ROUNDING = 1e-6
"""Of the probabilities in a file."""

_SOURCE, _REMEDY = "The session", "Export it again."


def recalled(content: Any) -> Session:
    """The session that a file holds.

    Parameters
    ----------
    content
        The file's JSON, parsed.

    Raises
    ------
    IcefloeError
        If it is no session, or its result is not that of its grid and sets.
    """
    session = validated(Session, content, _SOURCE, _REMEDY)
    if session.result is not None:
        _require_agreement(session, session.result)
    # Infinite numbers, which JSON has no words for, would be lost when it is written.
    return validated(Session, session.model_dump_json(), _SOURCE, _REMEDY)


def _require_agreement(session: Session, result: Classification) -> None:
    used = session.sets.used
    n_chips, n_classes = result.grid.n_chips, len(used)
    nearest, unsure = np.array(result.nearest, np.int64), np.array(result.unsure, np.int64)
    is_whole = (
        [(one.name, one.style, one.n_supports) for one in result.classes]
        == [*((one.name, one.style, len(one.chips)) for one in used), (UNSURE, None, 0)]
        and len(nearest) == len(result.probabilities) == n_chips
        and bool(np.all((nearest >= 0) & (nearest < n_classes)))
        and bool(np.all((unsure >= 0) & (unsure < n_chips)))
        and len(set(result.unsure)) == len(unsure)
        and all(len(row) == n_classes for row in result.probabilities)
        and all(0 <= chip < n_chips for chip in result.label_next)
    )
    if is_whole:
        likely = np.array(result.probabilities)
        chosen = np.take_along_axis(likely, nearest[:, None], 1)[:, 0]
        outcomes = nearest.copy()
        outcomes[unsure] = n_classes
        counts = np.bincount(outcomes, minlength=n_classes + 1).tolist()
        is_whole = counts == [one.count.mean for one in result.classes] and bool(
            np.all(chosen >= likely.max(axis=1) - _ROUNDING)
        )
    if not is_whole:
        raise IcefloeError(
            f"{_SOURCE}: its result is not that of its grid and sets. Export it again, or leave the result "
            "out."
        )
