"""The service's document holds: schemathesis asks every route for what it says, as every role."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from icefloe.active.items import NewItem, Purpose
from icefloe.active.uploads import encode_png
from serving.auth.roles import NEEDED, Role
from serving.jobs.workers import WorkerState
from serving.worker.snapshot import SnapshotWriter
from tests.serving.conftest import URL
from tests.serving.test_queue import CLASSES, SHAPE, mask

HOLDING = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def operations(routes):
    """All that the document describes, prepared for generating requests once for all roles."""
    schema = schemathesis.openapi.from_dict(routes.openapi())
    schema.app = routes
    return [result.ok() for result in schema.get_all_operations()]


@pytest.mark.parametrize("role", [None, *Role])
def test_every_route_answers_as_documented_to_every_role(operations, app, settings, client, signed_in, role):
    SnapshotWriter(settings).update()
    browser = client if role is None else signed_in(role)
    purpose = Purpose("bald", 0.5, 1, "members disagree")
    app.state.queue.add([NewItem("D3", "a", "EA-T1", SHAPE, CLASSES, purpose, encode_png(mask()))])
    app.state.rates = type("Unlimited", (), {"check": lambda *_: None})()
    signing_out = "/api/v1/sessions/current"
    tried = 0
    for operation in operations:
        if operation.path == signing_out and operation.method == "delete":
            continue  # it would be the last that this browser may do
        app.state.workers.beat(WorkerState(name="test", champion="EA-T1", problem=None))  # it lives on

        needed = NEEDED[operation.method.upper(), operation.path]
        is_open = needed is None or (role is not None and role.includes(needed))

        @effort(
            max_examples=8 if is_open else 2,  # whatever is sent, the refusal is one and the same
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case):
            answer = case.call(base_url=URL, headers=dict(browser.headers), cookies=dict(browser.cookies))
            case.validate_response(answer, checks=HOLDING)

        ask()
        tried += 1
    assert tried > 40
