"""Two labelers by HTTP: neither sees the other's mask, and a third decides; images shown without a mask."""

import numpy as np
import pytest

from icefloe.active.items import NewItem, Purpose
from icefloe.active.origin import icefloe_version, sha256
from icefloe.active.queue import Queue
from icefloe.active.uploads import decode_png, encode_png
from serving.auth.roles import NEEDED, Role
from serving.jobs.workers import WorkerState
from tests.serving.test_access import filled
from tests.serving.test_queue import CLASSES, SHAPE, lease, save_draft, submit


def square(columns):
    drawn = np.zeros(SHAPE, np.uint8)
    drawn[10:30, columns] = 1
    return drawn


ONE, OTHER, PREDICTED = square(slice(4, 12)), square(slice(20, 30)), square(slice(6, 28))


@pytest.fixture
def queue(app):
    app.state.queue = Queue(app.state.database)
    return app.state.queue


@pytest.fixture
def add(queue):
    def added(stem="a", **how):
        purpose = Purpose("bald", 0.5, 1, "members disagree")
        new = NewItem("D3", stem, "EA-T1", SHAPE, CLASSES, purpose, encode_png(PREDICTED), "EA-T4", **how)
        queue.add([new])
        return queue.items()[-1].id

    return added


@pytest.fixture
def people(signed_in):
    return [signed_in(Role.LABELER, name) for name in ("Ann", "Bob", "Cem")]


def hidden_bytes(mask):
    """By what a mask would be known, in whatever form it is sent."""
    png = encode_png(mask)
    return png[40:80], sha256(png).encode(), png


def everything_readable(browser, item_id):
    """What every GET route of the API answers to somebody who asks about an item."""
    answers = {}
    for method, path in NEEDED:
        if method != "GET" or not path.startswith("/api/v1/") or "events" in path:
            continue
        for which in ("a", "b") if "{which}" in path else ("",):
            place = path.replace("{item_id}", str(item_id)).replace("{which}", which)
            place = place.replace("{dataset}", "D3").replace("{stem}", "a")
            answers[place] = browser.get(filled(place)).content
    for page in ("/queue?state=all", "/label", "/overview", "/data"):
        answers[page] = browser.get(page, headers={"Accept": "text/html"}).content
    return answers


def test_no_route_shows_the_other_labelers_mask_or_draft_until_both_are_in(queue, add, people):
    ann, bob, _ = people
    item_id = add(third_below=0.8)
    held = lease(ann)
    assert save_draft(ann, held, encode_png(ONE), If_None_Match="*").status_code == 204
    assert submit(ann, held, encode_png(ONE)).status_code == 200
    assert lease(bob)["item"]["id"] == item_id
    for browser in people:
        seen = everything_readable(browser, item_id)
        assert len(seen) > 30
        for place, content in seen.items():
            assert not any(part in content for part in hidden_bytes(ONE)), place
        for which in ("a", "b"):
            refused = browser.get(f"/api/v1/queue/items/{item_id}/pair/{which}")
            assert refused.status_code == 404
            assert "there are no two labels to compare" in refused.json()["detail"]
    assert ann.post("/api/v1/queue/leases", json={}).status_code == 204


def test_a_third_decides_between_both_masks_and_the_decision_is_the_label(queue, add, people):
    ann, bob, cem = people
    item_id = add(third_below=0.8)
    for browser, drawn in ((ann, ONE), (bob, OTHER)):
        assert submit(browser, lease(browser), encode_png(drawn)).status_code == 200
    for browser in (ann, bob):
        assert browser.post("/api/v1/queue/leases", json={"item_id": item_id}).status_code == 204
    held = lease(cem)
    shown = held["item"]
    assert (shown["task"], shown["labelers"], shown["agreement"]) == ("decide", ["Ann", "Bob"], 0.0)
    for which, drawn in (("a", ONE), ("b", OTHER)):
        png = cem.get(f"/api/v1/queue/items/{item_id}/pair/{which}").content
        np.testing.assert_array_equal(decode_png(png), drawn)
    assert cem.get(f"/api/v1/queue/items/{item_id}/pair/c").status_code == 422
    foreign = submit(cem, held, encode_png(PREDICTED))
    assert foreign.status_code == 409
    assert "decide between theirs" in foreign.json()["detail"]
    assert submit(cem, held, encode_png(np.maximum(ONE, OTHER))).status_code == 200
    (label,) = queue.labels()
    assert label.labeler == "Cem"
    np.testing.assert_array_equal(decode_png(label.png), np.maximum(ONE, OTHER))


def test_operators_see_whom_an_image_wants_and_how_well_two_agree(queue, add, people, signed_in):
    ann, bob, _ = people
    add(third_below=0.8)
    operator = signed_in(Role.OPERATOR, "Cleo")

    def page(browser):
        return browser.get("/queue", headers={"Accept": "text/html"}).text

    assert "wants two labelers" in page(operator)
    submit(ann, lease(ann), encode_png(ONE))
    assert "wants a second labeler" in page(operator)
    assert "Label<span" not in page(ann)
    assert "Label<span" in page(bob)
    submit(bob, lease(bob), encode_png(OTHER))
    assert "wants a third to decide" in page(operator)
    assert "by Ann and Bob, Dice 0.000" in page(operator)
    assert "Two people labelled 1 image: mean Dice 0.000" in page(operator)
    assert "Dice 0.000" not in page(ann)
    assert "Decide<span" in page(operator)


