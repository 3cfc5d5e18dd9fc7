"""Models, by page and API, from a real registry; what workers do is in tests/serving/worker/."""

import re

import pytest
from markupsafe import escape

from serving.auth.roles import Role
from serving.worker.snapshot import SnapshotWriter
from tests.serving.studies import *  # noqa: F403

PAGE = {"Accept": "text/html"}


@pytest.fixture
def looked(settings, retrain):
    """EA-T1 is champion, EA-T2 passed the gate, EA-T3 did not; a worker has looked."""
    retrain(2)
    retrain(3, dice_on_d3=0.6)
    return SnapshotWriter(settings).update()


def test_before_a_worker_has_looked_the_answer_is_503_and_says_what_to_start(signed_in):
    answer = signed_in(Role.VIEWER).get("/api/v1/models")
    assert answer.status_code == 503
    assert answer.json()["detail"] == (
        "No worker has looked at the registry yet. Start one: `icefloe worker`."
    )
    assert int(answer.headers["retry-after"]) > 0
    page = signed_in(Role.LABELER).get("/models", headers=PAGE)
    assert page.status_code == 200
    assert "No worker has looked" in page.text


def test_models_are_listed_and_compared_as_the_registry_has_them(looked, registry, signed_in):
    viewer = signed_in(Role.VIEWER)
    answer = viewer.get("/api/v1/models")
    assert answer.headers["etag"] == f'"{looked.models.revision}"'
    assert [version["name"] for version in answer.json()["versions"]] == ["EA-T1", "EA-T2", "EA-T3"]
    assert viewer.get("/api/v1/models/champion").json()["name"] == "EA-T1"
    assert viewer.get("/api/v1/models/EA-T2").json()["gate"]["verdict"] == "pass"
    assert viewer.get("/api/v1/models/EA-T9").status_code == 404

    answer = viewer.get("/api/v1/models/comparison?one=EA-T1&two=EA-T2").json()
    scores = {(pair["dataset"], pair["metric"]): pair for pair in answer["scores"]}
    before, after = (registry.get(name).metrics for name in ("EA-T1", "EA-T2"))
    pair = scores["D1", "Dice"]
    assert (pair["one"], pair["two"]) == (before["D1"]["dice"], after["D1"]["dice"])
    assert pair["difference"] == pytest.approx(after["D1"]["dice"] - before["D1"]["dice"])
    new = scores["D3", "Dice"]
    assert (new["one"], new["two"], new["difference"]) == (None, after["D3"]["dice"], None)


def test_changing_the_champion_needs_the_state_that_was_looked_at(looked, app, signed_in):
    operator = signed_in(Role.OPERATOR)
    for path in ("EA-T2/promote", "rollback"):
        bare = operator.post(f"/api/v1/models/{path}", json={"reason": "better"})
        assert bare.status_code == 428
        stale = operator.post(
            f"/api/v1/models/{path}", json={"reason": "better"}, headers={"If-Match": '"1"'}
        )
        assert stale.status_code == 412
        assert stale.json()["current"]["champion"] == "EA-T1"
        assert stale.headers["etag"] == f'"{looked.models.revision}"'
    assert app.state.jobs.latest() == []


def test_a_promotion_waits_for_a_worker_and_the_audit_log_knows_who_asked(looked, app, signed_in):
    operator = signed_in(Role.OPERATOR)
    answer = operator.post(
        "/api/v1/models/challenger/promote",
        json={"reason": "better on D3"},
        headers={"If-Match": f'"{looked.models.revision}"', "Prefer": "wait=0"},
    )
    assert answer.status_code == 202
    job = operator.get(answer.headers["location"]).json()
    assert (job["kind"], job["arguments"]["version"]) == ("promote", "EA-T3")
    assert (job["arguments"]["by"], job["arguments"]["reason"]) == ("a operator", "better on D3")
    entries = signed_in(Role.ADMIN).get("/api/v1/audit").json()
    (asked,) = (entry for entry in entries if entry["what"] == "asked for promote")
    assert (asked["actor"], asked["target"], asked["detail"]) == ("a operator", "EA-T3", {"job": job["id"]})


def test_pages_tell_a_viewer_all_and_offer_an_operator_to_change_it(looked, signed_in):
    viewer, operator = signed_in(Role.VIEWER), signed_in(Role.OPERATOR)
    shown = viewer.get("/models", headers=PAGE).text
    assert "The champion is EA-T1." in shown
    for version in looked.models.versions:
        assert str(escape(version.gate.sentence)) in shown
    assert "Two versions side by side" in shown
    assert "promoted EA-T1" in shown
    assert "data-promote" not in shown

    offered = operator.get("/models", headers=PAGE).text
    assert 'data-promote="EA-T2" data-objection=""' in offered
    assert 'data-promote="EA-T3" data-objection="EA-T3 ' in offered
    assert 'data-promote="EA-T1"' not in offered

    about = viewer.get("/models/EA-T2", headers=PAGE).text
    for words in (
        "mobilenet_v2-unet-s0",
        "ada (1)",
        "EA-T9 (1)",
        "label-studio, icefloe 0.1 (1)",
        "better",
        '<a href="/models/EA-T1">',
    ):
        assert words in about
    for found in looked.models.version("EA-T2").gate.findings:
        assert f"<td>{found.better:.3f}</td>" in about

    for path in ("/overview", "/models", "/models/EA-T2", "/data"):
        text = operator.get(path, headers=PAGE).text
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script>", text), path
