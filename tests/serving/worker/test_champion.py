"""A real worker beside the API: promotion, rollback, audit of the data, a run that is refused, deaths."""

import io
import signal

import numpy as np
import psutil
import pytest
from PIL import Image

from benchmarks.service.untrained import register_untrained
from icefloe.datasets.dataset import DatasetInfo
from icefloe.evaluation.evaluate import Evaluation
from icefloe.registry.lineage import DataState, Lineage, member_hashes
from icefloe.registry.registry import Registry
from icefloe.settings import load_settings
from serving.app import create_app
from serving.jobs.job import BATCH
from serving.options import Options
from serving.snapshot import read_snapshot
from serving.worker.models import Models
from tests.icefloe.cli.conftest import workspace_with_version
from tests.serving.worker.processes import start, until

WAIT = {"Prefer": "wait=30"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory, make_ensemble):
    """EA-T1 is champion, EA-T2 was not judged, and its files know no name; one image without a label."""
    folder = tmp_path_factory.mktemp("promoted")
    workspace, registry = workspace_with_version(folder, make_ensemble())
    registry.promote("EA-T1", force=True, reason="the first", by="ada")
    second = make_ensemble(seeds=(2, 3), name="challenger")
    second.save(folder / "EA-T2")
    lineage = Lineage(
        data=DataState(rev="rev", md5="md5-of-D1"),
        git_sha="c0de",
        parameters={},
        seeds={},
        packages={},
        images=(),
        weights_sha256=member_hashes(folder / "EA-T2"),
        created="2026-01-02T00:00:00+00:00",
    )
    evaluation = Evaluation(
        ensemble="EA",
        classes=second.manifest.classes,
        threshold=0.5,
        images=(),
        datasets={},
        baselines={},
    )
    registry.register(folder / "EA-T2", lineage, evaluation)
    images = workspace / "data" / "D1" / "images"
    images.mkdir(parents=True)
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (64, 64)).astype(np.uint8)).save(images / "a.png")
    DatasetInfo(name="D1", experiment="melting").save(images.parent)
    (images.parent / "masks").mkdir()
    (images.parent / "masks" / "gone.png").write_bytes(b"")
    return workspace


@pytest.fixture(scope="module")
def settings(workspace):
    return load_settings(workspace)


@pytest.fixture(scope="module")
def app(settings):
    return create_app(settings, Options(no_auth=True))


@pytest.fixture(scope="module", autouse=True)
def worker(app, settings, workspace):
    process = start(workspace)
    until(lambda: read_snapshot(settings) is not None)
    yield process
    process.kill()


@pytest.fixture
def client(app, browse):
    return browse(app)


def change(client, path, etag, **wanted):
    return client.post(f"/api/v1/models/{path}", json=wanted, headers={"If-Match": etag, **WAIT})


def test_a_person_promotes_overruling_the_gate_and_rolls_back(client, settings):
    registry, before = Registry(settings), client.get("/api/v1/models").headers["etag"]

    refused = change(client, "EA-T2/promote", before, reason="")
    assert refused.status_code == 409
    assert refused.json()["detail"] == registry.objection("EA-T2")

    promoted = change(client, "EA-T2/promote", before, reason="sharper edges", force=True)
    assert promoted.status_code == 200
    entry = registry.history()[-1]
    assert promoted.json()["sentence"] == entry.sentence()
    assert (entry.champion, entry.by, entry.reason, entry.forced) == ("EA-T2", "local", "sharper edges", True)
    assert client.get("/api/v1/models").json()["champion"] == "EA-T2"

    assert change(client, "rollback", before, reason="too soon").status_code == 412
    after = client.get("/api/v1/models").headers["etag"]
    assert promoted.headers["etag"] == after
    assert change(client, "rollback", after, reason="too many false specks").status_code == 200
    assert registry.champion().name == "EA-T1"

    last = client.get("/api/v1/models").headers["etag"]
    nothing = change(client, "rollback", last, reason="further back")
    assert nothing.status_code == 409
    assert "there is no champion before it" in nothing.json()["detail"]


def test_a_change_that_no_page_has_seen_yet_is_not_overwritten(client, settings):
    etag = client.get("/api/v1/models").headers["etag"]
    registry = Registry(settings)
    registry.promote("EA-T2", force=True, reason="by the command line", by="ben")

    answer = change(client, "EA-T1/promote", etag, reason="mine", force=True)

    assert answer.status_code == 412
    assert answer.json()["current"]["champion"] == "EA-T2"
    assert registry.history()[-1].by == "ben"
    until(lambda: client.get("/readyz").json()["champion"] == "EA-T2")


