"""Numbers for Prometheus: right, and nobody's names in them; for several processes, see test_serve.py."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from icefloe.active.items import NewItem, Purpose
from serving.auth.roles import Role
from serving.jobs.job import BATCH
from serving.jobs.workers import WorkerState


def numbers(text):
    """Name and labels of every sample -> value."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found, name, **labels):
    return found.get((name, *sorted(labels.items())), 0)


@pytest.fixture
def ask(signed_in):
    viewer = signed_in(Role.VIEWER, "Greta Garbo")
    return lambda: numbers(viewer.get("/metrics").text)


def test_requests_are_counted_by_route_and_status_and_never_by_what_strangers_type(client, ask):
    before = ask()
    for path in ("/healthz", "/healthz", "/api/v1/jobs/7", "/made-up/../%00", "/made-up"):
        client.get(path)
    client.request("BREW", "/healthz")
    after = ask()

    def more(name, **labels):
        return value(after, name, **labels) - value(before, name, **labels)

    assert more("icefloe_requests_total", method="GET", route="/healthz", status="200") == 2
    assert more("icefloe_requests_total", method="GET", route="/api/v1/jobs/{job_id}", status="401") == 1
    assert more("icefloe_requests_total", method="GET", route="other", status="404") == 2
    assert more("icefloe_request_seconds_count", method="GET", route="/healthz") == 2
    assert not any("made-up" in str(key) or "BREW" in str(key) for key in after)


def test_jobs_queue_workers_and_versions_are_the_databases(app, ask):
    app.state.jobs.ask("audit", {}, BATCH, "Greta Garbo")
    purpose = Purpose("bald", 0.5, 1, "members disagree")
    app.state.queue.add([NewItem("D3", "a", "EA-T1", (4, 4), ("background", "ice"), purpose, None)])
    app.state.workers.beat(WorkerState(name="host:1", champion="EA-T1", problem=None))
    found = ask()
    assert value(found, "icefloe_jobs", kind="audit", state="waiting") == 1
    assert value(found, "icefloe_queue_items", state="waiting") == 1
    assert 0 <= value(found, "icefloe_worker_heartbeat_age_seconds", worker="host:1") < 60
    assert value(found, "icefloe_worker_version", worker="host:1", version="EA-T1") == 1
    assert value(found, "icefloe_disk_free_bytes") > 0


def test_failed_sign_ins_are_counted_and_nobodys_name_is_told(client, ask, signed_in):
    before = ask()
    client.post("/api/v1/sessions", json={"name": "Marlene", "password": "wrong wrong wrong"})
    after = ask()
    assert value(after, "icefloe_failed_sign_ins_total") == value(before, "icefloe_failed_sign_ins_total") + 1
    assert not any(name in str(after) for name in ("Marlene", "Greta"))


def test_numbers_are_for_those_who_are_signed_in_or_have_a_token(client, signed_in):
    assert client.get("/metrics").status_code == 401
    secret = signed_in(Role.VIEWER).post("/api/v1/tokens", json={"title": "prometheus"}).json()["secret"]
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {secret}", "Accept": "text/html"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
