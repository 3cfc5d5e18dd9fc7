"""What the pods of a pipeline's steps need besides their image, on the cluster of a facility."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

KubernetesName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$")]


class Toleration(BaseModel):
    """A taint of nodes that steps may run on all the same, as Kubernetes has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = ""
    operator: Literal["Equal", "Exists"] = "Equal"
    value: str = ""
    effect: Literal["", "NoExecute", "NoSchedule", "PreferNoSchedule"] = ""


class Pods(BaseModel):
    """Names of what the cluster has for the steps; what it has in them no package says.

    Attributes
    ----------
    secret
        Secret whose entries become environment variables of the same names: `ICEFLOE_DATABASE_URL`, and where
        they are there `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `MLFLOW_TRACKING_USERNAME`,
        `MLFLOW_TRACKING_PASSWORD`, `RAY_AUTH_TOKEN`, and `ICEFLOE_DATA_REPO`, whose URL may hold a password.
    config_map
        Config map whose entry `icefloe.toml` holds the settings of the steps. Beside it `NAME-environment`
        may say where the S3 store is, in `AWS_REGION` and `AWS_ENDPOINT_URL_S3`.
    service_account
        Account that steps run as; empty: the one that Kubeflow Pipelines has for them.
    pull_policy, pull_secrets
        When and with what a node fetches the image.
    node_selector, tolerations
        Labels of the nodes that steps run on, and taints that they bear.
    gpu
        Resource by which a step gets a GPU, such as `nvidia.com/gpu`; empty: none asks for one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    secret: KubernetesName = "icefloe"
    config_map: KubernetesName = "icefloe"
    service_account: KubernetesName | Literal[""] = ""
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    pull_secrets: tuple[KubernetesName, ...] = ()
    node_selector: dict[str, str] = {}
    tolerations: tuple[Toleration, ...] = ()
    gpu: str = ""
