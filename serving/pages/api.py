"""Page *API*: the routes, from the service's own document."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from serving.auth.roles import NEEDED
from serving.pages.render import render

router = APIRouter(include_in_schema=False)


@router.get("/api")
def api(request: Request) -> HTMLResponse:
    document = request.app.openapi()
    routes = [
        {
            "method": method.upper(),
            "path": path,
            "tag": operation["tags"][0],
            "summary": operation["description"].split("\n")[0],
            "role": NEEDED[method.upper(), path] or "everybody",
        }
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    return render(request, "api.html", routes=routes, url=request.app.state.options.url)