def test_the_audit_of_the_data_is_shown_when_a_worker_has_made_it(client):
    location = client.post("/api/v1/data/audit").headers["location"]
    until(lambda: client.get(location).json()["state"] == "done")
    found = client.get("/api/v1/data/audit").json()
    assert [(one["name"], one["n_images"], one["n_labelled"]) for one in found["datasets"]] == [("D1", 1, 0)]
    assert len(found["problems"]) == 1
    text = client.get("/data", headers={"Accept": "text/html"}).text
    assert "gone.png: no image to go with this label" in text


def test_both_versions_segment_an_image_for_the_page(client):
    for version in ("EA-T1", "EA-T2"):
        answer = client.get(f"/api/v1/images/D1/a/maps/mask?version={version}", headers=WAIT)
        assert answer.headers["icefloe-version"] == version
        assert Image.open(io.BytesIO(answer.content)).size == (64, 64)


def test_a_run_that_cannot_begin_fails_with_the_command_lines_words(client):
    location = client.post("/api/v1/runs", json={"kind": "train"}).headers["location"]
    until(lambda: client.get(location).json()["state"] == "failed")
    assert "no dataset has labels, so nothing can be trained" in client.get(location).json()["problem"]
    collected = client.post("/api/v1/runs", json={"kind": "collect"}).headers["location"]
    until(lambda: client.get(collected).json()["state"] not in ("waiting", "running"))
    assert "no data version yet" in client.get(collected).json()["problem"]


def test_a_version_goes_by_its_name_in_the_registry_not_by_that_in_its_files(settings):
    told = []
    models = Models(settings, told.append)
    models.follow()
    assert models.champion == Registry(settings).champion().name == "EA-T2"
    assert models.get("EA-T2").name == "challenger"
    assert [loaded.champion for loaded in told] == ["EA-T2"]


def test_a_promotion_serves_within_30_s_and_a_damaged_version_leaves_the_one_before(
    app, client, worker, workspace, make_ensemble
):
    registry = Registry(load_settings(workspace))
    register_untrained(workspace, make_ensemble(seeds=(1, 2)), name="EA-T3")
    registry.promote("EA-T3", force=True, reason="a test", by="ada")
    until(lambda: client.get("/readyz").json()["champion"] == "EA-T3", seconds=30)
    register_untrained(workspace, make_ensemble(seeds=(0, 9)), name="EA-T4")
    registry.promote("EA-T4", force=True, reason="a test", by="ada")
    for weights in (workspace / ".icefloe" / "mlartifacts").rglob("*.safetensors"):
        if weights.name.endswith("s9.safetensors"):
            weights.write_bytes(b"damaged")
    until(lambda: any(each.problem for each in app.state.workers.living()), seconds=60)
    (state,) = app.state.workers.living()
    assert state.champion == "EA-T3"
    assert client.get("/api/v1/images/D1/a/maps", headers={"Prefer": "wait=30"}).json()["version"] == "EA-T3"
    registry.rollback(by="ada")
    until(lambda: client.get("/readyz").json()["champion"] == "EA-T3" and not state_problem(app))


def state_problem(app):
    return any(each.problem for each in app.state.workers.living())


def test_a_job_whose_process_dies_says_so_and_the_worker_goes_on(app, client, worker, workspace):
    (child,) = (
        each for each in psutil.Process(worker.pid).children() if "spawn_main" in " ".join(each.cmdline())
    )
    child.send_signal(signal.SIGSTOP)  # so that it cannot finish first
    job = app.state.jobs.ask("maps", {"dataset": "D1", "stem": "a", "version": "EA-T1"}, BATCH, "ada")
    until(lambda: app.state.jobs.job(job.id).state == "running")
    child.kill()
    until(lambda: app.state.jobs.job(job.id).state == "failed")
    assert "died (SIGKILL)" in app.state.jobs.job(job.id).problem
    answer = client.post(f"/api/v1/jobs/{job.id}/retry")
    assert answer.status_code == 200
    until(lambda: app.state.jobs.job(job.id).state == "done")


def test_a_killed_workers_job_is_taken_up_by_another(app, worker, workspace):
    """Last: it ends the worker of the other tests."""
    (child,) = (
        each for each in psutil.Process(worker.pid).children() if "spawn_main" in " ".join(each.cmdline())
    )
    child.send_signal(signal.SIGSTOP)
    (workspace / "data" / "D1" / "images" / "a.png").touch()  # nothing that was prepared holds any more
    job = app.state.jobs.ask("planes", {"dataset": "D1", "stem": "a"}, BATCH, "ada")
    until(lambda: app.state.jobs.job(job.id).state == "running")
    worker.kill()
    child.send_signal(signal.SIGCONT)
    second = start(workspace)
    try:
        until(lambda: app.state.jobs.job(job.id).state == "done")
        assert app.state.jobs.job(job.id).attempts == 2
    finally:
        second.stdin.close()  # as when `icefloe serve` is gone
        assert second.wait(timeout=60) == 0
    assert not child.is_running()
