"""The web application: routes, errors, headers, put together."""

import os
from collections.abc import Callable
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.routing import iter_route_contexts

from icefloe.active.drafts import Drafts
from icefloe.active.queue import Queue
from icefloe.database.open import open_database
from icefloe.errors import IcefloeError
from icefloe.fewshot.kept import KeptSessions
from icefloe.settings import Settings, load_settings
from serving.api import PREFIX, RESOURCES, health, metrics
from serving.auth.identities import Identities
from serving.auth.identity import authorise
from serving.auth.known import Known
from serving.auth.oidc import providers_of
from serving.auth.people import People
from serving.auth.rates import Rates
from serving.auth.roles import NEEDED, Role
from serving.auth.sessions import Sessions
from serving.auth.tokens import Tokens
from serving.headers import Gate
from serving.inference_v2 import routes as inference_v2
from serving.jobs.bells import Bells
from serving.jobs.table import Jobs
from serving.jobs.workers import Workers
from serving.label_studio import routes as label_studio
from serving.metrics import Measured
from serving.options import Options
from serving.pages import api as api_page
from serving.pages import data as data_page
from serving.pages import elsewhere
from serving.pages import fewshot as fewshot_page
from serving.pages import label as label_page
from serving.pages import models as model_pages
from serving.pages import overview as overview_page
from serving.pages import people as people_pages
from serving.pages import queue as queue_page
from serving.pages import results as results_page
from serving.problems import PROBLEM, add_handlers, failure
from serving.web_files import WebFiles

OPTIONS_VARIABLE = "ICEFLOE_SERVING"
"""How a web process is told its options: uvicorn starts several by the name of a function."""

DESCRIPTION = """\
What the pages do, programs can do: send an API token (`Authorization: Bearer TOKEN`) that you make on the
page Account. Errors are problem details (RFC 9457) whose `detail` says what to do."""


def create_app(settings: Settings, options: Options) -> FastAPI:
    """The application of a workspace, ready to answer.

    Parameters
    ----------
    settings
        Settings of the workspace.
    options
        How the service is reached.

    Raises
    ------
    IcefloeError
        If the database cannot be opened.
    """
    app = build(options)
    attach(app, settings)
    return app


def attach(app: FastAPI, settings: Settings) -> None:
    """Let an application that has its routes answer for a workspace.

    Raises
    ------
    IcefloeError
        If the database cannot be opened.
    """
    database = open_database(settings)
    database.keep_connections()
    app.state.settings, app.state.database, app.state.rates = settings, database, Rates()
    app.state.jobs, app.state.workers = Jobs(database, Bells.of(settings)), Workers(database)
    app.state.people, app.state.sessions = People(database), Sessions(database)
    app.state.tokens, app.state.known = Tokens(database), Known()
    app.state.providers, app.state.identities = providers_of(settings), Identities(database)
    app.state.queue, app.state.drafts = Queue(database), Drafts(database)
    app.state.fewshot = KeptSessions(database)


def build(options: Options) -> FastAPI:
    """The application without a workspace: all it has is its routes."""
    app = FastAPI(
        title="Icefloe",
        version="1",
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(admit)],
        responses={"default": PROBLEM},
    )

    @app.get("/api/v1/openapi.json", include_in_schema=False)
    def document() -> dict[str, object]:
        return app.openapi()

    pages = (
        overview_page,
        queue_page,
        label_page,
        results_page,
        fewshot_page,
        model_pages,
        data_page,
        people_pages,
        elsewhere,
        api_page,
    )
    for resource in RESOURCES:
        app.include_router(resource.router, prefix=PREFIX)
    for others in (inference_v2, label_studio, health, metrics, *pages):
        app.include_router(others.router)
    app.mount("/web", WebFiles())
    add_handlers(app)
    app.state.options, app.state.needed = options, _needed_by_endpoint(app)
    app.add_middleware(Gate, hosts=options.hosts, secure=options.secure, on_failure=failure)
    paths = {endpoint: path for (_, path), endpoint in routes_of(app).items()}
    app.add_middleware(Measured, paths=paths)
    return app


def from_environment() -> FastAPI:
    """The application that `ICEFLOE_WORKSPACE` and `ICEFLOE_SERVING` describe."""
    return create_app(load_settings(), Options.model_validate_json(os.environ[OPTIONS_VARIABLE]))


async def admit(request: Request) -> None:
    """Count the request against its sender's rate, and see whether its person may do what it asks for."""
    request.app.state.rates.check(request)
    await authorise(request)


def routes_of(app: FastAPI) -> dict[tuple[str, str], Callable[..., Any]]:
    """Method and path of every route -> the function that answers."""
    found: dict[tuple[str, str], Callable[..., Any]] = {}
    for route in iter_route_contexts(app.routes):
        if route.endpoint is not None:
            found |= {(method, str(route.path)): route.endpoint for method in route.methods or ()}
    return found


def _needed_by_endpoint(app: FastAPI) -> dict[Callable[..., Any], Role | None]:
    """A route without a line in the table of roles would be open by accident, so it is refused."""
    routes = routes_of(app)
    unknown = set(routes) ^ set(NEEDED)
    if unknown:
        raise IcefloeError(f"{sorted(unknown)}: not both a route and in the table of roles.")
    return {endpoint: NEEDED[route] for route, endpoint in routes.items()}
