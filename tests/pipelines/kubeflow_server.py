"""A server that answers as Kubeflow Pipelines' API does, and keeps what it is told: not the real backend.

What it takes and gives has the form of `kfp_server_api`'s own models; a field that they lack is refused.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import kfp_server_api as api
import yaml

CLIENT = api.ApiClient()


class RefusedError(Exception):
    def __init__(self, status: int, message: str) -> None:
        self.status, self.message = status, message


class KubeflowServer(ThreadingHTTPServer):
    """State of the server, and what a test may set.

    Attributes
    ----------
    tokens
        Those that are let in; None: anybody is.
    forbidden
        Part of a path that nobody may ask for.
    multi_user
        Whether it asks for a namespace, or refuses one.
    steps
        Called with the id of a run that is started: does what its steps would do.
    progress
        What a run says at each look, the last for good.
    logs
        Pod -> what it has printed.
    enabled
        Recurring runs that were on after each request that changed one.
    fail_after
        How many changes are made before the server refuses all others.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.tokens: set[str] | None = None
        self.forbidden = ""
        self.multi_user = False
        self.pipelines: dict[str, api.V2beta1Pipeline] = {}
        self.versions: dict[str, api.V2beta1PipelineVersion] = {}
        self.experiments: dict[str, api.V2beta1Experiment] = {}
        self.runs: dict[str, api.V2beta1Run] = {}
        self.recurring: dict[str, api.V2beta1RecurringRun] = {}
        self.steps: Callable[[str], None] = lambda _run_id: None
        self.progress: list[api.V2beta1Run] = []
        self.logs: dict[str, str] = {}
        self.enabled: list[list[str]] = []
        self.requests: list[str] = []
        self.policies: list[str] = []
        self.fail_after = 10**6
        self.numbers = iter(range(1, 10**6))

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def changes(self) -> list[str]:
        """The requests that changed something."""
        return [request for request in self.requests if not request.startswith("GET")]


