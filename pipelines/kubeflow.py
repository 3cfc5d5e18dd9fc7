"""The API of Kubeflow Pipelines, as far as submitting and scheduling need it.

By the generated client: `kfp.Client` prints, reads a cluster's configuration from wherever it finds one, and
cannot replace a recurring run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kfp_server_api as api
from kfp_server_api.exceptions import ApiException
from urllib3 import Retry
from urllib3.exceptions import HTTPError

from icefloe.errors import IcefloeError
from icefloe.settings import Settings

TIMEOUT_S = (5, 60)
"""Of a connection, and of an answer."""

BACKOFF_S = 0.5
"""Before a request is sent a third time; twice as long before the next."""

TOKEN_VARIABLE = "KF_PIPELINES_SA_TOKEN_PATH"
TOKEN_FILE = "/var/run/secrets/kubeflow/pipelines/token"
"""Where Kubernetes puts a pod's token for Kubeflow Pipelines, and puts a new one before it expires."""

PAGE_SIZE = 100


class Kubeflow:
    """Kubeflow Pipelines at `pipelines_host`.

    Parameters
    ----------
    settings
        Address, namespace and token.

    Raises
    ------
    IcefloeError
        If there is no address, or nothing there that answers as Kubeflow Pipelines does. So do all methods
        where the server refuses what is asked.
    """

    def __init__(self, settings: Settings) -> None:
        if not settings.pipelines_host.startswith(("http://", "https://")):
            raise IcefloeError(
                f"pipelines_host: {settings.pipelines_host or 'not set'}. Set ICEFLOE_PIPELINES_HOST to the "
                "address of Kubeflow Pipelines, such as https://kubeflow.example.org/pipeline."
            )
        self.host = settings.pipelines_host.rstrip("/")
        self._pages = (settings.pipelines_ui or self.host).rstrip("/")
        self._client = api.ApiClient(_configuration(self.host, settings))
        self._pipelines = api.PipelineServiceApi(self._client)
        self._uploads = api.PipelineUploadServiceApi(self._client)
        self._experiments = api.ExperimentServiceApi(self._client)
        self._runs = api.RunServiceApi(self._client)
        self._recurring = api.RecurringRunServiceApi(self._client)
        health = self._call(api.HealthzServiceApi(self._client).healthz_service_get_healthz)
        kind = self._client.last_response.getheader("content-type") or ""
        if not kind.startswith("application/json"):  # a page to sign in at, or somebody else's
            raise self._refusal(None)
        # A server for one user refuses to be asked for a namespace.
        self._namespace = settings.pipelines_namespace if health.multi_user else None

    def run_page(self, run_id: str) -> str:
        """Address of a run's page."""
        return f"{self._pages}/#/runs/details/{run_id}"

    def version_id(self, pipeline: str, version: str, package: Path) -> tuple[str, str]:
        """Ids of a pipeline and of a version of it; what is not there yet is made, of the package."""
        pipelines = self._list(self._pipelines.pipeline_service_list_pipelines, "pipelines", pipeline)
        pipeline_id = pipelines[0].pipeline_id if pipelines else self._make_pipeline(pipeline)
        versions = self._list(
            lambda **query: self._pipelines.pipeline_service_list_pipeline_versions(
                pipeline_id, **_without_namespace(query)
            ),
            "pipeline_versions",
            version,
        )
        if versions:
            return pipeline_id, versions[0].pipeline_version_id
        made = self._call(
            self._uploads.upload_pipeline_version,
            str(package),
            name=version,
            display_name=version,
            pipelineid=pipeline_id,
        )
        return pipeline_id, made.pipeline_version_id

    def experiment_id(self, name: str) -> str:
        """Id of an experiment, which is made if it is not there."""
        found = self._list(self._experiments.experiment_service_list_experiments, "experiments", name)
        if found:
            return str(found[0].experiment_id)
        experiment = api.V2beta1Experiment(display_name=name, namespace=self._namespace)
        made = self._call(self._experiments.experiment_service_create_experiment, experiment)
        return str(made.experiment_id)

    def start(self, run: api.V2beta1Run) -> str:
        """Start a run; return its id."""
        return str(self._call(self._runs.run_service_create_run, run).run_id)

    def run(self, run_id: str) -> api.V2beta1Run:
        """A run as it is now."""
        return self._call(self._runs.run_service_get_run, run_id)

    def log(self, run_id: str, pod: str) -> str:
        """What a step has printed."""
        place = f"/apis/v1alpha1/runs/{run_id}/nodes/{pod}/log"
        options = {"response_type": "str", "auth_settings": ["Bearer"], "_return_http_data_only": True}
        return str(self._call(self._client.call_api, place, "GET", **options))

    def recurring_runs(self, experiment_id: str, name: str = "") -> list[api.V2beta1RecurringRun]:
        """The recurring runs of an experiment that have a name; no name: all of them."""
        return self._list(
            self._recurring.recurring_run_service_list_recurring_runs,
            "recurring_runs",
            name,
            experiment_id=experiment_id,
        )

    def make_recurring_run(self, recurring: api.V2beta1RecurringRun) -> str:
        """Make a recurring run; return its id."""
        made = self._call(self._recurring.recurring_run_service_create_recurring_run, recurring)
        return str(made.recurring_run_id)

    def enable(self, recurring_run_id: str) -> None:
        """Let a recurring run start runs."""
        self._call(self._recurring.recurring_run_service_enable_recurring_run, recurring_run_id)

    def disable(self, recurring_run_id: str) -> None:
        """Let a recurring run start no more runs."""
        self._call(self._recurring.recurring_run_service_disable_recurring_run, recurring_run_id)

    def remove(self, recurring_run_id: str) -> None:
        """Remove a recurring run, but not a run of it that goes on, which Kubernetes would remove with it."""
        self._call(
            self._recurring.recurring_run_service_delete_recurring_run,
            recurring_run_id,
            propagation_policy=api.V2beta1DeletePropagationPolicy.ORPHAN,
        )

    def _make_pipeline(self, name: str) -> str:
        pipeline = api.V2beta1Pipeline(name=name, display_name=name, namespace=self._namespace)
        return str(self._call(self._pipelines.pipeline_service_create_pipeline, pipeline).pipeline_id)

    def _list(self, operation: Callable[..., Any], kind: str, name: str, **query: Any) -> list[Any]:
        """Everything of a kind that has a name, from all pages of the answer."""
        if name:
            query["filter"] = json.dumps(
                {"predicates": [{"operation": "EQUALS", "key": "display_name", "stringValue": name}]}
            )
        return list(self._pages_of(operation, kind, query))

    def _pages_of(self, operation: Callable[..., Any], kind: str, query: dict[str, Any]) -> Iterator[Any]:
        if self._namespace and "experiment_id" not in query:
            query["namespace"] = self._namespace
        token = ""
        while True:
            answer = self._call(operation, page_size=PAGE_SIZE, page_token=token, **query)
            yield from getattr(answer, kind) or ()
            token = answer.next_page_token
            if not token:
                return

    def _call(self, operation: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        try:
            return operation(*arguments, _request_timeout=TIMEOUT_S, **options)
        except (ApiException, HTTPError, AttributeError, ValueError) as error:
            raise self._refusal(error) from error

    def _refusal(self, error: Exception | None) -> IcefloeError:
        """What a person can do about an error of a request."""
        if isinstance(
            error, AttributeError
        ):  # the client's own, where there is no answer, such as without TLS
            error = error.__context__ if isinstance(error.__context__, ApiException) else error
        if isinstance(error, ApiException) and error.status:
            return IcefloeError(f"{self.host}: {_reason(error)}")
        reason = " ".join(str(getattr(error, "reason", None) or error or "it answers with a page").split())
        return IcefloeError(
            f"{self.host}: Kubeflow Pipelines does not answer there ({reason}). "
            "Check ICEFLOE_PIPELINES_HOST, and that this machine reaches it."
        )


def _configuration(host: str, settings: Settings) -> api.Configuration:
    configuration = api.Configuration(host=host)
    configuration.retries = Retry(
        total=3, backoff_factor=BACKOFF_S, status_forcelist=(502, 503, 504), redirect=0
    )
    configuration.retries.raise_on_status = False
    configuration.api_key_prefix["authorization"] = "Bearer"
    if settings.pipelines_token is not None:
        configuration.api_key["authorization"] = settings.pipelines_token.get_secret_value()
    else:
        _read_token(configuration)
        configuration.refresh_api_key_hook = _read_token  # asked before every request
    return configuration


def _read_token(configuration: api.Configuration) -> None:
    path = Path(os.environ.get(TOKEN_VARIABLE, TOKEN_FILE))
    if path.is_file():
        configuration.api_key["authorization"] = path.read_text(encoding="utf-8").strip()


def _reason(error: ApiException) -> str:
    """What a status means, and what to do."""
    try:
        said = str(json.loads(error.body)["message"])
    except (TypeError, ValueError, KeyError):
        said = str(error.reason)
    said = " ".join(said.split())[:300]
    if error.status == 401:
        return (
            f"the token is missing, wrong or expired ({said}). Put a new one in the file that "
            "ICEFLOE_PIPELINES_TOKEN_FILE names."
        )
    if error.status == 403:
        return (
            f"this account may not do that ({said}). Ask for the right in the namespace, or set "
            "ICEFLOE_PIPELINES_NAMESPACE to one where you have it."
        )
    if error.status == 404:
        return (
            f"there is no such thing ({said}). Check ICEFLOE_PIPELINES_HOST, and what was removed meanwhile."
        )
    return f"it refused ({error.status}: {said}). Correct that, or ask who runs Kubeflow."


def _without_namespace(query: dict[str, Any]) -> dict[str, Any]:
    """A pipeline's versions are asked for by the pipeline."""
    return {key: value for key, value in query.items() if key != "namespace"}
