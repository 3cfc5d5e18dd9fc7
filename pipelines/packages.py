"""Compiling a pipeline to the package that Kubeflow Pipelines takes."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from kfp import compiler, dsl

from icefloe.files import write_text_atomic
from icefloe.pods import Pods
from pipelines.backend import fit_for_cluster


def compile_package(
    pipeline: dsl.base_component.BaseComponent,
    defaults: Mapping[str, Any],
    path: Path,
    image: str,
    pods: Pods,
) -> Path:
    """Write a pipeline as YAML: the same bytes for the same pipeline, defaults and settings.

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
    pods
        What the cluster has for the steps' pods.
    """
    known = pipeline.component_spec.inputs or {}
    with tempfile.TemporaryDirectory() as scratch:
        compiled = Path(scratch) / "package.yaml"
        compiler.Compiler().compile(
            pipeline,
            str(compiled),
            pipeline_parameters={name: value for name, value in defaults.items() if name in known},
        )
        package = next(yaml.safe_load_all(compiled.read_text(encoding="utf-8")))
    platform = fit_for_cluster(package, image, pods)
    write_text_atomic(path, yaml.safe_dump_all([package, platform], sort_keys=True, allow_unicode=True))
    return path
