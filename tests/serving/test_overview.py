"""Overview and Data: where the loop stands, and starting what takes long."""

import subprocess

import numpy as np
import pytest
from PIL import Image

from icefloe.datasets.dataset import DatasetInfo
from serving.auth.roles import Role
from serving.jobs.kinds import LIMITS
from serving.jobs.workers import WorkerState
from serving.pages.overview import WORK
from serving.pages.times import duration
from serving.worker.snapshot import SnapshotWriter
from tests.serving.studies import *  # noqa: F403

PAGE = {"Accept": "text/html"}


@pytest.fixture
def dataset(settings):
    """D1: two images, one of them labelled."""
    folder = settings.data / "D1"
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for stem in ("a", "b"):
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / "images" / f"{stem}.png")
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / "masks" / "a.png")
    DatasetInfo(name="D1", experiment="melting").save(folder)
    return folder


def test_the_first_page_is_overview(signed_in):
    answer = signed_in(Role.VIEWER).get("/", headers=PAGE, follow_redirects=False)
    assert answer.headers["location"] == "/overview"


def test_a_new_workspace_has_an_overview_that_says_what_is_missing(signed_in):
    text = signed_in(Role.OPERATOR).get("/overview", headers=PAGE).text
    assert "No worker runs" in text
    assert "no champion yet" in text
    assert "There are no images yet" in text


def test_a_disk_that_is_nearly_full_is_in_sight(signed_in, monkeypatch):
    browser = signed_in(Role.VIEWER)
    assert "Make room" not in browser.get("/overview", headers=PAGE).text
    monkeypatch.setattr("serving.pages.overview.free_bytes", lambda _: 2**30)
    assert "Only 1.0 GiB are free on the workspace&#39;s disk. Make room" in (
        browser.get("/overview", headers=PAGE).text
    )


def test_the_picture_has_the_loops_numbers(dataset, settings, first, signed_in):
    SnapshotWriter(settings).update()
    text = signed_in(Role.VIEWER).get("/overview", headers=PAGE).text
    for words in ("2 images", "in 1 dataset", "with EA-T1", "0 of 1 checked", "0 to label"):
        assert f">{words}<" in text
    assert "Start something" not in text


def test_what_failed_is_in_sight(app, dataset, signed_in):
    problem = "EA-T2/member.safetensors: the artifact store does not have it."
    app.state.workers.beat(WorkerState(name="w", champion="EA-T1", problem=problem))
    job = app.state.jobs.ask("drift", {"datasets": ["D1"], "preset": "auto", "minutes": None}, 1, "ann")
    app.state.jobs.take("w", runs=True)
    app.state.jobs.fail(job.id, "w", "D1 has one image.")
    text = signed_in(Role.OPERATOR).get("/overview", headers=PAGE).text
    assert "No worker runs" not in text
    assert f"A new champion could not be loaded: {problem}" in text
    assert f"Job {job.id} (drift check) failed: D1 has one image." in text
    assert f'data-retry="{job.id}"' in text


@pytest.mark.parametrize(
    ("path", "body", "kind", "datasets"),
    [
        ("drift", {"dataset": "D1"}, "drift", ["D1"]),
        ("runs", {"kind": "retrain", "dataset": "D1"}, "retrain", ["D1"]),
        ("runs", {"kind": "train", "minutes": 5}, "train", []),
    ],
)
def test_an_operator_starts_a_run_which_the_audit_log_keeps(
    dataset, app, signed_in, path, body, kind, datasets
):
    answer = signed_in(Role.OPERATOR).post(f"/api/v1/{path}", json=body)
    assert answer.status_code == 202
    job = app.state.jobs.job(int(answer.headers["location"].rpartition("/")[2]))
    assert (job.kind, job.arguments["datasets"], job.arguments["preset"]) == (kind, datasets, "auto")
    entries = signed_in(Role.ADMIN).get("/api/v1/audit").json()
    assert [entry["actor"] for entry in entries if entry["what"] == f"asked for {kind}"] == ["a operator"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("drift", {"dataset": "D9"}, 404),
        ("drift", {"dataset": "../D1"}, 404),
        ("runs", {"kind": "retrain"}, 422),
        ("runs", {"kind": "retrain", "dataset": "D1", "preset": "--help"}, 422),
        ("runs", {"kind": "loop"}, 422),
    ],
)
def test_a_run_of_what_is_not_there_is_refused(dataset, app, signed_in, path, body, status):
    assert signed_in(Role.OPERATOR).post(f"/api/v1/{path}", json=body).status_code == status
    assert app.state.jobs.latest() == []


def test_data_are_shown_with_counts_and_versions(dataset, settings, signed_in):
    def git(*arguments):
        identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
        subprocess.run(["git", *identity, *arguments], cwd=settings.workspace, check=True)

    git("init", "-q")
    (settings.workspace / "data.dvc").write_text("outs:\n")
    git("add", "data.dvc")
    git("commit", "-qm", "2 images of melting ice")
    viewer = signed_in(Role.VIEWER)
    (version,) = viewer.get("/api/v1/data/versions").json()
    text = viewer.get("/data", headers=PAGE).text
    for words in ("D1", "melting", "2 images of melting ice", version["rev"][:10], "not audited yet"):
        assert words in text
    assert viewer.get("/api/v1/data/audit").status_code == 404


def test_every_kind_of_job_has_a_name_for_people():
    assert set(WORK) == set(LIMITS)


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0 s"), (89, "89 s"), (720, "12 min"), (9000, "2.5 h")])
def test_a_duration_is_written_as_one_says_it(seconds, words):
    assert duration(seconds) == words
