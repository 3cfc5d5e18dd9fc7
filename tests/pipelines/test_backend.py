"""The packages as a cluster gets them: nothing left to chance, to one machine, or to be read by everybody."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from google.protobuf import json_format
from kfp import dsl, kubernetes
from kfp.kubernetes import kubernetes_executor_config_pb2

from components.start_run.component import start_run
from icefloe.errors import IcefloeError
from icefloe.params import DEFAULT_PARAMS, load_params
from icefloe.pods import Pods, Toleration
from icefloe.settings import RUN_VARIABLE
from pipelines.arguments import check_arguments
from pipelines.backend import SECRET_ENTRIES, STORE_ENTRIES, component_of, executed_tasks
from pipelines.catalogue import PIPELINES
from pipelines.image import check_exact
from pipelines.needs import NEEDS
from pipelines.packages import compile_package
from tests.components.test_components import NAMES

IMAGE = "registry.example.org/icefloe@sha256:" + 64 * "a"
PODS = Pods(
    secret="facility",
    config_map="facility-settings",
    pull_policy="Always",
    pull_secrets=("registry",),
    node_selector={"pool": "science"},
    tolerations=(Toleration(key="gpu", operator="Exists", effect="NoSchedule"),),
    gpu="nvidia.com/gpu",
)


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """Pipeline -> the two documents of its package."""
    folder = tmp_path_factory.mktemp("packages")
    sections = load_params(DEFAULT_PARAMS, "demo").sections()
    paths = {
        name: compile_package(pipeline, sections, folder / f"{name}.yaml", IMAGE, PODS)
        for name, pipeline in PIPELINES.items()
    }
    return {name: list(yaml.safe_load_all(path.read_text("utf-8"))) for name, path in paths.items()}


@pytest.fixture(params=sorted(PIPELINES))
def documents(packages, request):
    return packages[request.param]


def test_the_table_has_every_component_and_no_other():
    assert sorted(NEEDS) == NAMES


def test_every_executor_has_an_exact_image_cpu_and_memory(documents):
    for executor in documents[0]["deploymentSpec"]["executors"].values():
        container, needs = executor["container"], NEEDS[component_of(executor)]
        assert container["image"] == IMAGE
        assert container["resources"]["resourceCpuRequest"] == needs.cpu
        assert container["resources"]["resourceMemoryLimit"] == needs.memory
        assert ("accelerator" in container["resources"]) == bool(needs.gpus)


def test_every_step_has_retries_with_backoff_and_a_rule_of_reuse(documents):
    executors = documents[0]["deploymentSpec"]["executors"]
    tasks = list(executed_tasks(documents[0]))

    assert tasks
    for task, label in tasks:
        assert task["retryPolicy"]["maxRetryCount"] >= 1
        assert task["retryPolicy"]["backoffDuration"] == "30s"
        reused = task["cachingOptions"].get("enableCache", False)
        assert reused == NEEDS[component_of(executors[label])].reused


def test_kubeflows_literal_cache_key_which_ignores_inputs_is_not_used(documents):
    assert "cacheKey" not in yaml.safe_dump(documents[0])


def test_every_executor_has_a_time_limit_scratch_and_the_runs_id(documents):
    package, platform = documents
    surroundings = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]

    assert set(surroundings) == set(package["deploymentSpec"]["executors"])
    for label, executor in package["deploymentSpec"]["executors"].items():
        needs = NEEDS[component_of(executor)]
        assert surroundings[label]["activeDeadlineSeconds"] == str(60 * needs.minutes)
        (scratch,) = surroundings[label]["emptyDirMounts"]
        assert (scratch["mountPath"], scratch["sizeLimit"]) == ("/tmp", needs.scratch)
        assert surroundings[label]["fieldPathAsEnv"] == [
            {"name": RUN_VARIABLE, "fieldPath": "metadata.labels['pipeline/runid']"}
        ]


def test_the_run_is_no_input_of_any_step(documents):
    inputs = {
        key
        for task, _ in executed_tasks(documents[0])
        for key in task.get("inputs", {}).get("parameters", {})
    }

    assert "run" not in inputs
    assert "pipeline_job_uuid" not in yaml.safe_dump(documents[0])


def test_the_surroundings_are_what_kfp_kubernetes_makes_of_them(packages):
    @dsl.pipeline(name="reference")
    def reference():
        task = start_run(name="train")
        kubernetes.set_timeout(task, 60 * NEEDS["start_run"].minutes)
        kubernetes.empty_dir_mount(task, "tmp", "/tmp", size_limit=NEEDS["start_run"].scratch)
        kubernetes.use_field_path_as_env(task, RUN_VARIABLE, "metadata.labels['pipeline/runid']")
        for entry, is_needed in SECRET_ENTRIES.items():
            kubernetes.use_secret_as_env(task, PODS.secret, {entry: entry}, optional=not is_needed)
        for entry in STORE_ENTRIES:
            place = f"{PODS.config_map}-environment"
            kubernetes.use_config_map_as_env(task, place, {entry: entry}, optional=True)
        kubernetes.use_config_map_as_volume(task, PODS.config_map, "/etc/icefloe")
        kubernetes.set_image_pull_policy(task, "Always")
        kubernetes.set_image_pull_secrets(task, ["registry"])
        kubernetes.add_node_selector(task, "pool", "science")
        kubernetes.add_toleration(task, key="gpu", operator="Exists", effect="NoSchedule")

    (expected,) = reference.platform_spec.platforms["kubernetes"].deployment_spec.executors.values()
    made = packages["train"][1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-start-run"]
    json_format.ParseDict(made, kubernetes_executor_config_pb2.KubernetesExecutorConfig())  # no field unknown
    assert made == json_format.MessageToDict(expected)


def test_only_the_expected_secrets_and_config_map_are_named(documents):
    text = yaml.safe_dump(documents[1])

    assert set(re.findall(r"secretName: (\S+)", text)) == {"facility", "registry"}
    assert set(re.findall(r"configMapName: (\S+)", text)) == {
        "facility-settings",
        "facility-settings-environment",
    }


def test_no_package_holds_a_local_path_or_a_secret_value(documents):
    text = yaml.safe_dump_all(documents)
    places = re.findall(r"(?<![\w/.:\"'])/(?:home|root|work|srv|mnt|var|usr|opt)/[\w./-]+", text)

    assert places == []
    assert f"{Path.home()}/" not in text
    assert not re.search(r"(?i)(password|secret_?access_?key|token)\w*['\"]?\s*[:=]\s*['\"]?\w*\d{3,}", text)


def test_two_compilations_are_equal_byte_for_byte(tmp_path):
    program = (
        "import sys; from pathlib import Path; from icefloe.pods import Pods\n"
        "from pipelines.catalogue import PIPELINES; from pipelines.packages import compile_package\n"
        "compile_package(PIPELINES['retrain'], {'training': {}}, Path(sys.argv[1]), 'icefloe:1', Pods())"
    )
    paths = [tmp_path / "first.yaml", tmp_path / "second.yaml"]
    for seed, path in enumerate(paths):  # processes, as sets have another order in each
        environment = os.environ | {"PYTHONHASHSEED": str(seed)}
        subprocess.run([sys.executable, "-c", program, str(path)], check=True, env=environment)

    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize(
    "image", ["icefloe", "icefloe:latest", "registry.example.org:5000/icefloe", "registry:5000/a/b:latest"]
)
def test_an_image_that_may_change_its_content_is_refused(image):
    with pytest.raises(IcefloeError) as error:
        check_exact(image)
    assert str(error.value) == (
        f"image: {image}: Kubeflow reuses results by the image's name, and this one may change its content. "
        "Set ICEFLOE_IMAGE to a version, such as icefloe:0.1.0, or to a digest."
    )


@pytest.mark.parametrize("image", ["icefloe:0.1.0", "registry.example.org:5000/lab/icefloe:1", IMAGE])
def test_a_version_or_a_digest_is_taken(image):
    check_exact(image)


GOOD = {"dataset": "D7", "gate": {}}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "drift-check: dataset is missing, and it has no default. Give it a value."),
        (GOOD | {"data": "D7"}, "drift-check: no parameter 'data'. There are: dataset, gate, sampling."),
        (GOOD | {"dataset": ["D7"]}, "drift-check: dataset is ['D7'], but it has to be a text. Correct it."),
        (GOOD | {"gate": "strict"}, "drift-check: gate is 'strict', but it has to be a table. Correct it."),
    ],
    ids=["missing", "unknown", "list for text", "text for table"],
)
def test_arguments_are_checked_as_kubeflows_server_does(packages, arguments, message):
    check_arguments(packages["drift_check"][0], GOOD)
    with pytest.raises(IcefloeError) as error:
        check_arguments(packages["drift_check"][0], arguments)
    assert str(error.value) == message
