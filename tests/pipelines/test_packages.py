"""The packages for Kubeflow: compiled with a preset's numbers, and loaded again."""

import pytest
import yaml
from kfp.components import load_component_from_file

from icefloe.params import DEFAULT_PARAMS, load_params
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
        name: compile_package(pipeline, preset, folder / "new" / f"{name}.yaml", IMAGE)
        for name, pipeline in PIPELINES.items()
    }


def test_the_command_line_names_the_same_pipelines():
    assert {name.value for name in PipelineName} == set(PIPELINES)


def test_kfp_loads_the_package(compiled, name):
    loaded = load_component_from_file(str(compiled[name]))

    assert loaded.component_spec.name == PIPELINES[name].name
    assert set(loaded.component_spec.inputs) == set(PIPELINES[name].component_spec.inputs)


def test_the_packages_defaults_are_the_presets_numbers(compiled, name, preset):
    inputs = load_component_from_file(str(compiled[name])).component_spec.inputs

    taken = [section for section in preset if section in inputs]
    assert taken or name == "fewshot"  # which needs no settings
    for section in taken:
        assert inputs[section].default == preset[section]


def test_what_a_run_is_about_has_no_default(compiled, name):
    inputs = load_component_from_file(str(compiled[name])).component_spec.inputs
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


def test_every_step_runs_in_the_projects_image(compiled, name):
    package = next(iter(yaml.safe_load_all(compiled[name].read_text())))
    images = {executor["container"]["image"] for executor in package["deploymentSpec"]["executors"].values()}

    assert images == {IMAGE}


def test_steps_whose_result_changes_from_run_to_run_are_never_cached(compiled):
    package = next(iter(yaml.safe_load_all(compiled["loop"].read_text())))
    changing = ("start-run", "get-data", "get-ensemble", "collect-labels", "label-from-truth")
    changing += ("select-images", "register-version", "write-report")
    tasks = [
        (name, task)
        for component in [package["root"], *package["components"].values()]
        for name, task in component.get("dag", {}).get("tasks", {}).items()
        if name in changing
    ]

    assert {name for name, _ in tasks} == set(changing)
    assert [name for name, task in tasks if task.get("cachingOptions", {}).get("enableCache")] == []


def test_every_parameter_has_a_description_for_kubeflows_page(compiled, name):
    package = next(yaml.safe_load_all(compiled[name].read_text(encoding="utf-8")))
    parameters = package["root"]["inputDefinitions"]["parameters"]

    assert package["pipelineInfo"]["description"]
    assert parameters
    assert [key for key, spec in parameters.items() if not spec.get("description")] == []
