"""Our own rules for manifests, which Kubernetes' schemas do not have."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Manifest = Mapping[str, Any]
Found = Iterator[tuple[str, str]]
"""Fields, as a path to them, and what is wrong with each."""

_SECRET_NAME = re.compile(r"PASSWORD|SECRET|TOKEN|ACCESS_KEY|DATABASE_URL|STORE_URI")
_PASSWORD_IN_URL = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
_TAG = re.compile(r":(?P<tag>[\w][\w.-]*)$")


@dataclass(frozen=True)
class Problem:
    """What is wrong with a field of a manifest."""

    kind: str
    name: str
    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}: {self.field}: {self.reason}"


def broken_rules(manifests: Sequence[Manifest]) -> list[Problem]:
    """What in an overlay's manifests breaks a rule.

    Every image is an exact one; every container has requests and limits, and probes if it serves; none runs
    as root, writes outside of its volumes or gets a privilege; secrets are named, not written down; pods have
    no token for Kubernetes' API, save Ray's head, which asks it for workers; every namespace begins with a
    policy that denies all traffic.

    Parameters
    ----------
    manifests
        All that are applied together.
    """
    found = [
        Problem(manifest["kind"], manifest["metadata"]["name"], field, reason)
        for manifest in manifests
        for field, reason in _broken_in(manifest)
    ]
    if not any(_denies_all(manifest) for manifest in manifests):
        found.append(
            Problem("NetworkPolicy", "deny-all", "spec", "missing. Deny all traffic, then name what may be.")
        )
    return found


def _broken_in(manifest: Manifest) -> Found:
    yield from _written_secrets(manifest)
    for path, pod in _pods(manifest):
        yield from _pod(path, pod)
        if not path.startswith("spec.headGroupSpec."):
            yield from _token(path, pod)
    options = manifest.get("spec", {}).get("autoscalerOptions")
    if options is not None:  # KubeRay makes a container of them
        yield from _resources("spec.autoscalerOptions", options)
        yield from _privileges("spec.autoscalerOptions", options)


def _pods(node: Any, path: str = "") -> Iterator[tuple[str, Manifest]]:
    """Specifications of pods, wherever a manifest has them."""
    if isinstance(node, Mapping):
        if isinstance(node.get("containers"), list):
            yield path, node
        for name, value in node.items():
            yield from _pods(value, f"{path}.{name}" if path else name)
    elif isinstance(node, list):
        for position, value in enumerate(node):
            yield from _pods(value, f"{path}[{position}]")


def _pod(path: str, pod: Manifest) -> Found:
    context = pod.get("securityContext", {})
    if context.get("runAsNonRoot") is not True:
        yield f"{path}.securityContext.runAsNonRoot", "not true. No container may run as root."
    if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield f"{path}.securityContext.seccompProfile", "not RuntimeDefault."
    yield from _user(path, context)
    for kind in ("initContainers", "containers"):
        for container in pod.get(kind, ()):
            place = f"{path}.{kind}[{container['name']}]"
            yield from _image(place, container)
            yield from _resources(place, container)
            yield from _privileges(place, container)
            yield from _writable(place, container)
            if kind == "containers":
                yield from _probes(place, container)


def _token(path: str, pod: Manifest) -> Found:
    if pod.get("automountServiceAccountToken") is not False:
        yield f"{path}.automountServiceAccountToken", "not false. Nothing in it asks Kubernetes' API."


def _image(path: str, container: Manifest) -> Found:
    image = container.get("image", "")
    tag = _TAG.search(image.rpartition("/")[2])
    if "@sha256:" not in image and (tag is None or tag["tag"] == "latest"):
        yield f"{path}.image", f"{image}: its content may change. Name a version under `images:`."


def _resources(path: str, container: Manifest) -> Found:
    resources = container.get("resources", {})
    for kind in ("requests", "limits"):
        for resource in ("cpu", "memory"):
            if resource not in resources.get(kind, {}):
                yield f"{path}.resources.{kind}.{resource}", "missing. Say what it needs and may use."


def _probes(path: str, container: Manifest) -> Found:
    if container.get("ports"):
        for probe in ("readinessProbe", "livenessProbe"):
            if probe not in container:
                yield f"{path}.{probe}", "missing, and the container serves. Say how it is asked."


def _privileges(path: str, container: Manifest) -> Found:
    context, place = container.get("securityContext", {}), f"{path}.securityContext"
    if context.get("runAsNonRoot") is False:
        yield f"{place}.runAsNonRoot", "false. No container may run as root."
    yield from _user(path, context)
    if context.get("allowPrivilegeEscalation") is not False:
        yield f"{place}.allowPrivilegeEscalation", "not false."
    if context.get("readOnlyRootFilesystem") is not True:
        yield f"{place}.readOnlyRootFilesystem", "not true. Mount what it writes to."
    if context.get("privileged"):
        yield f"{place}.privileged", "true."
    capabilities = context.get("capabilities", {})
    if capabilities.get("drop") != ["ALL"] or capabilities.get("add"):
        yield f"{place}.capabilities", "not all dropped."


def _user(path: str, context: Manifest) -> Found:
    if context.get("runAsUser") == 0:
        yield f"{path}.securityContext.runAsUser", "0. No container may run as root."


def _writable(path: str, container: Manifest) -> Found:
    if not any(mount["mountPath"] == "/tmp" for mount in container.get("volumeMounts", ())):
        yield f"{path}.volumeMounts", "nothing at /tmp, where programs expect to write."


def _written_secrets(manifest: Manifest) -> Found:
    if manifest["kind"] == "Secret":
        yield "kind", "a secret's content. It is made in the cluster, and here only named."
    named = manifest.get("data", {}).items() if manifest["kind"] == "ConfigMap" else _variables(manifest)
    for name, value in named:
        if value and _SECRET_NAME.search(name):
            yield name, "a secret's value. Name the secret and its key."
    for path, text in _texts(manifest):
        if _PASSWORD_IN_URL.search(text):
            yield path, "a password in a URL. Name the secret and its key."


def _variables(node: Any) -> Iterator[tuple[str, str]]:
    """Environment variables whose values a manifest says."""
    for _, pod in _pods(node):
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            for entry in container.get("env", ()):
                yield entry["name"], entry.get("value", "")


def _texts(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(node, str):
        yield path, node
    children: Iterable[tuple[str, Any]] = ()
    if isinstance(node, Mapping):
        children = ((f"{path}.{name}" if path else name, value) for name, value in node.items())
    elif isinstance(node, list):
        children = ((f"{path}[{position}]", value) for position, value in enumerate(node))
    for below, value in children:
        yield from _texts(value, below)


def _denies_all(manifest: Manifest) -> bool:
    is_policy: bool = manifest["kind"] == "NetworkPolicy"
    return is_policy and manifest["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
    }
