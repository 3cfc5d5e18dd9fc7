"""What the pipelines rely on in kfp's local runner, shown on a toy of the same nesting as `arrivals`.

kfp 2.17 skips a condition on a named output without a word, and inside a `ParallelFor` hands the loop's item
to a task in place of another task's output. A later kfp may do otherwise; these tests tell.
"""

import json
from typing import NamedTuple

import pytest
from kfp import dsl, local
from kfp.dsl import PipelineTaskFinalStatus

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


@component
def current() -> NamedTuple("Current", [("data", str), ("version", str)]):
    class Current(NamedTuple):
        data: str
        version: str

    return Current("D3", "EA-T1")


@component
def ended(log: str, status: PipelineTaskFinalStatus) -> str:
    from pathlib import Path

    with Path(log).open("a") as file:
        file.write(f'["{status.state}", {{}}]\n')
    return status.state


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


@dsl.pipeline(name="named")
def named(log: str, details: dict) -> str:
    found = current()
    note(log=log, line=found.outputs["version"], details=details)
    with dsl.If(decide(dataset=found.outputs["data"]).outputs["Output"] == "shifted", name="shifted"):
        note(log=log, line=found.outputs["data"], details=details)
    return found.outputs["version"]


@dsl.pipeline(name="guarded")
def guarded(log: str, details: dict) -> None:
    with dsl.ExitHandler(ended(log=log)):
        started = note(log=log, line="start", details={})
        met = named(log=log, details=details).after(started)
        note(log=log, line="report", details={}).after(met)


@pytest.mark.filterwarnings("ignore:.*custom or non-Python base image")
def test_named_outputs_and_a_condition_in_an_exit_handler_go_their_way_and_its_task_is_last(
    process, tmp_path
):
    local.init(
        runner=local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path), raise_on_error=True
    )
    log, details = tmp_path / "log", {"epochs": 3}

    with forked_steps(process):
        guarded(log=str(log), details=details)

    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert sorted(lines[1:3], key=str) == [["D3", details], ["EA-T1", details]]
    assert [lines[0], *lines[3:]] == [["start", {}], ["report", {}], ["SUCCEEDED", {}]]


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
