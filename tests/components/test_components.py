"""Every component: compiled, accepted by kfp, and free of what would tie it to one machine."""

import importlib
from pathlib import Path

import pytest
import yaml
from kfp import compiler
from kfp.components import load_component_from_file
from kfp.dsl.structures import ComponentSpec

from components.base import IMAGE

FOLDER = Path(importlib.import_module("components").__path__[0])
NAMES = sorted(path.parent.name for path in FOLDER.glob("*/component.py"))


def component_of(name):
    return getattr(importlib.import_module(f"components.{name}.component"), name)


@pytest.fixture(scope="module", params=NAMES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def package(name, tmp_path_factory):
    path = tmp_path_factory.mktemp("package") / f"{name}.yaml"
    compiler.Compiler().compile(component_of(name), str(path))
    return path


def test_there_are_components():
    assert {"get_data", "train_members", "check_drift", "register_version"} <= set(NAMES)


def test_a_component_is_called_as_its_folder(name):
    assert component_of(name).component_spec.name == name.replace("_", "-")


def test_kfp_loads_the_compiled_component_with_the_same_interface(name, package):
    loaded = load_component_from_file(str(package)).component_spec
    made: ComponentSpec = component_of(name).component_spec

    assert set(loaded.inputs or {}) == set(made.inputs or {})
    assert set(loaded.outputs or {}) == set(made.outputs or {})


def test_a_component_runs_in_the_projects_image_and_installs_nothing(package):
    (executor,) = yaml.safe_load(package.read_text())["deploymentSpec"]["executors"].values()

    assert executor["container"]["image"] == IMAGE
    assert "pip install" not in str(executor["container"]["command"])


def test_no_parameter_is_a_place_on_one_machine(name):
    """Files go from step to step as artifacts; a workspace is found by the step's own settings."""
    parameters = {
        key: spec for key, spec in (component_of(name).component_spec.inputs or {}).items() if spec.type
    }
    places = ("path", "dir", "folder", "file", "workspace", "uri", "root", "url")

    assert [key for key in parameters if any(place in key.lower().split("_") for place in places)] == []


def test_a_component_says_what_it_does(name):
    assert component_of(name).component_spec.description


def test_what_a_component_imports_of_the_library_exists(name):
    """Imports stand inside a component, where nothing checks them before the step runs."""
    import ast

    tree = ast.parse((FOLDER / name / "component.py").read_text(encoding="utf-8"))
    wanted = [
        (node.module, alias.name)
        for function in tree.body
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("icefloe")
        for alias in node.names
    ]

    assert wanted
    for module, attribute in wanted:
        assert hasattr(__import__(module, fromlist=[attribute]), attribute), f"{module}.{attribute}"


def test_every_input_and_output_has_a_description_for_kubeflows_page(name, package):
    (component,) = yaml.safe_load(package.read_text(encoding="utf-8"))["components"].values()
    described = {
        entry: spec.get("description")
        for definitions in ("inputDefinitions", "outputDefinitions")
        for kind in component.get(definitions, {}).values()
        for entry, spec in kind.items()
    }

    made = component_of(name).component_spec

    assert set(made.outputs) >= {"Output"} or name == "resolve"  # which returns two
    assert set(described) >= set(made.inputs or {}) | set(made.outputs)
    assert [entry for entry, text in described.items() if not text] == []
