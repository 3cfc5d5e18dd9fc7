"""The service as Label Studio's ML backend, without a worker: who may ask, and what is refused."""

import base64

import pytest

from icefloe.active.exchange.label_studio_config import label_config
from serving.auth.roles import Role
from serving.jobs.workers import WorkerState
from serving.prepared import MOST_IMAGES

CONFIG = label_config(("background", "ice"))
SETUP = {"project": "1.17", "schema": CONFIG, "hostname": "http://x", "access_token": "s3cret"}


@pytest.fixture
def token(signed_in):
    def make(role: Role) -> str:
        answer = signed_in(role).post("/api/v1/tokens", json={"title": "Label Studio"})
        return str(answer.json()["secret"])

    return make


@pytest.fixture
def champion(app):
    app.state.workers.beat(WorkerState(name="test", champion="EA-T1", problem=None))


def basic(password: str, name: str = "zoë") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode("latin-1")).decode()}


def ask(client, headers, tasks, config=CONFIG):
    return client.post(
        "/label-studio/predict", json={"tasks": tasks, "label_config": config}, headers=headers
    )


def test_label_studio_signs_in_by_basic_auth_with_a_token(client, token, champion):
    headers = basic(token(Role.LABELER))
    assert client.get("/label-studio/health", headers=headers).json()["status"] == "UP"
    answer = client.post("/label-studio/setup", json=SETUP, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"model_version": "EA-T1"})


def test_basic_auth_opens_nothing_else(client, token):
    headers = basic(token(Role.ADMIN))
    assert client.get("/api/v1/me", headers=headers).status_code == 401
    assert client.get("/api/v1/people", headers=headers).status_code == 401


@pytest.mark.parametrize("credentials", ["", "!!", "YQ==", "YTo="])
def test_credentials_that_are_none_are_refused(client, credentials):
    answer = client.get("/label-studio/health", headers={"Authorization": f"Basic {credentials}"})
    assert answer.status_code == 401


def test_a_viewers_token_may_not_have_images_predicted(client, token):
    assert ask(client, basic(token(Role.VIEWER)), []).status_code == 403


def test_label_studios_own_token_is_in_no_log(client, token, champion, caplog):
    caplog.set_level("DEBUG")
    headers = basic(token(Role.LABELER))
    client.post("/label-studio/setup", json=SETUP, headers=headers)
    assert client.post("/label-studio/setup", json=SETUP | {"schema": 7}, headers=headers).status_code == 422
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("<View/>", "has no brush in its labelling interface"),
        ("<View>", "is not XML"),
        ('<!DOCTYPE a [<!ENTITY b "cc">]><View>&b;</View>', "has a document type"),
    ],
)
def test_an_interface_that_cannot_be_painted_in_is_refused(client, token, champion, config, words):
    headers = basic(token(Role.LABELER))
    for answer in (
        client.post("/label-studio/setup", json=SETUP | {"schema": config}, headers=headers),
        ask(client, headers, [], config),
    ):
        assert answer.status_code == 422
        assert words in answer.json()["detail"]


def test_tasks_whose_images_are_not_the_workspaces_are_refused(client, token, champion):
    headers = basic(token(Role.LABELER))
    answer = ask(client, headers, [{"id": 7, "data": {"image": "/data/upload/1/a.png"}}])
    assert answer.status_code == 404
    assert answer.json()["detail"] == (
        "Task 7: names no dataset and stem, so its image is not known here. "
        "Push images with `icefloe labels push`."
    )
    odd = [{"data": {"dataset": name, "stem": "../a"}} for name in ("../..", "D9", "", "a\0")]
    assert ask(client, headers, odd).status_code == 404


def test_too_many_tasks_at_once_are_refused(client, token, champion):
    tasks = [{"data": {}}] * (MOST_IMAGES + 1)
    assert ask(client, basic(token(Role.LABELER)), tasks).status_code == 413


def test_without_a_worker_label_studio_is_told_to_wait(client, token):
    answer = client.post("/label-studio/setup", json=SETUP, headers=basic(token(Role.LABELER)))
    assert answer.status_code == 503
    assert "retry-after" in answer.headers
