"""Accounts, for admins."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from serving.auth import audit
from serving.auth.identity import CurrentPerson
from serving.auth.people import Person, StaleError
from serving.auth.roles import Role
from serving.etags import etag, expected_revision
from serving.parameters import RowId
from serving.problems import RefusedError

router = APIRouter(tags=["people"])


class NewPerson(BaseModel):
    """Name and role of a new account."""

    name: Annotated[str, Field(min_length=1, max_length=128)]
    role: Role


class Change(BaseModel):
    """What changes in an account; what is left out stays."""

    role: Role | None = None
    active: bool | None = None


class Invited(BaseModel):
    """A new account and the one-time link to hand to its owner."""

    person: Person
    link: str


class Link(BaseModel):
    """Path of a one-time link; its secret is behind the #, which browsers do not send."""

    link: str


@router.get("/people")
def list_people(request: Request) -> list[Person]:
    """All accounts."""
    found: list[Person] = request.app.state.people.all()
    return found


@router.post("/people", status_code=201)
def add_person(new: NewPerson, request: Request, response: Response, actor: CurrentPerson) -> Invited:
    """Make an account; its owner chooses a password with the link."""
    person, secret = request.app.state.people.add(new.name, new.role, actor.name)
    response.headers["Location"] = f"/api/v1/people/{person.id}"
    response.headers["ETag"] = etag(person.revision)
    return Invited(person=person, link=welcome(secret))


@router.get("/people/{person_id}")
def show_person(person_id: RowId, request: Request, response: Response) -> Person:
    """One account."""
    person: Person = request.app.state.people.person(person_id)
    response.headers["ETag"] = etag(person.revision)
    return person


@router.patch("/people/{person_id}")
def change_person(
    person_id: RowId,
    change: Change,
    revision: Annotated[int, Depends(expected_revision)],
    request: Request,
    response: Response,
    actor: CurrentPerson,
) -> Person:
    """Give another role, close the account, or open it again."""
    try:
        person: Person = request.app.state.people.change(
            person_id, revision, actor.name, change.role, change.active
        )
    except StaleError as error:
        current = error.current
        raise RefusedError(
            412, str(error), {"ETag": etag(current.revision)}, current=current.model_dump(mode="json")
        ) from error
    request.app.state.known.forget()
    response.headers["ETag"] = etag(person.revision)
    return person


@router.post("/people/{person_id}/links", status_code=201)
def make_link(person_id: RowId, request: Request, actor: CurrentPerson) -> Link:
    """A new one-time link, for somebody who has forgotten the password."""
    return Link(link=welcome(request.app.state.people.new_link(person_id, actor.name)))


@router.get("/audit")
def read_audit(
    request: Request,
    before: Annotated[int | None, Query(ge=1)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[audit.Entry]:
    """What people changed, the newest first."""
    return audit.read(request.app.state.database, before, limit)


def welcome(secret: str) -> str:
    """Path of the page on which a link's owner chooses a password."""
    return f"/welcome#{secret}"
