"""What the cache of Kubeflow Pipelines would see of each step of a package, without Kubeflow.

Its driver's key of a step (backend/src/v2/driver/cache.go) is made of image, command, the values of input
parameters and the names of input artifacts. An artifact keeps its name where the step that made it is reused,
and has a new one otherwise.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

Values = dict[str, Any]


def step_keys(package: Values, arguments: Values, found: Mapping[str, Any], run: str) -> dict[str, str]:
    """Step -> its key, all branches taken.

    Parameters
    ----------
    package
        A compiled pipeline.
    arguments
        Its arguments; what is left out has the package's default.
    found
        `step.output` -> value that a step which is never reused returns.
    run
        Name of the run, in which the artifacts of such steps have new names.
    """
    definitions = package["root"].get("inputDefinitions", {}).get("parameters", {})
    defaults = {key: spec["defaultValue"] for key, spec in definitions.items() if "defaultValue" in spec}
    keys: dict[str, str] = {}
    _walk(package, package["root"]["dag"], defaults | arguments, found, run, keys)
    return keys


def _walk(
    package: Values, dag: Values, given: Values, found: Mapping[str, Any], run: str, keys: dict[str, str]
) -> Values:
    """Follow the tasks of a DAG; return its outputs."""
    made: dict[tuple[str, str], Any] = {}
    waiting = dict(dag["tasks"])
    while waiting:
        name = next(
            n for n, task in waiting.items() if not set(task.get("dependentTasks", ())) & set(waiting)
        )
        task = waiting.pop(name)
        component = package["components"][task["componentRef"]["name"]]
        inputs = _defaults(component) | _inputs(task, given, made)
        if "dag" in component:
            outputs = _walk(package, component["dag"], inputs, found, run, keys)
        else:
            outputs = _execute(package, name, task, component, inputs, found, run, keys)
        made |= {(name, output): value for output, value in outputs.items()}
    return _outputs(dag, made)


def _execute(
    package: Values,
    name: str,
    task: Values,
    component: Values,
    inputs: Values,
    found: Mapping[str, Any],
    run: str,
    keys: dict[str, str],
) -> Values:
    container = package["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
    seen = [container["image"], container["command"], container["args"], inputs]
    key = hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()
    keys[name] = key
    reused = task["cachingOptions"].get("enableCache", False)
    place = key if reused else f"{run}/{name}"
    definitions = component.get("outputDefinitions", {})
    parameters = {
        out: found.get(f"{name}.{out}", f"{place}.{out}") for out in definitions.get("parameters", {})
    }
    return parameters | {out: f"{place}.{out}" for out in definitions.get("artifacts", {})}


def _defaults(component: Values) -> Values:
    parameters = component.get("inputDefinitions", {}).get("parameters", {})
    return {key: spec["defaultValue"] for key, spec in parameters.items() if "defaultValue" in spec}


def _inputs(task: Values, given: Values, made: Mapping[tuple[str, str], Any]) -> Values:
    values: Values = {}
    inputs = task.get("inputs", {})
    for key, source in inputs.get("parameters", {}).items():
        if "runtimeValue" in source:
            values[key] = _resolved(source["runtimeValue"]["constant"], inputs["parameters"], given, made)
        elif "taskFinalStatus" not in source:
            values[key] = _parameter(source, given, made)
    for key, source in inputs.get("artifacts", {}).items():
        if "taskOutputArtifact" in source:
            output = source["taskOutputArtifact"]
            values[key] = made[output["producerTask"], output["outputArtifactKey"]]
        else:
            values[key] = given[source["componentInputArtifact"]]
    return values


def _parameter(source: Values, given: Values, made: Mapping[tuple[str, str], Any]) -> Any:
    if "taskOutputParameter" in source:
        output = source["taskOutputParameter"]
        return made[output["producerTask"], output["outputParameterKey"]]
    return given[source["componentInputParameter"]]


def _resolved(constant: Any, sources: Values, given: Values, made: Mapping[tuple[str, str], Any]) -> Any:
    """A constant with the parameters that it names, as `["{{$.inputs.parameters['x']}}"]` does."""
    if isinstance(constant, str) and constant.startswith("{{$.inputs.parameters["):
        return _parameter(sources[constant.split("['")[1].split("']")[0]], given, made)
    if isinstance(constant, list):
        return [_resolved(item, sources, given, made) for item in constant]
    return constant


def _outputs(dag: Values, made: Mapping[tuple[str, str], Any]) -> Values:
    outputs = dag.get("outputs", {})
    values = {}
    for key, source in outputs.get("parameters", {}).items():
        value = source["valueFromParameter"]
        values[key] = made[value["producerSubtask"], value["outputParameterKey"]]
    for key, source in outputs.get("artifacts", {}).items():
        (selector,) = source["artifactSelectors"]
        values[key] = made[selector["producerSubtask"], selector["outputArtifactKey"]]
    return values
