"""Manifests against schemas: an unknown or wrong field is found, and named by kind, name and field."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

pytest.importorskip("kubernetes_validate", reason="make manifests installs it")

from infra.checks.schemas import RAY_CLUSTER, closed, read_definition, wrong_fields

pytestmark = pytest.mark.manifests

REPOSITORY = Path(__file__).parents[2]
BASE = REPOSITORY / "infra" / "kustomize" / "base"
SCHEMAS = REPOSITORY.parent / "shared" / "schemas"

DEFINITION = """
kind: CustomResourceDefinition
spec:
  group: example.org
  names: {kind: Kite}
  versions:
    - name: v1
      schema:
        openAPIV3Schema:
          type: object
          properties:
            apiVersion: {type: string}
            kind: {type: string}
            metadata: {type: object}
            spec:
              type: object
              required: [tails]
              properties:
                tails: {type: array, items: {type: object, properties: {length: {type: integer}}}}
                labels: {type: object, additionalProperties: {type: string}}
                free:
                  type: object
                  x-kubernetes-preserve-unknown-fields: true
                  properties: {wind: {type: object, properties: {speed: {type: integer}}}}
"""


def manifest(file: str, kind: str) -> dict:
    """The first manifest of a kind in a file of the base."""
    return next(m for m in yaml.safe_load_all((BASE / file).read_text(encoding="utf-8")) if m["kind"] == kind)


def kite(**spec) -> dict:
    return {"apiVersion": "example.org/v1", "kind": "Kite", "metadata": {"name": "red"}, "spec": spec}


@pytest.fixture(scope="module")
def ray_definition():
    """KubeRay's definition of a RayCluster."""
    if not SCHEMAS.is_dir():
        pytest.skip(f"{SCHEMAS} is not here")
    return read_definition(SCHEMAS / RAY_CLUSTER)


def told(manifests, definitions=()) -> list[str]:
    return [str(problem) for problem in wrong_fields(manifests, definitions)]


def test_a_field_that_a_deployment_does_not_have_is_found():
    deployment = manifest("mlflow.yaml", "Deployment")
    assert told([deployment]) == []
    deployment["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    (problem,) = told([deployment])
    assert problem.startswith("Deployment/mlflow: spec.template.spec.containers[0]: ")
    assert "readynessProbe" in problem


def test_a_value_of_the_wrong_kind_is_found():
    budget = manifest("mlflow.yaml", "PodDisruptionBudget")
    budget["spec"]["selector"] = "app=mlflow"
    (problem,) = told([budget])
    assert problem.startswith("PodDisruptionBudget/mlflow: spec.selector: ")


def test_a_field_that_a_ray_cluster_does_not_have_is_found_at_any_depth(ray_definition):
    cluster = manifest("ray.yaml", "RayCluster")
    assert told([cluster], [ray_definition]) == []
    cluster["spec"]["workerGroupSpecs"][0]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    cluster["spec"]["authOptions"]["secret"] = "ray"
    found = told([cluster], [ray_definition])
    assert len(found) == 2
    assert any(text.startswith("RayCluster/ray: spec.authOptions: ") and "secret" in text for text in found)
    inside = "RayCluster/ray: spec.workerGroupSpecs[0].template.spec.containers[0]: "
    assert any(text.startswith(inside) and "readynessProbe" in text for text in found)


def test_a_kind_that_nobody_knows_is_found():
    assert told([kite(tails=[])]) == [
        "Kite/red: kind: Couldn't find schema for kind Kite with api version example.org/v1 "
        "for kubernetes version 1.37"
    ]


def test_an_object_is_closed_unless_its_schema_leaves_it_open():
    definition = yaml.safe_load(DEFINITION)
    good = kite(tails=[{"length": 3}], labels={"any": "name"}, free={"any": 1, "wind": {"speed": 2}})
    assert told([good], [definition]) == []
    wrong = kite(tails=[{"width": 3}], colour="red", free={"wind": {"direction": 1}})
    places = {text.split(": ")[1] for text in told([wrong], [definition])}
    assert places == {"spec", "spec.tails[0]", "spec.free.wind"}


def test_closing_leaves_the_schema_that_it_is_given_as_it_was():
    schema = {"properties": {"a": {"properties": {}}}}
    closed(schema)
    assert schema == {"properties": {"a": {"properties": {}}}}


def run_checks(tmp_path: Path, manifests: list[dict], schemas: Path) -> subprocess.CompletedProcess:
    """Run the checks with a kubectl that renders these manifests."""
    (tmp_path / "rendered.yaml").write_text(yaml.safe_dump_all(manifests), encoding="utf-8")
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(f"#!/bin/sh\ncat '{tmp_path}/rendered.yaml'\n", encoding="utf-8")
    kubectl.chmod(0o755)
    command = [sys.executable, "-m", "infra.checks", str(kubectl), str(schemas)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


def test_the_checks_name_the_overlay_and_fail(tmp_path):
    deployment = manifest("mlflow.yaml", "Deployment")
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    container["image"] = "icefloe:latest"
    container["readynessProbe"] = container.pop("readinessProbe")
    completed = run_checks(tmp_path, [deployment, manifest("network.yaml", "NetworkPolicy")], SCHEMAS)
    assert completed.returncode == 1
    place = "infra/kustomize/gpu: Deployment/mlflow: spec.template.spec.containers"
    assert f"{place}[0]: " in completed.stdout
    assert f"{place}[mlflow].image: icefloe:latest: its content may change." in completed.stdout
    assert f"{place}[mlflow].readinessProbe: missing" in completed.stdout
    assert "infra/kustomize/gpu: 2 manifests, 3 problems" in completed.stdout


def test_without_kuberays_schema_the_checks_say_so_and_go_on(tmp_path):
    manifests = [manifest("ray.yaml", "RayCluster"), manifest("network.yaml", "NetworkPolicy")]
    for group in (manifests[0]["spec"]["headGroupSpec"], *manifests[0]["spec"]["workerGroupSpecs"]):
        group["template"]["spec"]["containers"][0]["image"] = "icefloe:0.1.0"
    completed = run_checks(tmp_path, manifests, tmp_path / "absent")
    assert completed.returncode == 0, completed.stdout
    assert "absent: not here, so no RayCluster is checked against KubeRay's schema." in completed.stdout
