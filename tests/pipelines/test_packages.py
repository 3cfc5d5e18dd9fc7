"""The packages for Kubeflow: compiled with a preset's numbers, and loaded again."""

import pytest
import yaml
from kfp.components import load_component_from_file

from icefloe.params import DEFAULT_PARAMS, load_params
from icefloe.pods import Pods
from pipelines.catalogue import PIPELINES
from pipelines.names import PipelineName
from pipelines.packages import compile_package

IMAGE = "registry.example.org:5000/lab/icefloe:1"


@pytest.fixture(scope="module", params=["demo", "paper"])
def preset(request):
    return load_params(DEFAULT_PARAMS, request.param).sections()


@pytest.fixture(params=sorted(PIPELINES))
def name(request):
    return request.param


@pytest.fixture(scope="module")
def compiled(preset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("packages")
    return {
        name: compile_package(pipeline, preset, folder / "new" / f"{name}.yaml", IMAGE, Pods())
        for name, pipeline in PIPELINES.items()
    }


@pytest.fixture(scope="module")
def loaded(compiled):
    """The packages as kfp reads them, once for all tests: the loop's has 90 kB of YAML."""
    return {name: load_component_from_file(str(path)).component_spec for name, path in compiled.items()}


@pytest.fixture(scope="module")
def documents(compiled):
    """The pipeline's part of each package's YAML."""
    return {name: next(yaml.safe_load_all(path.read_text("utf-8"))) for name, path in compiled.items()}


def test_the_command_line_names_the_same_pipelines():
    assert {name.value for name in PipelineName} == set(PIPELINES)


def test_kfp_loads_the_package(loaded, name):
    assert loaded[name].name == PIPELINES[name].name
    assert set(loaded[name].inputs) == set(PIPELINES[name].component_spec.inputs)


def test_the_packages_defaults_are_the_presets_numbers(loaded, name, preset):
    inputs = loaded[name].inputs

    taken = [section for section in preset if section in inputs]
    assert taken or name == "fewshot"  # which needs no settings
    for section in taken:
        assert inputs[section].default == preset[section]


def test_what_a_run_is_about_has_no_default(loaded, name):
    inputs = loaded[name].inputs
    required = {key for key, spec in inputs.items() if not spec.optional}

    assert (
        required
        == {
            "train": {"datasets"},
            "drift_check": {"dataset"},
            "retrain": {"dataset"},
            "loop": {"initial", "arriving"},
            "fewshot": {"dataset", "version"},
        }[name]
    )


def test_every_step_runs_in_the_projects_image(documents, name):
    executors = documents[name]["deploymentSpec"]["executors"]
    images = {executor["container"]["image"] for executor in executors.values()}

    assert images == {IMAGE}


def test_every_parameter_has_a_description_for_kubeflows_page(documents, name):
    package = documents[name]
    parameters = package["root"]["inputDefinitions"]["parameters"]

    assert package["pipelineInfo"]["description"]
    assert parameters
    assert [key for key, spec in parameters.items() if not spec.get("description")] == []
