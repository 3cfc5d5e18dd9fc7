"""Results by page and API where no worker is needed; what workers do is in tests/serving/worker/."""

import re

import numpy as np
import pytest
import tifffile

from icefloe.datasets.dataset import DatasetInfo
from serving.auth.roles import Role
from serving.prepared import UPLOAD, uploads_of
from serving.worker.snapshot import SnapshotWriter
from tests.serving.studies import *  # noqa: F403

PAGE = {"Accept": "text/html"}


def write_dataset(folder, **known):
    (folder / "images").mkdir(parents=True)
    for stem in ("a_1", "a_2"):
        tifffile.imwrite(folder / "images" / f"{stem}.tif", np.zeros((8, 8), np.uint8))
    DatasetInfo(**{"name": folder.name, "experiment": folder.name} | known).save(folder)


@pytest.fixture
def looked(settings, retrain):
    """EA-T1 is champion of two versions, there is a dataset, and a worker has looked."""
    write_dataset(settings.data / "D9", pixel_size_nm=0.5)
    retrain(2)
    return SnapshotWriter(settings).update()


def test_before_a_worker_has_looked_the_page_says_what_to_start(signed_in):
    page = signed_in(Role.VIEWER).get("/results", headers=PAGE)
    assert page.status_code == 200
    assert "No worker has looked at the registry yet. Start one" in page.text


def test_the_page_shows_the_champion_unless_another_version_is_chosen(looked, signed_in):
    viewer = signed_in(Role.VIEWER)
    page = viewer.get("/results", headers=PAGE).text
    assert 'data-dataset="D9" data-version="EA-T1"' in page
    assert '<option value="EA-T1" selected>EA-T1 (champion)</option>' in page
    assert "No worker runs" in page
    page = viewer.get("/results?dataset=D9&version=EA-T2", headers=PAGE).text
    assert 'data-dataset="D9" data-version="EA-T2"' in page
    assert viewer.get("/results?dataset=D8", headers=PAGE).status_code == 404
    assert viewer.get("/results?version=EA-T9", headers=PAGE).status_code == 404


def test_a_viewer_starts_nothing_and_nothing_is_inline(looked, signed_in):
    shown = signed_in(Role.VIEWER).get("/results", headers=PAGE).text
    offered = signed_in(Role.LABELER).get("/results", headers=PAGE).text
    for part in ('id="segment"', 'id="send"'):
        assert part not in shown
        assert part in offered
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script>", offered)


def test_without_a_version_it_says_why_there_is_none(settings, signed_in, store):
    write_dataset(settings.data / "D9")
    snapshot = SnapshotWriter(settings).update()
    page = signed_in(Role.VIEWER).get("/results", headers=PAGE).text
    assert snapshot.models.champion is None
    assert snapshot.models.sentence in page
    assert 'id="results"' not in page


def test_what_somebody_has_sent_is_only_in_her_list(looked, settings, app, signed_in):
    ann, ben = signed_in(Role.LABELER, "Ann"), signed_in(Role.LABELER, "Ben")
    me = ann.get("/api/v1/me").json()["id"]
    folder = uploads_of(settings, me) / f"{UPLOAD}0123456789abcdef"
    write_dataset(folder, experiment="my melt")
    assert ">my melt</option>" in ann.get("/results", headers=PAGE).text
    assert "my melt" not in ben.get("/results", headers=PAGE).text
    path = f"/api/v1/results/{folder.name}?version=EA-T1"
    assert ann.get(path).json()["stems"] == ["a_1", "a_2"]
    for ending in ("", "/table", "/series", "/series/table", "/figures/series"):
        assert ben.get(path.replace("?", f"{ending}?")).status_code == 404


def test_a_measured_segmentation_is_a_job_of_its_own_and_the_page_finds_it(looked, signed_in):
    ann = signed_in(Role.LABELER, "Ann")
    wanted = {"dataset": "D9", "version": "EA-T1"}
    plain = ann.post("/api/v1/segmentations", json=wanted, headers={"Prefer": "wait=0"}).json()
    assert ann.get("/api/v1/results/D9?version=EA-T1").json()["job"] is None
    measured = ann.post(
        "/api/v1/segmentations", json=wanted | {"measure": True}, headers={"Prefer": "wait=0"}
    ).json()
    assert measured["job"]["id"] != plain["job"]["id"]
    found = signed_in(Role.VIEWER).get("/api/v1/results/D9?version=EA-T1").json()
    assert found["job"]["id"] == measured["job"]["id"]
    assert found["job"]["state"] == "waiting"


@pytest.mark.parametrize("version", ["EA-T9", "%C3%A9", "..%2f..", "a%00", "%E6%97%A5"])
def test_a_version_that_is_not_there_has_no_results(looked, signed_in, version):
    viewer = signed_in(Role.VIEWER)
    for ending in ("/series", "/series/table", "/figures/fronts"):
        assert viewer.get(f"/api/v1/results/D9{ending}?version={version}").status_code == 404
    assert viewer.get(f"/api/v1/results/D9/table?version={version}").status_code in (200, 404)


def test_a_figure_that_is_none_is_refused(looked, signed_in):
    viewer = signed_in(Role.VIEWER)
    assert viewer.get("/api/v1/results/D9/figures/moon?version=EA-T1").status_code == 422
    assert viewer.get("/api/v1/results/D9/figures/series?version=EA-T1&format=exe").status_code == 422