@contextmanager
def kubeflow_server() -> Iterator[KubeflowServer]:
    with KubeflowServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Handler(BaseHTTPRequestHandler):
    server: KubeflowServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.answer()

    do_POST = do_DELETE = do_GET  # noqa: N815

    def answer(self) -> None:
        parts = urlsplit(self.path)
        self.query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kind = "application/json"
        try:
            self.check(parts.path)
            self.server.requests.append(f"{self.command} {parts.path}")
            made = self.route(self.command, parts.path.removeprefix("/apis/").split("/"))
            status = 200
            if isinstance(made, str):
                content, kind = made.encode(), "text/plain"
            else:
                content = json.dumps(CLIENT.sanitize_for_serialization(made)).encode()
        except RefusedError as error:
            status = error.status
            content = json.dumps({"error": error.message, "code": 3, "message": error.message}).encode()
        if self.command != "GET" and "recurringruns" in parts.path:
            self.server.enabled.append(
                [key for key, one in self.server.recurring.items() if one.mode == api.RecurringRunMode.ENABLE]
            )
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def check(self, path: str) -> None:
        server = self.server
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        if server.tokens is not None and token not in server.tokens:
            raise RefusedError(401, "Request header error: there is no valid token")
        if server.forbidden and server.forbidden in path:
            raise RefusedError(403, "User 'ann' is not authorized with reason: no role in namespace kubeflow")
        if len(server.changes()) >= server.fail_after and self.command != "GET":
            raise RefusedError(500, "the server was stopped")
        if "namespace" in self.query and not server.multi_user:
            raise RefusedError(400, "In single-user mode, nothing can be filtered by namespace")

    def route(self, method: str, path: list[str]) -> Any:
        server = self.server
        match method, path[1:]:
            case "GET", ["healthz"]:
                return api.V2beta1GetHealthzResponse(multi_user=server.multi_user)
            case "GET", ["pipelines"]:
                return self.listed(api.V2beta1ListPipelinesResponse, "pipelines", server.pipelines)
            case "POST", ["pipelines"]:
                return self.keep(server.pipelines, api.V2beta1Pipeline, "pipeline_id")
            case "GET", ["pipelines", pipeline, "versions"]:
                mine = {k: v for k, v in server.versions.items() if v.pipeline_id == pipeline}
                return self.listed(api.V2beta1ListPipelineVersionsResponse, "pipeline_versions", mine)
            case "POST", ["pipelines", "upload_version"]:
                return self.upload()
            case "GET", ["experiments"]:
                return self.listed(api.V2beta1ListExperimentsResponse, "experiments", server.experiments)
            case "POST", ["experiments"]:
                return self.keep(server.experiments, api.V2beta1Experiment, "experiment_id")
            case "POST", ["runs"]:
                run = self.keep(server.runs, api.V2beta1Run, "run_id")
                self.check_version(run)
                server.steps(run.run_id)
                return run
            case "GET", ["runs", run_id] if run_id in server.runs:
                told = server.progress.pop(0) if len(server.progress) > 1 else server.progress[0]
                told.run_id = run_id
                return told
            case "GET", ["runs", _, "nodes", pod, "log"] if pod in server.logs:
                return server.logs[pod]
            case "GET", ["recurringruns"]:
                return self.listed(api.V2beta1ListRecurringRunsResponse, "recurring_runs", server.recurring)
            case "POST", ["recurringruns"]:
                one = self.keep(server.recurring, api.V2beta1RecurringRun, "recurring_run_id")
                self.check_version(one)
                one.service_account = one.service_account or "pipeline-runner"
                if len(one.trigger.cron_schedule.cron.split()) != 6:
                    raise RefusedError(400, "Schedule cron is not supported")
                return one
            case "POST", ["recurringruns", what]:
                key, _, mode = what.partition(":")
                server.recurring[key].mode = mode.upper()
                return {}
            case "DELETE", ["recurringruns", key]:
                server.policies.append(self.query.get("propagation_policy", ""))
                del server.recurring[key]
                return {}
        raise RefusedError(404, f"{'/'.join(path)} not found")

    def listed(self, response: type, kind: str, there: dict[str, Any]) -> Any:
        """Those that pass the filter of the request, in pages of one."""
        found = list(there.values())
        for predicate in json.loads(self.query.get("filter", "{}")).get("predicates", ()):
            assert predicate["operation"] == "EQUALS"
            found = [one for one in found if getattr(one, predicate["key"]) == predicate["stringValue"]]
        start = int(self.query.get("page_token", 0))
        more = str(start + 1) if start + 1 < len(found) else None
        return response(**{kind: found[start : start + 1]}, next_page_token=more)

    def keep(self, there: dict[str, Any], model: type, key: str) -> Any:
        """What the body holds, as the model, with an id of its own."""
        content = json.loads(self.body)
        unknown = set(content) - set(model.attribute_map.values())
        if unknown:
            raise RefusedError(400, f"unknown field {sorted(unknown)[0]!r}")
        made = CLIENT._ApiClient__deserialize(content, model)
        identifier = f"{key.removesuffix('_id')}-{next(self.server.numbers)}"
        setattr(made, key, identifier)
        if hasattr(made, "created_at"):
            made.created_at = datetime.now(UTC)
        there[identifier] = made
        return made

    def upload(self) -> api.V2beta1PipelineVersion:
        headers = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        (file,) = BytesParser().parsebytes(headers + self.body).get_payload()
        version = api.V2beta1PipelineVersion(
            pipeline_id=self.query["pipelineid"],
            pipeline_version_id=f"version-{next(self.server.numbers)}",
            display_name=self.query["display_name"],
            name=self.query["name"],
            pipeline_spec=list(yaml.safe_load_all(file.get_payload(decode=True))),
            created_at=datetime.now(UTC),
        )
        self.server.versions[version.pipeline_version_id] = version
        return version

    def check_version(self, made: Any) -> None:
        """As Kubeflow does: the version is there, and every parameter without a default is given."""
        version = self.server.versions.get(made.pipeline_version_reference.pipeline_version_id)
        if version is None:
            raise RefusedError(404, "pipeline version not found")
        given = made.runtime_config.parameters or {}
        definitions = version.pipeline_spec[0]["root"]["inputDefinitions"]["parameters"]
        for name, definition in definitions.items():
            if name not in given and not definition.get("isOptional") and "defaultValue" not in definition:
                raise RefusedError(400, f"parameter {name} is not optional, yet has neither default value")
