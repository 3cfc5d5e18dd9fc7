"""Compiling a pipeline to the package that Kubeflow Pipelines takes."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from kfp import compiler, dsl

from icefloe.files import write_text_atomic


def compile_package(
    pipeline: dsl.base_component.BaseComponent, defaults: Mapping[str, Any], path: Path, image: str
) -> Path:
    """Write a pipeline as YAML.

    Parameters
    ----------
    pipeline
        A pipeline, decorated with `dsl.pipeline`.
    defaults
        Parameter -> default value; those that the pipeline does not have are left out.
    path
        YAML file to write; its folder is made if missing.
    image
        Container image that its steps run in.
    """
    known = pipeline.component_spec.inputs or {}
    with tempfile.TemporaryDirectory() as scratch:
        package = Path(scratch) / "package.yaml"
        compiler.Compiler().compile(
            pipeline,
            str(package),
            pipeline_parameters={name: value for name, value in defaults.items() if name in known},
        )
        documents = list(yaml.safe_load_all(package.read_text(encoding="utf-8")))
    for executor in documents[0]["deploymentSpec"]["executors"].values():
        executor["container"]["image"] = image
    write_text_atomic(path, yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True))
    return path
