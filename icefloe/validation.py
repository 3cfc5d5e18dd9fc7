"""Values from outside into pydantic models; the first problem as one sentence."""

import reprlib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from icefloe.errors import IcefloeError

_SHORT = reprlib.Repr()
_SHORT.maxstring = 80

Model = TypeVar("Model", bound=BaseModel)


def validated(model: type[Model], data: Any, source: Path | str, remedy: str = "Fix that entry.") -> Model:
    """Make a model of plain values.

    Parameters
    ----------
    model
        Pydantic class to validate against.
    data
        Data from a file or a person: a mapping, or bytes or text of JSON.
    source
        What the error names: a file, or a text. A text that ends in a dot is the start of the entry's name.
    remedy
        Sentence that says what the user should do.

    Raises
    ------
    IcefloeError
        If an entry is unknown, missing or wrong.
    """
    try:
        return (
            model.model_validate_json(data) if isinstance(data, bytes | str) else model.model_validate(data)
        )
    except ValidationError as error:
        joint = "" if str(source).endswith(".") else ": "
        raise IcefloeError(f"{source}{joint}{first_problem(error)}. {remedy}") from error
    except IcefloeError as error:  # a validator's own
        raise IcefloeError(f"{str(source).removesuffix('.')}: {error}") from error


def first_problem(error: ValidationError) -> str:
    """`training.epochs: Input should be greater than 0, not -1`, the first of the problems found."""
    first = error.errors()[0]
    entry = ".".join(str(part) for part in first["loc"]) or "the whole file"
    given = first["input"]
    is_value = isinstance(given, str | int | float) and first["type"] != "extra_forbidden"
    return f"{entry}: {first['msg']}" + (f", not {_SHORT.repr(given)}" if is_value else "")
