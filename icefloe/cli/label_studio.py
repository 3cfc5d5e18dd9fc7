"""`icefloe labels`: the queue's images into a running Label Studio, and annotations back."""

from __future__ import annotations

from typing import Annotated

import typer

from icefloe.cli.context import progress, say, settings

app = typer.Typer(help="Labels: to and from Label Studio, and taken back.", no_args_is_help=True)

ITS_OWN_URL = "http://localhost:8080"
"""Where Label Studio is unless it was told otherwise."""

Url = Annotated[str, typer.Option(envvar="LABEL_STUDIO_URL", help="Label Studio's address.")]
ApiKey = Annotated[
    str,
    typer.Option(
        envvar="LABEL_STUDIO_API_KEY",
        help="Your access token there; better in the variable, as others see a command's options.",
        show_default=False,
    ),
]
ProjectTitle = Annotated[
    str | None, typer.Option(help="Title of the project there; by default it is named after the workspace.")
]


@app.command("push")
def push_(
    url: Url = ITS_OWN_URL,
    api_key: ApiKey = "",
    project: ProjectTitle = None,
    dataset: Annotated[
        str | None, typer.Option("-d", "--dataset", help="Only this dataset's images.")
    ] = None,
) -> None:
    """Bring the waiting images with their predicted masks into a project; each once, however often."""
    from icefloe.workflow.labels import push_labels

    with progress() as bars:
        pushed = push_labels(settings(), url, api_key, project, dataset, bars)
    say(pushed.sentence())


@app.command("pull")
def pull_(url: Url = ITS_OWN_URL, api_key: ApiKey = "", project: ProjectTitle = None) -> None:
    """Take the project's annotations into the queue: each that fits. Then: `icefloe pipeline run retrain`."""
    from icefloe.workflow.labels import pull_labels

    with progress() as bars:
        result = pull_labels(settings(), url, api_key, project, bars)
    for sentence in result.sentences():
        say(sentence)
