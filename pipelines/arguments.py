"""Arguments of a run, checked as the server of Kubeflow Pipelines checks them, before anything is sent."""

from collections.abc import Mapping
from typing import Any

from icefloe.errors import IcefloeError

KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "STRING": ((str,), "a text"),
    "BOOLEAN": ((bool,), "true or false"),
    "NUMBER_INTEGER": ((int,), "a whole number"),
    "NUMBER_DOUBLE": ((int, float), "a number"),
    "LIST": ((list, tuple), "a list"),
    "STRUCT": ((dict,), "a table"),
}
"""KFP's name of a parameter's type -> what it may be in Python, and in words."""


def check_arguments(package: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
    """Refuse arguments that a package does not take.

    Parameters
    ----------
    package
        A compiled pipeline.
    arguments
        Parameter -> value.

    Raises
    ------
    IcefloeError
        If one is missing, unknown, or of another type than the pipeline says.
    """
    name = package["pipelineInfo"]["name"]
    known = package["root"].get("inputDefinitions", {}).get("parameters", {})
    for key, value in arguments.items():
        if key not in known:
            raise IcefloeError(f"{name}: no parameter {key!r}. There are: {', '.join(known)}.")
        types, words = KINDS[known[key]["parameterType"]]
        is_of_type = isinstance(value, types) and (bool in types or not isinstance(value, bool))
        if not is_of_type:
            raise IcefloeError(f"{name}: {key} is {value!r}, but it has to be {words}. Correct it.")
    for key, definition in known.items():
        if key not in arguments and not definition.get("isOptional") and "defaultValue" not in definition:
            raise IcefloeError(f"{name}: {key} is missing, and it has no default. Give it a value.")
