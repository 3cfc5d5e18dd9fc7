"""API tokens of the person who asks."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from serving.auth.identity import CurrentPerson
from serving.auth.tokens import Token
from serving.parameters import RowId
from serving.problems import RefusedError

router = APIRouter(prefix="/tokens", tags=["tokens"])


class NewToken(BaseModel):
    """What a token is for, and for how many days."""

    title: Annotated[str, Field(min_length=1, max_length=100)]
    days: Annotated[int, Field(ge=1, le=366)] = 90


class MadeToken(Token):
    """A new token with its secret, which is shown this once."""

    secret: str


@router.get("")
def list_tokens(request: Request, person: CurrentPerson) -> list[Token]:
    """Your valid tokens, without their secrets."""
    found: list[Token] = request.app.state.tokens.of(person)
    return found


@router.post("", status_code=201)
def add_token(new: NewToken, request: Request, person: CurrentPerson) -> MadeToken:
    """Make a token; its secret is shown in this answer only."""
    if request.app.state.options.no_auth:
        raise RefusedError(409, "A service started with --no-auth needs no token. Ask it without.")
    token, secret = request.app.state.tokens.add(person, new.title, new.days)
    return MadeToken(**token.model_dump(), secret=secret)


@router.delete("/{token_id}", status_code=204)
def revoke_token(token_id: RowId, request: Request, person: CurrentPerson) -> None:
    """End one of your tokens."""
    request.app.state.tokens.revoke(person, token_id)
    request.app.state.known.forget()