def test_an_operator_settles_what_waits_for_another_person(queue, add, people, signed_in):
    ann, bob, _ = people
    item_id = add(third_below=0.8)
    operator = signed_in(Role.OPERATOR, "Cleo")
    path = f"/api/v1/queue/items/{item_id}"
    for browser, drawn in ((ann, ONE), (bob, OTHER)):
        submit(browser, lease(browser), encode_png(drawn))

    def settle(browser, labeler="Bob", **headers):
        wanted = {"labeler": labeler, "reason": "the other took the rim for ice"}
        return browser.post(f"{path}/settle", json=wanted, headers=headers)

    tag = operator.get(path).headers["etag"]
    assert settle(ann, **{"If-Match": tag}).status_code == 403
    assert settle(operator).status_code == 428
    nobodys = settle(operator, "Cem", **{"If-Match": tag})
    assert (nobodys.status_code, "Ann and Bob did" in nobodys.json()["detail"]) == (409, True)
    settled = settle(operator, **{"If-Match": tag})
    assert (settled.status_code, settled.json()["state"]) == (200, "submitted")
    assert settle(operator, **{"If-Match": tag}).json()["current"]["state"] == "submitted"
    (label,) = queue.labels()
    assert (label.labeler, decode_png(label.png).tolist()) == ("Bob", OTHER.tolist())


def test_what_the_ensemble_predicts_is_hidden_until_an_image_is_labelled_without(queue, add, people, app):
    ann, bob, _ = people
    item_id = add(arm="without")
    app.state.workers.beat(WorkerState(name="test", champion="EA-T4", problem=None))
    for browser in (ann, bob):
        for place, content in everything_readable(browser, item_id).items():
            assert not any(part in content for part in hidden_bytes(PREDICTED)), place
    path = f"/api/v1/queue/items/{item_id}"
    shown = ann.get(path).json()
    assert (shown["has_presegmentation"], shown["without_presegmentation"]) == (False, True)
    refused = ann.get(f"{path}/presegmentation")
    assert refused.status_code == 404
    assert refused.json()["detail"] == (
        "D3/a: is labelled without a look at what the ensemble predicts, to measure how that pulls. "
        "Begin with an empty mask."
    )
    assert 'data-stem="a"' not in ann.get("/queue", headers={"Accept": "text/html"}).text
    submit(ann, lease(ann), encode_png(ONE))
    np.testing.assert_array_equal(decode_png(ann.get(f"{path}/presegmentation").content), PREDICTED)


def test_maps_of_an_image_that_is_labelled_without_are_refused(queue, app, people, settings):
    folder = settings.data / "D9"
    (folder / "images").mkdir(parents=True, exist_ok=True)
    encoded = encode_png(np.zeros(SHAPE, np.uint8))
    (folder / "images" / "a.png").write_bytes(encoded)
    (folder / "dataset.yaml").write_text("name: D9\nexperiment: D9\nclasses: [background, ice]\n")
    purpose = Purpose("bald", 0.5, 1, "members disagree")
    queue.add([NewItem("D9", "a", "EA-T1", SHAPE, CLASSES, purpose, encoded, "EA-T4", arm="without")])
    app.state.workers.beat(WorkerState(name="test", champion="EA-T4", problem=None))
    ann = people[0]
    for name in ("", "/probability", "/std", "/entropy", "/mask", "/thumbnail", "/maps"):
        refused = ann.get(f"/api/v1/images/D9/a/maps{name}")
        assert refused.status_code == 404, name
        assert "is labelled without a look at what the ensemble predicts" in refused.json()["detail"]
    submit(ann, lease(ann), encoded)
    assert ann.get("/api/v1/images/D9/a/maps/mask").status_code == 202  # a worker is asked for it


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ({"Icefloe-Client": "editor 12ab34cd56ef"}, "editor 12ab34cd56ef"),
        ({"User-Agent": "our-script/2.1"}, "our-script/2.1"),
        ({"User-Agent": ""}, None),
    ],
)
def test_a_label_knows_the_program_it_was_made_with(queue, add, people, headers, client):
    add()
    ann = people[0]
    assert submit(ann, lease(ann), encode_png(ONE), **headers).status_code == 200
    (label,) = queue.labels()
    assert (label.origin.client, label.origin.icefloe) == (client, icefloe_version())
    assert (label.origin.predicted_by, label.origin.presegmentation) == (
        "EA-T4",
        sha256(encode_png(PREDICTED)),
    )


def test_the_label_page_carries_the_editors_version(people):
    page = people[0].get("/label", headers={"Accept": "text/html"}).text
    assert 'data-editor="' in page
