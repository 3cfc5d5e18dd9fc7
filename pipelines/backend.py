"""A compiled pipeline made fit for a cluster: image, resources, retries, reuse, and what pods are given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Value
from kfp.kubernetes import kubernetes_executor_config_pb2 as kubernetes
from kfp.pipeline_spec.pipeline_spec_pb2 import TaskInputsSpec

from icefloe.pods import Pods
from icefloe.settings import RUN_VARIABLE
from icefloe.settings_sources import MOUNTED_VARIABLE
from pipelines.needs import BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS, NEEDS, Needs

Document = dict[str, Any]

SETTINGS_FOLDER = "/etc/icefloe"
SECRET_ENTRIES = {
    "ICEFLOE_DATABASE_URL": True,
    "ICEFLOE_DATA_REPO": False,
    "AWS_ACCESS_KEY_ID": False,
    "AWS_SECRET_ACCESS_KEY": False,
    "MLFLOW_TRACKING_USERNAME": False,
    "MLFLOW_TRACKING_PASSWORD": False,
    "RAY_AUTH_TOKEN": False,
}
"""Entries of the secret -> whether it must have them: other stores may let a pod in by its account."""

STORE_ENTRIES = ("AWS_REGION", "AWS_ENDPOINT_URL_S3")
"""Entries of a second config map, where it has them: where the S3 store is."""

RUN_LABEL = "metadata.labels['pipeline/runid']"
"""Holds the run's id. Kubeflow's placeholder for it, `{{$.pipeline_job_uuid}}`, is replaced in inputs only:
an environment is handed on as it is written."""


def fit_for_cluster(package: Document, image: str, pods: Pods) -> Document:
    """Give every step its image and what it needs; return the document of the platform that goes with it.

    Parameters
    ----------
    package
        A compiled pipeline, which is changed.
    image
        Container image of all steps.
    pods
        What the cluster has for their pods.

    Returns
    -------
    dict
        The second document of the package.
    """
    surroundings = {}
    for label, executor in package["deploymentSpec"]["executors"].items():
        needs = NEEDS[component_of(executor)]
        container = executor["container"]
        container["image"] = image
        container["resources"] = _resources(needs, pods)
        container["env"] = [{"name": MOUNTED_VARIABLE, "value": f"{SETTINGS_FOLDER}/icefloe.toml"}]
        surroundings[label] = json_format.MessageToDict(_surroundings(needs, pods))
    for task, label in executed_tasks(package):
        needs = NEEDS[component_of(package["deploymentSpec"]["executors"][label])]
        task["cachingOptions"] = {"enableCache": True} if needs.reused else {}
        task["retryPolicy"] = {
            "maxRetryCount": needs.retries,
            "backoffDuration": f"{BACKOFF_SECONDS}s",
            "backoffFactor": 2.0,
            "backoffMaxDuration": f"{LONGEST_BACKOFF_SECONDS}s",
        }
    return {"platforms": {"kubernetes": {"deploymentSpec": {"executors": surroundings}}}}


def component_of(executor: Document) -> str:
    """Name of the component that an executor runs."""
    arguments = executor["container"]["args"]
    return str(arguments[arguments.index("--function_to_execute") + 1])


def executed_tasks(package: Document) -> Iterator[tuple[Document, str]]:
    """Every task that runs in a pod, in the pipeline and those inside it, and its executor's label."""
    components = package["components"]
    for component in (package["root"], *components.values()):
        for task in component.get("dag", {}).get("tasks", {}).values():
            label = components[task["componentRef"]["name"]].get("executorLabel")
            if label is not None:
                yield task, label


def _resources(needs: Needs, pods: Pods) -> Document:
    resources: Document = {
        "resourceCpuRequest": needs.cpu,
        "resourceCpuLimit": needs.cpu,
        "resourceMemoryRequest": needs.memory,
        "resourceMemoryLimit": needs.memory,
    }
    if pods.gpu and needs.gpus:
        resources["accelerator"] = {"resourceType": pods.gpu, "resourceCount": str(needs.gpus)}
    return resources


def _surroundings(needs: Needs, pods: Pods) -> kubernetes.KubernetesExecutorConfig:
    return kubernetes.KubernetesExecutorConfig(
        active_deadline_seconds=60 * needs.minutes,
        empty_dir_mounts=[
            kubernetes.EmptyDirMount(volume_name="tmp", mount_path="/tmp", size_limit=needs.scratch)
        ],
        field_path_as_env=[kubernetes.FieldPathAsEnv(name=RUN_VARIABLE, field_path=RUN_LABEL)],
        secret_as_env=[
            kubernetes.SecretAsEnv(
                secret_name=pods.secret,
                secret_name_parameter=_constant(pods.secret),
                key_to_env=[kubernetes.SecretAsEnv.SecretKeyToEnvMap(secret_key=entry, env_var=entry)],
                optional=not is_needed,
            )
            for entry, is_needed in SECRET_ENTRIES.items()
        ],
        config_map_as_env=[
            kubernetes.ConfigMapAsEnv(
                config_map_name=f"{pods.config_map}-environment",
                config_map_name_parameter=_constant(f"{pods.config_map}-environment"),
                key_to_env=[
                    kubernetes.ConfigMapAsEnv.ConfigMapKeyToEnvMap(config_map_key=entry, env_var=entry)
                ],
                optional=True,
            )
            for entry in STORE_ENTRIES
        ],
        config_map_as_volume=[
            kubernetes.ConfigMapAsVolume(
                config_map_name=pods.config_map,
                config_map_name_parameter=_constant(pods.config_map),
                mount_path=SETTINGS_FOLDER,
                optional=False,
            )
        ],
        image_pull_policy=pods.pull_policy,
        image_pull_secret=[
            kubernetes.ImagePullSecret(secret_name=name, secret_name_parameter=_constant(name))
            for name in pods.pull_secrets
        ],
        node_selector=kubernetes.NodeSelector(labels=pods.node_selector) if pods.node_selector else None,
        tolerations=[kubernetes.Toleration(**toleration.model_dump()) for toleration in pods.tolerations],
    )


def _constant(name: str) -> TaskInputsSpec.InputParameterSpec:
    parameter = TaskInputsSpec.InputParameterSpec()
    parameter.runtime_value.constant.CopyFrom(Value(string_value=name))
    return parameter
