"""Reading of the files that workers write for web processes."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from icefloe.errors import IcefloeError

Form = TypeVar("Form", bound=BaseModel)


def read_written(form: type[Form], path: Path, remedy: str) -> Form | None:
    """The content of a JSON file; None while no worker has written it.

    Raises
    ------
    IcefloeError
        If the file is not a worker's; `remedy` says what to do.
    """
    try:
        return form.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise IcefloeError(f"{path}: not what this Icefloe's worker writes. {remedy}") from error
