"""Datasets of any name are kept in MLflow under it: their documents, their metrics, the rows accepted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.utils.validation import _validate_metric_name

from icefloe.names import name_problem
from icefloe.registry.paths import artifact_path, metric_name, plain_metric, plain_path
from icefloe.registry.runs import RunRecord
from icefloe.settings import Settings

NAMES = [
    *(
        "T=-12°C_001",
        "-12C_002",
        "50%_x",
        "ice & water",
        "[Ceta] 0001",
        "(1)",
        "x..y",
        "a.b.c",
        "it's",
        "run#3",
    ),
    *(
        "what?",
        "a%20b",
        "%2e%2e",
        " blank",
        "blank ",
        "~23",
        "a;b",
        "µm 氷",
        "a:b",
        "café",
        "{a}|b",
        "a<b>c",
        'a"b',
    ),
]


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    workspace = tmp_path_factory.mktemp("odd 100%?#") / "x"
    (workspace / "data").mkdir(parents=True)
    return RunRecord.start(Settings(workspace=workspace), "train")


def test_documents_are_kept_under_any_name(record):
    for name in NAMES:
        record.write_json(f"gate/{name}.json", {"dataset": name})
    assert {name: record.read_json(f"gate/{name}.json") for name in NAMES} == {
        n: {"dataset": n} for n in NAMES
    }
    assert record.names("gate") == sorted(f"gate/{name}.json" for name in NAMES)
    assert {key: document["dataset"] for key, document in record.read_folder("gate").items()} == {
        name: name for name in NAMES
    }


def test_metrics_are_kept_under_any_name(record):
    record.write_metrics({metric_name(f"{name}/dice"): 0.5 for name in NAMES})
    kept = record._run().data.metrics
    assert {plain_metric(key) for key in kept} == {f"{name}/dice" for name in NAMES}


@given(st.text(min_size=1, max_size=40).filter(lambda name: not name_problem(name)))
def test_names_come_back(name):
    path = artifact_path(f"gate/{name}.json")
    assert plain_path(path) == f"gate/{name}.json"
    assert not set(path) & set("%#?")
    assert plain_metric(metric_name(f"{name}/dice")) == f"{name}/dice"
    _validate_metric_name(metric_name(f"{name}/dice"))


@pytest.mark.parametrize("name", ["D1", "fresh 2", "run(3)+4", "a.b-c_d"])
def test_names_of_old_are_kept_as_they_were(name):
    assert artifact_path(f"gate/{name}.json") == f"gate/{name}.json"
