"""A real worker beside the API: promotion, rollback, audit of the data, and a run that is refused."""

import io
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from icefloe.datasets.dataset import DatasetInfo
from icefloe.evaluation.evaluate import Evaluation
from icefloe.registry.lineage import DataState, Lineage, member_hashes
from icefloe.registry.registry import Registry
from icefloe.settings import load_settings
from serving.app import create_app
from serving.options import Options
from serving.snapshot import read_snapshot
from serving.worker.models import Models
from tests.icefloe.cli.conftest import workspace_with_version

HURRIED = 120  # s
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
    command = [sys.executable, "-m", "serving.worker", str(workspace), "1"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    until(lambda: read_snapshot(settings) is not None)
    yield process
    process.stdin.close()
    assert process.wait(timeout=60) == 0


@pytest.fixture
def client(app, browse):
    return browse(app)


def until(is_so):
    deadline = time.monotonic() + HURRIED
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


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
