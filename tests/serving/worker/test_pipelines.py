"""Operators run the loop from the pages: train, drift check, labels, retrain, by the real engines."""

import subprocess
import sys
import time

import pytest

from icefloe.registry.registry import Registry
from icefloe.settings import load_settings
from icefloe.workflow.labels import label_from_truth
from serving.app import create_app
from serving.options import Options
from tests.e2e.test_loop import make_workspace

pytestmark = pytest.mark.integration

LONGEST = 900  # s a run


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return make_workspace(tmp_path_factory.mktemp("pages") / "workspace")


@pytest.fixture(scope="module")
def app(workspace):
    return create_app(load_settings(workspace), Options(no_auth=True))


@pytest.fixture(scope="module", autouse=True)
def worker(workspace):
    process = subprocess.Popen(
        [sys.executable, "-m", "serving.worker", str(workspace), "1"], stdin=subprocess.PIPE
    )
    yield process
    process.stdin.close()
    assert process.wait(timeout=60) == 0


@pytest.fixture
def client(app, browse):
    return browse(app)


def run(client, path, **wanted):
    """Ask for a run, wait, and return the job, and all that it told of its progress."""
    answer = client.post(f"/api/v1/{path}", json=wanted)
    assert answer.status_code == 202, answer.text
    told, deadline = set(), time.monotonic() + LONGEST
    while (job := client.get(answer.headers["location"]).json())["state"] in ("waiting", "running"):
        assert time.monotonic() < deadline
        told.add(job["what"].partition(":")[0])
        time.sleep(0.5)
    assert job["state"] == "done", job["problem"]
    return job, told


def shown(client, path, is_there):
    """What the API answers once a worker has seen it."""
    deadline = time.monotonic() + 60
    while not is_there(answer := client.get(f"/api/v1/{path}").json()):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    return answer


def test_the_loop_is_run_from_the_pages(client, workspace):
    settings = load_settings(workspace)
    trained, told = run(client, "runs", kind="train", preset="tiny")
    assert "train members" in told
    assert trained["result"]["sentence"].startswith("The champion is EA-T1")
    models = shown(client, "models", lambda models: models.get("champion"))
    assert models["champion"] == "EA-T1"

    checked, _ = run(client, "drift", dataset="D3")
    (verdict,) = shown(client, "drift", bool)
    assert (verdict["dataset"], verdict["version"]) == ("D3", "EA-T1")
    assert checked["result"]["sentence"] == verdict["sentence"]
    assert verdict["outcome"] == "shifted"

    assert label_from_truth(settings, "D3") > 0
    retrained, _ = run(client, "runs", kind="retrain", dataset="D3", preset="tiny")
    assert [version.name for version in Registry(settings).list()] == ["EA-T1", "EA-T2"]
    assert Registry(settings).champion().name in retrained["result"]["sentence"]
    runs = shown(client, "runs", lambda runs: len(runs) == 3 and runs[0]["state"] != "running")
    assert [(one["pipeline"], one["state"]) for one in runs] == [
        ("retrain", "done"),
        ("drift_check", "done"),
        ("train", "done"),
    ]
    for image in client.get("/api/v1/models/EA-T2").json()["images"]:
        assert image["n_images"] > 0
