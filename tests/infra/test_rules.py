"""Our own rules for manifests: each mistake is found, and named by kind, name and field."""

import pytest
import yaml

from infra.checks.rules import broken_rules

GOOD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      automountServiceAccountToken: false
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: serve
          image: icefloe:0.1.0
          env: [{name: HOME, value: /tmp}]
          ports: [{containerPort: 8080}]
          readinessProbe: {httpGet: {path: /readyz, port: 8080}}
          livenessProbe: {httpGet: {path: /healthz, port: 8080}}
          resources: {requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 1, memory: 1Gi}}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          volumeMounts: [{name: tmp, mountPath: /tmp}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny-all}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
"""
POD = "Deployment/web: spec.template.spec"
CONTAINER = f"{POD}.containers[serve]"
LOCK = f"{CONTAINER}.securityContext"


def told(text: str) -> list[str]:
    return [str(problem) for problem in broken_rules(list(yaml.safe_load_all(text)))]


def planted(good: str, wrong: str) -> list[str]:
    """What is said of a manifest in which one thing is wrong."""
    assert GOOD.count(good) == 1
    return told(GOOD.replace(good, wrong))


def test_a_good_manifest_breaks_no_rule():
    assert told(GOOD) == []


@pytest.mark.parametrize(
    ("good", "wrong", "message"),
    [
        (":0.1.0", ":latest", f"{CONTAINER}.image: icefloe:latest: its content may change."),
        (":0.1.0", "", f"{CONTAINER}.image: icefloe: its content may change."),
        (
            "icefloe:0.1.0",
            "host:5000/icefloe",
            f"{CONTAINER}.image: host:5000/icefloe: its",
        ),
        ("runAsNonRoot: true, ", "", f"{POD}.securityContext.runAsNonRoot: not true."),
        ("runAsNonRoot: true,", "runAsNonRoot: true, runAsUser: 0,", f"{POD}.securityContext.runAsUser: 0."),
        ("allow", "runAsUser: 0\n            allow", f"{LOCK}.runAsUser: 0."),
        (
            "allow",
            "runAsNonRoot: false\n            allow",
            f"{LOCK}.runAsNonRoot: false.",
        ),
        ("RuntimeDefault", "Unconfined", f"{POD}.securityContext.seccompProfile: not RuntimeDefault."),
        (
            "Escalation: false",
            "Escalation: true",
            f"{LOCK}.allowPrivilegeEscalation: not",
        ),
        (
            "Filesystem: true",
            "Filesystem: false",
            f"{LOCK}.readOnlyRootFilesystem: not true.",
        ),
        (
            "drop: [ALL]",
            "drop: [ALL], add: [SYS_PTRACE]",
            f"{LOCK}.capabilities: not all",
        ),
        ("allow", "privileged: true\n            allow", f"{LOCK}.privileged: true."),
        (
            ", limits: {cpu: 1, memory: 1Gi}",
            ", limits: {cpu: 1}",
            f"{CONTAINER}.resources.limits.memory: mis",
        ),
        ("readinessProbe", "startupProbe", f"{CONTAINER}.readinessProbe: missing, and the container serves."),
        ("livenessProbe", "startupProbe", f"{CONTAINER}.livenessProbe: missing, and the container serves."),
        ("mountPath: /tmp", "mountPath: /data", f"{CONTAINER}.volumeMounts: nothing at /tmp"),
        ("automountServiceAccountToken: false", "{}", f"{POD}.automountServiceAccountToken: not false."),
        ("name: HOME", "name: RAY_AUTH_TOKEN", "Deployment/web: RAY_AUTH_TOKEN: a secret's value."),
        (
            "value: /tmp",
            "value: 'postgresql://me:word@host/data'",
            f"{CONTAINER.replace('[serve]', '[0]')}.env[0].value: a password in a URL.",
        ),
        ("podSelector: {}", "podSelector: {matchLabels: {a: b}}", "NetworkPolicy/deny-all: spec: missing."),
    ],
)
def test_one_mistake_is_found_and_named(good, wrong, message):
    if wrong == "{}":  # the line is taken out
        good, wrong = f"      {good}\n", ""
    found = planted(good, wrong)
    assert len(found) == 1
    assert found[0].startswith(message)


def test_an_image_by_digest_is_exact():
    assert planted(":0.1.0", f"@sha256:{'0' * 64}") == []


def test_a_container_that_serves_nothing_needs_no_probes():
    assert planted("ports: [{containerPort: 8080}]", "readOnly: {}") == []


def test_a_secret_in_a_config_map_or_by_itself_is_found():
    config_map = "{kind: ConfigMap, metadata: {name: a}, data: {AWS_SECRET_ACCESS_KEY: abc}}"
    secret = "{kind: Secret, metadata: {name: b}, stringData: {word: abc}}"
    found = told(f"{GOOD}---\n{config_map}\n---\n{secret}\n")
    assert found == [
        "ConfigMap/a: AWS_SECRET_ACCESS_KEY: a secret's value. Name the secret and its key.",
        "Secret/b: kind: a secret's content. It is made in the cluster, and here only named.",
    ]


def test_pods_of_a_cron_job_and_of_a_ray_cluster_are_looked_at():
    pod = yaml.safe_load(GOOD.split("---")[0])["spec"]["template"]
    pod["spec"]["containers"][0]["image"] = "icefloe"
    cron = {
        "kind": "CronJob",
        "metadata": {"name": "c"},
        "spec": {"jobTemplate": {"spec": {"template": pod}}},
    }
    ray = {
        "kind": "RayCluster",
        "metadata": {"name": "r"},
        "spec": {
            "autoscalerOptions": {"resources": {}},
            "headGroupSpec": {"template": pod},
            "workerGroupSpecs": [{"template": pod}],
        },
    }
    found = told(yaml.safe_dump_all([cron, ray, *list(yaml.safe_load_all(GOOD))[1:]]))
    for field in (
        "CronJob/c: spec.jobTemplate.spec.template.spec.containers[serve].image",
        "RayCluster/r: spec.headGroupSpec.template.spec.containers[serve].image",
        "RayCluster/r: spec.workerGroupSpecs[0].template.spec.containers[serve].image",
        "RayCluster/r: spec.autoscalerOptions.resources.requests.cpu",
        "RayCluster/r: spec.autoscalerOptions.securityContext.readOnlyRootFilesystem",
    ):
        assert any(problem.startswith(f"{field}: ") for problem in found), field


def test_only_rays_head_may_have_a_token_for_kubernetes():
    pod = yaml.safe_load(GOOD.split("---")[0])["spec"]["template"]
    del pod["spec"]["automountServiceAccountToken"]
    ray = {
        "kind": "RayCluster",
        "metadata": {"name": "r"},
        "spec": {"headGroupSpec": {"template": pod}, "workerGroupSpecs": [{"template": pod}]},
    }
    found = told(yaml.safe_dump_all([ray, *list(yaml.safe_load_all(GOOD))[1:]]))
    assert found == [
        "RayCluster/r: spec.workerGroupSpecs[0].template.spec.automountServiceAccountToken: "
        "not false. Nothing in it asks Kubernetes' API."
    ]
