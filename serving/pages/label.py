"""Page *Label*: the editor."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from serving.pages.render import render

router = APIRouter(include_in_schema=False)


@router.get("/label")
def label(request: Request) -> HTMLResponse:
    return render(request, "label.html")
