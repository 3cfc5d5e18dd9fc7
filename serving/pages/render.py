"""Templates, and who gets a page."""

from pathlib import Path

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from serving.auth.roles import NEEDED, Role
from serving.pages.times import day, duration, minute
from serving.web_files import address, module

TEMPLATES = Path(__file__).parents[1] / "templates"

_environment = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_environment.filters |= {"day": day, "minute": minute, "duration": duration}
_environment.globals |= {"web": address, "module": module}

MENU = {
    "Overview": "/overview",
    "Queue": "/queue",
    "Label": "/label",
    "Results": "/results",
    "Few-shot": "/fewshot",
    "Models": "/models",
    "Data": "/data",
    "Account": "/account",
    "People": "/people",
    "API": "/api",
}


def render(request: Request, template: str, **content: object) -> HTMLResponse:
    """A page in the service's frame, with a menu of what the person may open."""
    person = getattr(request.state, "person", None)
    menu = {title: path for title, path in MENU.items() if person and _may_open(person.role, path)}
    text = _environment.get_template(template).render(
        person=person, menu=menu, here=request.url.path, roles=list(Role), **content
    )
    return HTMLResponse(text)


def wants_page(request: Request) -> bool:
    """Whether a person in a browser looks at the answer, not a program."""
    is_page = not request.url.path.startswith(("/api/", "/web/", "/v2", "/metrics"))
    return is_page and "text/html" in request.headers.get("accept", "")


def _may_open(role: Role, path: str) -> bool:
    needed = NEEDED["GET", path]
    return needed is None or role.includes(needed)
