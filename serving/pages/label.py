"""Page *Label*: the editor."""

import hashlib
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from serving.pages.render import render

router = APIRouter(include_in_schema=False)

EDITOR = Path(__file__).parents[1] / "web" / "editor"


@router.get("/label")
def label(request: Request) -> HTMLResponse:
    return render(request, "label.html", editor=editor_version())


@cache
def editor_version() -> str:
    """What tells the editor's scripts from those of any other version; labels note it."""
    digest = hashlib.sha256()
    for path in sorted(EDITOR.glob("*.js")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
