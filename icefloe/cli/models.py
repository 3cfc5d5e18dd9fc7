"""`icefloe models`: versions EA-Tn, their lineage, promotion and rollback."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icefloe.cli.context import bold, console, progress, say, settings, table

if TYPE_CHECKING:
    from icefloe.registry.registry import Registry

app = typer.Typer(help="Versions EA-Tn and FS-Tn: list, show, promote, roll back.", no_args_is_help=True)

Name = Annotated[
    str, typer.Argument(help="A version such as EA-T2, or an alias: champion, challenger, previous.")
]


def _registry() -> Registry:
    from icefloe.registry.registry import Registry

    return Registry(settings())


@app.command("list")
def list_() -> None:
    """List the registered versions, family by family, oldest first."""
    from icefloe.registry.families import families
    from icefloe.registry.registry import Registry

    versions = [version for family in families() for version in Registry(settings(), family).list()]
    if not versions:
        say("No version yet. Train one with ", bold("icefloe pipeline run train"), ".")
        return
    listing = table("Versions", "version", "alias", "parent", "gate", "data", "held-out Dice", "created")
    for version in versions:
        listing.add_row(
            version.name,
            ", ".join(version.aliases),
            version.parent or "scratch",
            f"{version.verdict or '-'}{' *' if version.provisional else ''}",
            version.data_md5[:8],
            ", ".join(f"{name} {scores['dice']:.3f}" for name, scores in version.metrics.items()),
            version.created[:16],
        )
    console.print(listing)
    for version in versions:
        if version.provisional:
            say(f"* {version.provisional_line()}")


@app.command()
def show(version: Name) -> None:
    """Show all that is known of a version: data, images, labels, their authors, weights, gate, history."""
    for title, content in _registry().show(version).sections().items():
        if not content.rows:
            continue
        section = table(title, *content.columns)
        for row in content.rows:
            section.add_row(*row)
        console.print(section)


@app.command("calibrate")
def calibrate_(
    version: Name = "champion",
    data: Annotated[
        list[str] | None,
        typer.Option("-d", "--data", help="Dataset with labels that this version was not trained on."),
    ] = None,
    simulated: Annotated[int, typer.Option(min=0, help="Number of simulated experiments to add.")] = 0,
    max_error: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Largest share of an image's pixels that may be wrong and not abstained from."
        ),
    ] = 0.005,
    seed: Annotated[int, typer.Option(help="Seed of the simulated experiments.")] = 0,
) -> None:
    """Calibrate what a version promises on new experiments: intervals for areas, and where it abstains.

    `icefloe predict` then uses the calibration. Take experiments of the kind that the version will be used
    on: 90 % intervals need at least 9 of them, and come within two points of 90 % with 50.
    """
    from icefloe.workflow.versions import calibrate_version

    with progress() as bars:
        guarantees = calibrate_version(settings(), version, data or (), simulated, max_error, seed, bars)
    for sentence in guarantees.sentences():
        say(sentence)


@app.command()
def accept_experiment(
    dataset: Annotated[str, typer.Argument(help="Dataset of the workspace, such as D6.")],
    version: Annotated[str, typer.Option(help="A version such as EA-T2, or an alias.")] = "champion",
    reason: Annotated[
        str, typer.Option(help="Why the dataset is harmless. Needed if the drift gate does not accept it.")
    ] = "",
) -> None:
    """Add a dataset to a version's benchmark: the drift gate learns how much your experiments vary."""
    from icefloe.workflow.drift import accept_experiment

    with progress() as bars:
        report = accept_experiment(settings(), dataset, version, reason, bars)
    say(f"{dataset} has joined the benchmark of {version}. Before: {report.sentence()}")


@app.command()
def promote(
    version: Name,
    force: Annotated[bool, typer.Option(help="Overrule the promotion gate; needs --reason.")] = False,
    reason: Annotated[str, typer.Option(help="The reason, which the history keeps.")] = "",
) -> None:
    """Make a version the champion, if the promotion gate has passed it."""
    registry = _registry()
    entry = registry.promote(version, force=force, reason=reason)
    say(entry.sentence() if entry else f"{version} is the champion already.")
    _say_if_provisional(registry)


@app.command()
def rollback(
    reason: Annotated[str, typer.Option(help="The reason, which the history keeps.")] = "",
) -> None:
    """Make the previous champion the champion again."""
    registry = _registry()
    say(registry.rollback(reason=reason).sentence())
    _say_if_provisional(registry)


def _say_if_provisional(registry: Registry) -> None:
    champion = registry.champion()
    if champion and champion.provisional:
        say(champion.provisional_line())


@app.command()
def download(
    version: Name,
    output: Annotated[Path, typer.Argument(help="New folder for ensemble.yaml and the weights.")],
) -> None:
    """Copy a version's ensemble directory, checking every file's hash."""
    say(str(_registry().download(version, output)))
