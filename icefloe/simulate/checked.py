"""Specifications of a simulation: frozen, with a one-line error for an impossible value."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from icefloe.errors import IcefloeError
from icefloe.validation import first_problem


class CheckedModel(BaseModel):
    """Base of the simulator's specifications; a value out of range raises `IcefloeError`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise IcefloeError(
                f"{type(self).__name__}.{first_problem(error)}. Choose another value."
            ) from error

    def changed(self, **values: Any) -> Self:
        """A copy with some values replaced, checked like a new one."""
        return type(self)(**{**{name: getattr(self, name) for name in type(self).model_fields}, **values})
