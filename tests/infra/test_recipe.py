"""The image's recipe agrees with the manifests, and its health check asks what a container serves."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from infra.images import health
from infra.images.health import is_well
from tests.infra.test_manifests import values, written

REPOSITORY = Path(__file__).parents[2]
RECIPE = (REPOSITORY / "infra" / "images" / "Containerfile").read_text(encoding="utf-8")


def test_an_engine_without_buildkit_can_build_it():
    assert not re.search(r"^# *syntax|--mount|<<|^(COPY|ADD) --(link|chmod|parents|exclude)", RECIPE, re.M)


def test_its_user_is_the_one_of_the_manifests():
    (user,) = re.findall(r"^USER (\d+):\1$", RECIPE, re.M)
    ours = [pod for doc in written() for pod in values(doc, "securityContext") if "runAsGroup" in pod]
    assert len(ours) > 5
    assert {pod["runAsUser"] for pod in ours if pod["runAsGroup"] == int(user)} == {int(user)}


def test_its_tag_is_the_one_of_the_manifests():
    tags = {
        image["newTag"]
        for doc in written()
        for images in values(doc, "images")
        for image in images
        if image["name"] == "icefloe"
    }
    assert tags == {version("icefloe")}


def test_it_sets_what_pods_set():
    path = REPOSITORY / "infra" / "kustomize" / "base" / "kustomization.yaml"
    base = yaml.safe_load(path.read_text(encoding="utf-8"))
    (literals,) = (made["literals"] for made in base["configMapGenerator"] if "literals" in made)
    environment = set(re.findall(r"^(?:ENV| {3}) (\w+=\S+)", RECIPE, re.M))
    assert set(literals) <= environment


@pytest.fixture(params=[200, 503])
def answering(request, monkeypatch) -> Iterator[tuple[int, list[str]]]:
    """A server with one answer, and the paths that it was asked for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(request.param)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever).start()
    monkeypatch.setattr(
        health, "SERVERS", [(words, server.server_port, path) for words, _, path in health.SERVERS]
    )
    yield request.param, asked
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("command", "path"),
    [
        (["/opt/icefloe/bin/python", "/opt/icefloe/bin/icefloe", "serve", "--host", "0.0.0.0"], "/healthz"),
        (["/opt/icefloe/bin/python", "/opt/icefloe/bin/mlflow", "server"], "/health"),
        (["/bin/bash", "-c", "ulimit -n 65536; ray start --head --block"], "/api/local_raylet_healthz"),
    ],
    ids=["service", "mlflow", "ray"],
)
def test_what_serves_is_well_if_it_says_so(answering, command, path):
    status, asked = answering
    assert is_well(command) == (status == 200)
    assert asked == [path]


def test_what_does_not_answer_at_the_port_that_it_names_is_not_well():
    assert not is_well(["python", "icefloe", "serve", "--port", "9"])


def test_a_step_is_well_while_it_runs():
    assert is_well(["sh", "-c", "python3 -m kfp.dsl.executor_main", ""])
