"""Compiling a pipeline to the package that Kubeflow Pipelines takes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kfp import compiler, dsl


def compile_package(
    pipeline: dsl.base_component.BaseComponent, defaults: Mapping[str, Any], path: Path
) -> Path:
    """Write `pipeline` as YAML to `path`; parameters named in `defaults` get those values."""
    path.parent.mkdir(parents=True, exist_ok=True)
    known = pipeline.component_spec.inputs or {}
    compiler.Compiler().compile(
        pipeline,
        str(path),
        pipeline_parameters={name: value for name, value in defaults.items() if name in known},
    )
    return path
