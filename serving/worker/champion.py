"""Jobs that change the champion: promotion and rollback, by the person who asked."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from icefloe.errors import ConflictError
from icefloe.registry.registry import Registry
from serving.worker.context import Arguments, Context


def promote(context: Context, arguments: Arguments) -> Mapping[str, Any]:
    """Make a version the champion; the gate's refusal is the job's problem."""
    version = arguments["version"]
    with _as_expected(context, arguments["expected"]):
        entry = Registry(context.settings).promote(
            version, force=arguments["force"], reason=arguments["reason"], by=arguments["by"]
        )
    return {"sentence": entry.sentence() if entry else f"{version} is the champion already."}


def rollback(context: Context, arguments: Arguments) -> Mapping[str, Any]:
    """Make the champion before the present one the champion again."""
    with _as_expected(context, arguments["expected"]):
        entry = Registry(context.settings).rollback(reason=arguments["reason"], by=arguments["by"])
    return {"sentence": entry.sentence()}


@contextmanager
def _as_expected(context: Context, revision: int) -> Iterator[None]:
    """Refuse to change what has changed since the person saw it; show the change at once."""
    if context.snapshots.update().models.revision != revision:
        raise ConflictError("The models have changed since you looked at them. Look again, then decide.")
    yield
    context.snapshots.update()
