"""The study's experiment as MLflow's pages take it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from mlflow.tracking import MlflowClient

from icefloe.experiment import KIND_TAG, MODEL_TRAINING, connect, open_experiment, run_name, run_page
from tests.stores import new_store


@pytest.fixture(scope="module")
def client(tmp_path_factory) -> MlflowClient:
    return connect(new_store(tmp_path_factory.mktemp("mlflow")))


def kind_of(client, identifier):
    return client.get_experiment(identifier).tags.get(KIND_TAG)


def test_a_new_experiment_is_one_of_model_training_and_opened_twice_is_the_same(client, tmp_path):
    made = open_experiment(client, "new", tmp_path.as_uri())
    assert kind_of(client, made) == MODEL_TRAINING == "custom_model_development"
    assert client.get_experiment(made).artifact_location == tmp_path.as_uri()
    assert client.get_experiment(made).tags["mlflow.note.content"].startswith("Icefloe: runs of the pipe")
    assert open_experiment(client, "new", None) == made


@pytest.mark.parametrize("inferred", [None, "", "no_inferred_type", "genai_development_inferred"])
def test_an_experiment_whose_kind_nobody_chose_becomes_one_of_model_training(client, inferred):
    made = client.create_experiment(f"old-{inferred}", tags={KIND_TAG: inferred} if inferred else None)
    assert open_experiment(client, f"old-{inferred}", None) == made
    assert kind_of(client, made) == MODEL_TRAINING


def test_a_kind_and_a_note_that_a_person_chose_stay(client):
    made = client.create_experiment("chosen", tags={KIND_TAG: "finetuning"})
    noted = client.create_experiment("noted", tags={"mlflow.note.content": "Ours."})
    open_experiment(client, "chosen", None)
    open_experiment(client, "noted", None)
    assert kind_of(client, made) == "finetuning"
    assert client.get_experiment(noted).tags["mlflow.note.content"] == "Ours."


def test_processes_that_open_a_new_experiment_at_once_get_the_same(client):
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: open_experiment(client, "at once", None), range(4)))
    assert len(set(found)) == 1


def test_a_run_is_named_by_what_it_does_and_when():
    assert run_name("train").startswith("train 20")
    assert len(run_name("retrain D3")) == len("retrain D3 2026-11-29 14:03")


def test_the_page_of_a_run_and_of_its_artifact():
    assert run_page("1", "abc") == "#/experiments/1/runs/abc?workflowType=machine_learning"
    assert run_page("1", "abc", "gate/x.md") == (
        "#/experiments/1/runs/abc/artifacts/gate/x.md?workflowType=machine_learning"
    )
