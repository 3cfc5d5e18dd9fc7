"""`icefloe serve` and `icefloe worker`: the service for browsers and programs."""

from __future__ import annotations

from typing import Annotated

import typer

from icefloe.cli import context


def serve(
    host: Annotated[str, typer.Option(help="Address to bind; others than loopback need TLS.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to bind.")] = 8080,
    name: Annotated[
        list[str] | None,
        typer.Option(help="Host name that browsers use; give it once for each.", show_default=False),
    ] = None,
    tls_certificate: Annotated[str | None, typer.Option(help="Certificate file (PEM).")] = None,
    tls_key: Annotated[str | None, typer.Option(help="Key file of the certificate (PEM).")] = None,
    behind_proxy: Annotated[
        str | None, typer.Option(metavar="NAME", help="Host name of a proxy that speaks TLS to browsers.")
    ] = None,
    no_auth: Annotated[
        bool, typer.Option("--no-auth", help="Ask nobody who they are: on this machine only.")
    ] = False,
    web: Annotated[int, typer.Option(min=1, max=64, help="Web processes.")] = 1,
    workers: Annotated[
        int, typer.Option(min=0, max=64, help="Workers, which share this machine; 0: they run elsewhere.")
    ] = 1,
) -> None:
    """Serve the workspace's pages and API until interrupted."""
    from serving.options import Options
    from serving.serve import serve as run

    options = Options(
        host=host,
        port=port,
        names=(*([behind_proxy] if behind_proxy else []), *(name or [])),
        behind_proxy=behind_proxy is not None,
        certificate=tls_certificate,
        key=tls_key,
        no_auth=no_auth,
    )
    run(context.settings(), options, web, workers, context.say)


def worker(
    share: Annotated[
        int, typer.Option(min=1, max=64, help="Workers on this machine; each takes its share of it.")
    ] = 1,
) -> None:
    """Do the service's jobs until interrupted: for workers beside those of `icefloe serve`."""
    from serving.worker.worker import run_worker

    run_worker(context.settings(), share, context.say)
