"""Pages *Sign in*, *Welcome*, *Account* and *People*."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from serving.auth import audit
from serving.auth.identity import CurrentPerson
from serving.auth.passwords import SHORTEST
from serving.pages.render import render
from serving.pages.times import day, minute

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/")
def home() -> RedirectResponse:
    return RedirectResponse("/overview")


@router.get("/sign-in")
def sign_in(request: Request) -> HTMLResponse:
    return render(request, "sign_in.html", providers=request.app.state.providers.values())


@router.get("/welcome")
def welcome(request: Request) -> HTMLResponse:
    return render(request, "welcome.html", shortest=SHORTEST)


@router.get("/account")
def account(request: Request, person: CurrentPerson) -> HTMLResponse:
    tokens = [
        {"id": token.id, "title": token.title, "expires": day(token.expires)}
        for token in request.app.state.tokens.of(person)
    ]
    return render(request, "account.html", tokens=tokens, no_auth=request.app.state.options.no_auth)


@router.get("/people")
def people(request: Request) -> HTMLResponse:
    entries = [
        {"time": minute(entry.time), "actor": entry.actor, "what": entry.what, "target": entry.target}
        | {"detail": ", ".join(f"{name} {value}" for name, value in entry.detail.items())}
        for entry in audit.read(request.app.state.database, limit=30)
    ]
    state = request.app.state
    return render(
        request,
        "people.html",
        people=state.people.all(),
        elsewhere=state.identities.people(),
        entries=entries,
    )
