"""Withdrawn labels by page and API: what a worker has seen, and asking for one."""

from datetime import UTC, datetime

import numpy as np
import pytest
import tifffile

from icefloe.datasets.dataset import DatasetInfo
from icefloe.datasets.label_history import LabelRecord, write_history
from serving.auth.roles import Role
from serving.worker.snapshot import SnapshotWriter
from tests.serving.studies import *  # noqa: F403

PAGE = {"Accept": "text/html"}
WHEN = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def looked(settings, retrain):
    """Ada's label of D3/train_0, which trained EA-T2, was withdrawn; one of D1 before any version."""
    retrain(2)
    for dataset, stem, by in (("D3", "train_0", "<Ben>"), ("D1", "early", "Ben")):
        folder = settings.data / dataset
        folder.mkdir()
        label = LabelRecord(stem, "ada", "2026-01-01", "queue")
        write_history(
            folder, (label, LabelRecord(stem, by, WHEN.isoformat(), "withdrawn", reason="water & ice"))
        )
    return SnapshotWriter(settings).update()


def test_the_api_names_the_versions_that_a_withdrawn_label_has_trained(looked, signed_in):
    found = signed_in(Role.VIEWER).get("/api/v1/data/withdrawals").json()
    listed = {one["key"]: one for one in found["labels"]}
    assert listed["D3/train_0"] == {
        "key": "D3/train_0",
        "author": "ada",
        "by": "<Ben>",
        "time": WHEN.timestamp(),
        "reason": "water & ice",
        "versions": ["EA-T2"],
    }
    assert listed["D1/early"]["versions"] == []
    assert found["consequence"] == ""  # EA-T1 is the champion


def test_a_later_promotion_changes_what_it_means(looked, settings, registry, signed_in):
    registry.promote("EA-T2", by="ben")
    SnapshotWriter(settings).update()
    found = signed_in(Role.VIEWER).get("/api/v1/data/withdrawals").json()
    assert found["consequence"] == (
        "EA-T2 stays the champion until another is promoted; the next training starts from EA-T1."
    )


def test_pages_say_it_and_only_operators_may_withdraw(looked, settings, signed_in):
    (settings.data / "D3" / "images").mkdir()
    tifffile.imwrite(settings.data / "D3" / "images" / "train_0.tif", np.ones((8, 8), np.uint16))
    DatasetInfo(name="D3", experiment="D3").save(settings.data / "D3")
    viewer, operator = signed_in(Role.VIEWER), signed_in(Role.OPERATOR)
    text = viewer.get("/data", headers=PAGE).text
    assert '<a href="/models/EA-T2">EA-T2</a>' in text
    assert "&lt;Ben&gt;" in text
    assert "water &amp; ice" in text
    assert 'id="withdraw"' not in text
    assert 'id="withdraw"' in operator.get("/data", headers=PAGE).text
    assert "D3/train_0</a>)" in viewer.get("/models/EA-T2", headers=PAGE).text
    assert "withdrawn since" not in viewer.get("/models/EA-T1", headers=PAGE).text
    asked = {"keys": ["D3/train_0"], "reason": "wrong"}
    assert viewer.post("/api/v1/data/withdrawals", json=asked).status_code == 403


def test_a_withdrawal_waits_for_a_worker_and_the_job_says_who_asked_and_why(app, signed_in):
    operator = signed_in(Role.OPERATOR)
    answer = operator.post("/api/v1/data/withdrawals", json={"labeler": "ada", "reason": "water"})
    assert answer.status_code == 202
    job = operator.get(answer.headers["location"]).json()
    assert job["kind"] == "withdraw"
    assert job["arguments"] == {"keys": [], "labeler": "ada", "reason": "water", "by": "a operator"}


@pytest.mark.parametrize(
    "asked",
    [
        {"reason": "wrong"},
        {"keys": ["D3/a"], "labeler": "ada", "reason": "wrong"},
        {"keys": ["D3/a"], "reason": ""},
        {"keys": ["D3/a"]},
    ],
)
def test_what_cannot_be_meant_is_refused_at_once(app, signed_in, asked):
    answer = signed_in(Role.OPERATOR).post("/api/v1/data/withdrawals", json=asked)
    assert answer.status_code == 422
    assert app.state.jobs.latest() == []
