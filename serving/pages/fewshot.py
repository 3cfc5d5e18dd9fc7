"""Page *Few-shot*: chips of an image, classified by a few examples."""

import json
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from icefloe.fewshot.styles import COLOURS, PATTERNS, UNSURE_COLOUR, UNSURE_PATTERN
from icefloe.models.cards import SIMULATED
from icefloe.models.spec import ENCODERS
from serving.auth.identity import CurrentPerson
from serving.pages.render import render
from serving.prepared import dataset_names, uploads

router = APIRouter(include_in_schema=False)

STYLES = {
    "colours": json.dumps(COLOURS),
    "patterns": json.dumps(PATTERNS),
    "unsure": json.dumps((UNSURE_COLOUR, UNSURE_PATTERN)),
}
"""What the page's canvases paint with: one table for them and for the figures of the library."""


@router.get("/fewshot")
def fewshot(
    request: Request, person: CurrentPerson, session: Annotated[str, Query(max_length=64)] = ""
) -> HTMLResponse:
    state = request.app.state
    return render(
        request,
        "fewshot.html",
        session=session,
        names=dataset_names(state.settings),
        uploads=uploads(state.settings, person.id),
        styles=STYLES,
        encoders={name: [*encoder.pretrained, *SIMULATED, "none"] for name, encoder in ENCODERS.items()},
        has_worker=bool(state.workers.living()),
    )
