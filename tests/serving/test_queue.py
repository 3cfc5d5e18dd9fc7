"""The queue by HTTP: leases, masks, and everything that a request can get wrong."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from icefloe.active.items import NewItem, Purpose
from icefloe.active.queue import LEASE_SECONDS, Queue
from icefloe.active.uploads import decode_png, encode_png
from serving.auth.roles import Role
from serving.snapshot import DriftVerdict, snapshot_file
from serving.worker.snapshot import SnapshotWriter
from tests.clock import Clock

SHAPE = (48, 40)
CLASSES = ("background", "ice")


def mask(seed=0):
    return (np.random.default_rng(seed).random(SHAPE) < 0.3).astype(np.uint8)


@pytest.fixture
def clock():
    return Clock(1000.0)


@pytest.fixture
def queue(app, clock):
    """Two images wait, the first with a pre-segmentation."""
    app.state.queue = Queue(app.state.database, clock)
    app.state.queue.add(
        NewItem(
            "D3",
            f"stack_{rank}",
            "EA-T1",
            SHAPE,
            CLASSES,
            Purpose("bald", 0.5, rank, "members disagree"),
            png,
        )
        for rank, png in ((1, encode_png(mask(7))), (2, None))
    )
    return app.state.queue


@pytest.fixture
def ann(queue, signed_in):
    return signed_in(Role.LABELER, "Ann")


@pytest.fixture
def bob(queue, signed_in):
    return signed_in(Role.LABELER, "Bob")


def lease(browser, **wanted):
    answer = browser.post("/api/v1/queue/leases", json=wanted)
    assert answer.status_code == 201
    return answer.json()


def submit(browser, held, png, item=None, **headers):
    headers = {
        "Content-Type": "image/png",
        "Icefloe-Lease": held["token"],
        "Icefloe-Seconds": "12.5",
    } | headers
    return browser.put(
        f"/api/v1/queue/items/{item or held['item']['id']}/label", content=png, headers=headers
    )


def test_a_mask_is_leased_corrected_and_handed_in(ann, queue):
    held = lease(ann)
    assert (held["item"]["stem"], held["item"]["reason"]) == ("stack_1", "members disagree")
    begun = ann.get(f"/api/v1/queue/items/{held['item']['id']}/presegmentation")
    np.testing.assert_array_equal(decode_png(begun.content), mask(7))
    receipt = submit(ann, held, encode_png(mask(1)))
    assert receipt.status_code == 200
    assert (receipt.json()["labeler"], receipt.json()["seconds"]) == ("Ann", 12.5)
    (label,) = queue.labels()
    np.testing.assert_array_equal(decode_png(label.png), mask(1))
    assert label.source == "service"
    progress = ann.get("/api/v1/queue").json()
    assert (progress["waiting"], progress["submitted"]) == (1, 1)
    history = ann.get(f"/api/v1/queue/items/{held['item']['id']}/history").json()
    assert [line["what"] for line in history] == ["added", "leased", "submitted"]


def test_handing_in_twice_is_as_once(ann, queue):
    held = lease(ann)
    answers = [submit(ann, held, encode_png(mask(1))) for _ in range(3)]
    assert {answer.text for answer in answers} == {answers[0].text}
    assert len(queue.labels()) == 1


def test_an_image_is_leased_to_one_person_and_204_says_that_none_waits(ann, bob):
    stems = {lease(browser)["item"]["stem"] for browser in (ann, bob)}
    assert stems == {"stack_1", "stack_2"}
    assert ann.post("/api/v1/queue/leases", json={}).status_code == 204
    assert ann.post("/api/v1/queue/leases", json={"dataset": "D9"}).status_code == 204
    assert [held["item"]["leased_to"] for held in ann.get("/api/v1/queue/leases").json()] == ["Ann"]


def test_a_certain_image_is_leased_while_it_waits(ann, bob, queue):
    (second,) = (item for item in queue.items() if item.stem == "stack_2")
    assert lease(ann, item_id=second.id)["item"]["stem"] == "stack_2"
    assert bob.post("/api/v1/queue/leases", json={"item_id": second.id}).status_code == 204


def test_the_page_shows_who_labels_what_and_why(ann, queue, signed_in):
    lease(ann)
    page = ann.get("/queue", headers={"Accept": "text/html"}).text
    assert page.index("D3/stack_1") < page.index("D3/stack_2")
    assert "members disagree" in page
    assert "with Ann until" in page
    assert page.count('href="/label?item=') == 1  # the other is leased
    assert "D3/stack_1" not in ann.get("/queue?state=skipped").text
    assert "D3/stack_1" in ann.get("/queue?state=all&dataset=D3&round=EA-T1").text
    assert 'href="/label' not in signed_in(Role.VIEWER).get("/queue").text


def test_somebody_elses_lease_does_not_exist_for_others(ann, bob, queue):
    held = lease(ann)
    headers = {"Icefloe-Lease": held["token"]}
    path = f"/api/v1/queue/items/{held['item']['id']}"
    answers = [
        submit(bob, held, encode_png(mask(1))),
        bob.put("/api/v1/queue/leases/current", headers=headers),
        bob.delete("/api/v1/queue/leases/current", headers=headers),
        bob.post(f"{path}/skip", json={"reason": "no"}, headers=headers),
    ]
    assert {answer.status_code for answer in answers} == {404}
    unknown = bob.delete("/api/v1/queue/leases/current", headers={"Icefloe-Lease": held["token"]})
    assert unknown.json()["detail"] == f"lease '{held['token']}': no such lease. Lease an image first."
    assert queue.labels() == []
    assert queue.item(held["item"]["id"]).leased_to == "Ann"


def test_a_lease_is_for_its_own_item(ann):
    held = lease(ann)
    answer = submit(ann, held, encode_png(mask(1)), item=held["item"]["id"] + 1)
    assert answer.status_code == 404
    assert "this lease is for item" in answer.json()["detail"]


def test_a_lease_is_renewed_and_given_back(ann, queue, clock):
    held = lease(ann)
    headers = {"Icefloe-Lease": held["token"]}
    clock.now += 100
    renewed = ann.put("/api/v1/queue/leases/current", headers=headers).json()
    assert renewed["expires"] == pytest.approx(clock.now + LEASE_SECONDS)
    assert ann.delete("/api/v1/queue/leases/current", headers=headers).status_code == 204
    assert ann.get("/api/v1/queue/leases").json() == []
    assert queue.item(held["item"]["id"]).state == "waiting"


def test_a_mask_that_comes_too_late_is_kept_beside(ann, bob, queue, clock):
    held = lease(ann)
    clock.now += LEASE_SECONDS + 1
    assert lease(bob)["item"]["id"] == held["item"]["id"]
    answer = submit(ann, held, encode_png(mask(1)))
    assert answer.status_code == 409
    assert answer.json()["detail"] == (
        "D3/stack_1: the lease had expired and Bob has leased the image since. Your label is kept beside."
    )
    assert len(queue.refused_labels()) == 1


def test_skipping_says_why_and_an_operator_reopens(ann, signed_in, queue):
    held = lease(ann)
    path = f"/api/v1/queue/items/{held['item']['id']}"
    headers = {"Icefloe-Lease": held["token"]}
    assert ann.post(f"{path}/skip", json={"reason": ""}, headers=headers).status_code == 422
    assert ann.post(f"{path}/skip", json={"reason": "out of focus"}, headers=headers).status_code == 204
    assert [item["id"] for item in ann.get("/api/v1/queue/items?state=skipped").json()] == [
        held["item"]["id"]
    ]
    operator = signed_in(Role.OPERATOR, "Cleo")
    tag = operator.get(path).headers["etag"]

    def reopen(**headers):
        return operator.post(f"{path}/reopen", json={"reason": "it can be done"}, headers=headers)

    assert reopen().status_code == 428
    opened = reopen(**{"If-Match": tag})
    assert opened.json()["state"] == "waiting"
    stale = reopen(**{"If-Match": tag})
    assert (stale.status_code, stale.json()["current"]["state"]) == (412, "waiting")
    assert stale.headers["etag"] == opened.headers["etag"] != tag
    assert reopen(**{"If-Match": stale.headers["etag"]}).status_code == 409
    assert reopen(**{"If-Match": "rubbish"}).status_code == 412


def png_of(array, **options):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, format="PNG", **options)
    return buffer.getvalue()


def bomb(side):
    """A PNG that says it is huge, in a few bytes."""

    def chunk(kind, content):
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("png", "words"),
    [
        (png_of(np.zeros((48, 41), np.uint8)), "mask is 41x48 but the image is 40x48"),
        (png_of(np.full(SHAPE, 7, np.uint8)), "7"),
        (png_of(np.zeros((*SHAPE, 3), np.uint8) + np.arange(3, dtype=np.uint8)), "D3/stack_1"),
        (encode_png(mask(3))[:100], "is damaged"),
        (b"\xff\xd8\xff\xe0" + b"0" * 100, "is not a PNG"),
        (b"", "is not a PNG"),
        (bomb(60000), "mask is 60000x60000"),
    ],
)
def test_a_mask_that_does_not_fit_says_what_was_expected(ann, queue, png, words):
    held = lease(ann)
    answer = submit(ann, held, png)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert queue.labels() == []
    assert ann.get("/readyz").status_code == 200
    assert submit(ann, held, encode_png(mask(1))).status_code == 200


def test_a_mask_of_another_type_is_415(ann):
    answer = submit(ann, lease(ann), b"{}", **{"Content-Type": "application/json"})
    assert answer.status_code == 415
    assert answer.json()["detail"] == "A mask is sent as image/png, not application/json. Export it as PNG."


@pytest.mark.parametrize("seconds", ["-1", "nan", "inf", "a while", "1e9"])
def test_impossible_times_are_refused(ann, queue, seconds):
    assert submit(ann, lease(ann), encode_png(mask(1)), **{"Icefloe-Seconds": seconds}).status_code == 422
    assert queue.labels() == []


def test_a_viewer_sees_the_queue_and_takes_nothing_from_it(queue, signed_in):
    viewer = signed_in(Role.VIEWER)
    assert len(viewer.get("/api/v1/queue/items?dataset=D3&round=EA-T1").json()) == 2
    assert viewer.get("/api/v1/queue/items/1").json()["classes"] == list(CLASSES)
    assert viewer.post("/api/v1/queue/leases", json={}).status_code == 403
    assert viewer.get("/api/v1/queue/items/2/presegmentation").status_code == 404
    for path in ("items/99", "items/99/history", "items/99/presegmentation"):
        assert viewer.get(f"/api/v1/queue/{path}").status_code == 404


def test_labels_that_the_api_took_become_data(ann, queue):
    """What `collect_labels` reads is what was drawn, pixel for pixel."""
    drawn = {}
    for seed in (1, 2):
        held = lease(ann)
        drawn[held["item"]["stem"]] = mask(seed)
        assert submit(ann, held, encode_png(mask(seed))).status_code == 200
    for label in queue.labels():
        np.testing.assert_array_equal(decode_png(label.png), drawn[queue.item(label.item_id).stem])


def save_draft(browser, held, png, **headers):
    headers = {"Content-Type": "image/png", "Icefloe-Lease": held["token"], "Icefloe-Seconds": "3"} | headers
    path = f"/api/v1/queue/items/{held['item']['id']}/draft"
    return browser.put(path, content=png, headers={name.replace("_", "-"): v for name, v in headers.items()})


def test_a_draft_goes_on_where_it_was_left_and_ends_with_the_label(ann, queue):
    held = lease(ann)
    path = f"/api/v1/queue/items/{held['item']['id']}/draft"
    assert ann.get(path).status_code == 204
    first = save_draft(ann, held, encode_png(mask(1)), If_None_Match="*")
    assert (first.status_code, first.headers["etag"]) == (204, '"1"')
    second = save_draft(ann, held, encode_png(mask(2)), If_Match='"1"')
    assert (second.status_code, second.headers["etag"]) == (204, '"2"')
    found = ann.get(path)
    np.testing.assert_array_equal(decode_png(found.content), mask(2))
    assert (found.headers["etag"], found.headers["icefloe-seconds"]) == ('"2"', "3.0")
    assert submit(ann, held, encode_png(mask(2))).status_code == 200
    assert ann.get(path).status_code == 204


def test_a_draft_replaces_none_that_it_has_not_seen(ann, queue):
    held = lease(ann)
    assert save_draft(ann, held, encode_png(mask(1))).status_code == 428
    assert save_draft(ann, held, encode_png(mask(1)), If_None_Match="*").status_code == 204
    for header in ({"If_None_Match": "*"}, {"If_Match": '"7"'}, {"If_Match": "rubbish"}):
        assert save_draft(ann, held, encode_png(mask(2)), **header).status_code == 412
    stale = save_draft(ann, held, encode_png(mask(2)), If_Match='"7"')
    assert stale.headers["etag"] == '"1"'
    assert stale.json()["detail"] == (
        "D3/stack_1: draft: another window has saved it since. Load the draft again."
    )


def test_a_draft_is_its_labelers_alone_and_must_fit(ann, bob, queue):
    held = lease(ann)
    assert save_draft(ann, held, encode_png(mask(1)), If_None_Match="*").status_code == 204
    assert bob.get(f"/api/v1/queue/items/{held['item']['id']}/draft").status_code == 204
    assert save_draft(bob, held, encode_png(mask(1)), If_None_Match="*").status_code == 404
    small = encode_png(np.zeros((3, 3), np.uint8))
    assert save_draft(ann, held, small, If_Match='"1"').status_code == 422
    assert ann.get("/api/v1/queue/items/99/draft").status_code == 404


def test_the_page_shows_the_predicted_dice_of_each_image(app, ann):
    settings = app.state.settings
    verdict = DriftVerdict(
        dataset="D3",
        outcome="shifted",
        sentence="D3 is shifted.",
        time=1.0,
        version="EA-T1",
        run="r",
        n_images=2,
        predicted_images={"stack_1": "0.81 (0.70–0.93)"},
    )
    older = verdict.model_copy(update={"time": 0.0, "predicted_images": {"stack_1": "0.10 (0.00–0.20)"}})
    seen = SnapshotWriter(settings).update()
    path = snapshot_file(settings)
    try:
        path.write_text(seen.model_copy(update={"drift": (verdict, older)}).model_dump_json())
        page = ann.get("/queue", headers={"Accept": "text/html"}).text
    finally:
        path.unlink()

    assert page.count("predicted Dice") == 1
    assert "predicted Dice 0.81 (0.70–0.93)" in page
