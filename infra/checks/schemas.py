"""Manifests against the schemas of their kinds, with unknown fields refused."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import yaml

from infra.checks.rules import Manifest, Problem

KUBERNETES = "1.37.0"
RAY_CLUSTER = "ray.io_rayclusters.yaml"
"""KubeRay's definition of a RayCluster, in a folder of schemas."""

_PRESERVE = "x-kubernetes-preserve-unknown-fields"


def wrong_fields(manifests: Sequence[Manifest], definitions: Sequence[Manifest]) -> list[Problem]:
    """Fields that their kinds do not have, or have otherwise.

    Parameters
    ----------
    manifests
        Of Kubernetes' own kinds, or of kinds that `definitions` are of; others are a problem, too.
    definitions
        CustomResourceDefinitions.
    """
    own = {
        (definition["spec"]["names"]["kind"], f"{definition['spec']['group']}/{version['name']}"): closed(
            version["schema"]["openAPIV3Schema"]
        )
        for definition in definitions
        for version in definition["spec"]["versions"]
    }
    found = []
    for manifest in manifests:
        schema = own.get((manifest["kind"], manifest["apiVersion"]))
        for field, reason in _by_kubernetes(manifest) if schema is None else _by(schema, manifest):
            found.append(Problem(manifest["kind"], manifest["metadata"]["name"], field, reason))
    return found


def read_definition(path: Path) -> Manifest:
    """A CustomResourceDefinition from its file."""
    return dict(yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader))


def closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema whose objects have no fields but those that it names, where it does not say otherwise."""
    result = dict(schema)
    if "properties" in schema:
        result["properties"] = {name: closed(below) for name, below in schema["properties"].items()}
        if not schema.get(_PRESERVE):
            result.setdefault("additionalProperties", False)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), Mapping):
            result[key] = closed(schema[key])
    return result


def _by(schema: Mapping[str, Any], manifest: Manifest) -> list[tuple[str, str]]:
    errors = jsonschema.Draft202012Validator(schema).iter_errors(manifest)
    return [_told(error) for error in errors]


def _by_kubernetes(manifest: Manifest) -> list[tuple[str, str]]:
    try:
        kubernetes_validate.validate(dict(manifest), KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [_told(error)]
    except kubernetes_validate.SchemaNotFoundError as error:
        return [("kind", error.message)]
    return []


def _told(error: jsonschema.ValidationError) -> tuple[str, str]:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path]
    return "".join(parts).lstrip(".") or "manifest", error.message[:300]


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
