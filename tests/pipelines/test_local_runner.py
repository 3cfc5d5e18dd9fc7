"""What the pipelines rely on in kfp's local runner, shown on a toy of the same nesting as `arrivals`.

kfp 2.17 skips a condition on a named output without a word, and inside a `ParallelFor` hands the loop's item
to a task in place of another task's output. A later kfp may do otherwise; these tests tell.
"""

import json

import pytest
from kfp import dsl, local

from components.base import component
from pipelines.steps import forked_steps


@component
def decide(dataset: str) -> str:
    return "shifted" if dataset in ("D3", "D5") else "accept"


@component
def note(log: str, line: str, details: dict) -> str:
    import json
    from pathlib import Path

    with Path(log).open("a") as file:
        file.write(json.dumps([line, details]) + "\n")
    return line


@dsl.pipeline(name="inner")
def inner(log: str, run: str, dataset: str, details: dict) -> str:
    decision = decide(dataset=dataset)
    with dsl.If(decision.outputs["Output"] == "shifted", name="shifted"):
        note(log=log, line=dataset, details=details)
    return decision.outputs["Output"]


@dsl.pipeline(name="next")
def following(log: str, run: str, arrived: str, details: dict) -> str:
    first = note(log=log, line=run, details=details)
    second = note(log=log, line=arrived, details=details).after(first)
    return second.output


@dsl.pipeline(name="each")
def each(log: str, run: str, arriving: list[str], details: dict) -> None:
    with dsl.ParallelFor(arriving, name="arriving", parallelism=1) as dataset:
        decision = inner(log=log, run=run, dataset=dataset, details=details)
        with dsl.If(decision.output == "shifted", name="shifted"):
            labelled = note(log=log, line="label", details={})
            following(log=log, run=run, arrived=dataset, details=details).after(labelled)


@dsl.pipeline(name="toy")
def toy(log: str, arriving: list[str], details: dict) -> None:
    started = note(log=log, line="run-7", details={})
    met = each(log=log, run=started.output, arriving=arriving, details=details)
    note(log=log, line="report", details={}).after(met)


@pytest.mark.filterwarnings("ignore:.*custom or non-Python base image")
def test_conditions_in_a_nested_pipeline_in_a_loop_take_the_right_branches_in_order(process, tmp_path):
    local.init(
        runner=local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path), raise_on_error=True
    )
    log, details = tmp_path / "log", {"epochs": 3, "rate": 0.5, "names": ["a", "b"]}

    with forked_steps(process):  # what is tested is which steps run, and interpreters take seconds to start
        toy(log=str(log), arriving=["D3", "D4", "D5"], details=details)

    lines = [json.loads(line) for line in log.read_text().splitlines()]
    shifted = [["{}", details], ["label", {}], ["run-7", details], ["{}", details]]
    assert lines == [
        ["run-7", {}],
        *[[line.format(name), content] for name in ("D3", "D5") for line, content in shifted],
        ["report", {}],
    ]
