"""ETags from row revisions: nobody overwrites what somebody else has changed since."""

from typing import Annotated

from fastapi import Header

from serving.problems import RefusedError


def etag(revision: int) -> str:
    """The entity tag of a revision."""
    return f'"{revision}"'


def expected_revision(if_match: Annotated[str | None, Header()] = None) -> int:
    """The revision that a change is based on, from `If-Match`.

    Raises
    ------
    RefusedError
        428 if the header is missing, 412 if it is no tag of ours.
    """
    if if_match is None:
        raise RefusedError(428, "Send If-Match with the ETag that you read, so that no other change is lost.")
    number = if_match.strip().strip('"')
    if not number.isdecimal():
        raise RefusedError(412, f"{if_match}: no such state. Read the resource again and use its ETag.")
    return int(number)
