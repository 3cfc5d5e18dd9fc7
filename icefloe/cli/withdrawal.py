"""`icefloe labels withdraw|withdrawn`: take labels back, and see what they had trained."""

from __future__ import annotations

from typing import Annotated

import typer

from icefloe.cli.context import console, say, settings, table


def withdraw(
    reason: Annotated[str, typer.Option(help="What is wrong with them.", show_default=False)],
    keys: Annotated[
        list[str] | None, typer.Argument(metavar="[DATASET/IMAGE]...", help="Images, such as D3/stack_7.")
    ] = None,
    labeler: Annotated[
        str | None, typer.Option(help="All labels that are this person's, instead of certain images.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="Who withdraws them.", show_default="you, as the system names you")
    ] = None,
) -> None:
    """Take labels back: the next version is trained without them; nothing is erased from the history."""
    from icefloe.registry.history import current_user
    from icefloe.workflow.withdrawal import withdraw_labels

    found = withdraw_labels(settings(), keys or (), labeler, reason=reason, by=by or current_user())
    say(found.sentence())


def withdrawn() -> None:
    """List the labels that were withdrawn, and the versions that each had trained."""
    from icefloe.workflow.withdrawal import withdrawn_so_far

    found = withdrawn_so_far(settings())
    if not found.labels:
        say("No label was ever withdrawn.")
        return
    content = found.table()
    listing = table("Withdrawn labels", *content.columns)
    for row in content.rows:
        listing.add_row(*row)
    console.print(listing)
    if found.consequence():
        say(found.consequence())
