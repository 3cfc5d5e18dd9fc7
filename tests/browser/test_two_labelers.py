"""Two people and a third in a browser; images without a mask; strokes while the worker is busy."""

import os
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from icefloe.active.items import NewItem, Purpose
from icefloe.active.uploads import encode_png
from serving.auth.roles import Role
from tests.browser.conftest import DESK, TABLET
from tests.browser.images import CLASSES, SHAPE, STEMS, presegmentation, truth
from tests.browser.test_label import labels_of, mask_of, opened, point

pytestmark = pytest.mark.browser

STEM = STEMS[0]
SLOW = """
const post = Worker.prototype.postMessage;
Worker.prototype.postMessage = function (...all) { setTimeout(() => post.apply(this, all), 1500); };
"""


@pytest.fixture
def add(working):
    """Queue the first image, to be labelled in some way."""
    queue = working.app.state.queue

    def added(**how):
        purpose = Purpose("bald", 0.5, 1, "its members disagree")
        round = f"round of {os.urandom(4).hex()}"
        png = encode_png(presegmentation(STEM))
        queue.add([NewItem("D1", STEM, round, SHAPE, CLASSES, purpose, png, "EA-T1", **how)])
        return queue

    yield added
    for item in queue.items("submitted"):
        queue.reopen(item.id, "test", "the test is over")
    for item in queue.items("waiting"):
        held = [lease for who in ("Ann", "Bob", "Cem") for lease in queue.leases(who)]
        own = [lease for lease in held if lease.item.id == item.id]
        queue.skip((own[0] if own else queue.lease("test", item_id=item.id)).token, "the test is over")


def change_by(page, key, expected):
    """Press a key of the editor, and wait until the mask is as expected."""
    page.keyboard.press(key)
    page.wait_for_function(
        "(expected) => String(document.querySelector('mask-editor').mask) === expected",
        arg=",".join(map(str, expected.ravel())),
    )


def test_two_label_a_third_decides_and_the_decision_is_the_label(add, labeler):
    queue = add(third_below=1.0)
    middle = presegmentation(STEM)
    filled = truth(STEM) | middle  # the hole filled, the speck still there
    cleaned = truth(STEM) & middle  # the speck removed, the hole still there

    ann = labeler("Ann")
    ann.goto("/label")
    opened(ann, STEM)
    change_by(ann, "f", filled)
    ann.keyboard.press("Enter")
    expect(ann.locator("#why")).to_have_text("No image waits for you to label it.")

    bob = labeler("Bob")
    bob.goto("/label")
    opened(bob, STEM)
    assert np.array_equal(mask_of(bob), middle)  # not Ann's
    change_by(bob, "r", cleaned)
    bob.keyboard.press("Enter")
    expect(bob.locator("#why")).to_have_text("No image waits for you to label it.")

    cem = labeler("Cem")
    cem.goto("/queue")
    cem.get_by_role("link", name=f"Decide D1/{STEM}").click()
    expect(cem.locator("#why")).to_contain_text("two people's masks differ", timeout=60_000)
    readout = cem.locator("mask-decision .readout")
    expect(readout).to_have_text("Region 1 of 2: not decided. 2 to decide.")
    cem.keyboard.press("Enter")
    expect(cem.locator("#message")).to_have_text("2 regions are not decided yet. Press A or B.")
    cem.keyboard.press("b")  # there is no speck
    expect(readout).to_have_text("Region 2 of 2: not decided. 1 to decide.")
    cem.wait_for_timeout(2500)  # kept here each second
    cem.reload()
    expect(readout).to_have_text("Region 2 of 2: not decided. 1 to decide.", timeout=60_000)
    cem.keyboard.press("b")
    cem.keyboard.press("Backspace")
    cem.keyboard.press("a")  # the hole is ice
    expect(readout).to_have_text("Region 2 of 2: takes A's version. 0 to decide.")
    cem.keyboard.press("Enter")
    expect(cem.locator("#why")).to_have_text("No image waits for you to label it.", timeout=20_000)
    assert np.array_equal(labels_of(queue)[STEM], truth(STEM))
    (label,) = (label for label in queue.labels() if queue.item(label.item_id).stem == STEM)
    assert label.labeler == "Cem"
    assert label.seconds > 0
    assert label.origin.client.startswith("editor ")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", [DESK, TABLET], ids=["desk", "tablet"])
def test_the_decision_is_accessible_and_fits_the_screen(add, labeler, dark, size):
    queue = add(third_below=1.0)
    for who, mask in (("Ann", truth(STEM)), ("Bob", presegmentation(STEM))):
        queue.submit(queue.lease(who).token, encode_png(mask), 60)
    page = labeler("Cem", dark=dark, size=size)
    page.goto("/label")
    expect(page.locator("mask-decision .readout")).to_contain_text("Region 1 of 2", timeout=60_000)
    page.keyboard.press("a")
    found = [v for v in Axe().run(page).response["violations"] if v["impact"] in ("serious", "critical")]
    assert found == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if folder := os.environ.get("ICEFLOE_SCREENSHOTS"):
        page.wait_for_timeout(500)
        kind = f"{'-tablet' if size == TABLET else ''}{'-dark' if dark else ''}"
        page.screenshot(path=Path(folder) / f"service-decide{kind}.png")


def test_an_image_labelled_without_begins_empty_and_no_page_shows_what_is_predicted(add, labeler):
    queue = add(arm="without")
    page = labeler("Ann")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/queue")
    expect(page.get_by_text("shown once it is labelled")).to_be_visible()
    page.get_by_role("link", name=f"Label D1/{STEM}").click()
    opened(page, STEM)
    expect(page.locator("#why")).to_contain_text("You see it without the ensemble's mask.")
    assert not mask_of(page).any()
    page.keyboard.press("u")
    expect(page.locator("#message")).to_have_text("This image has no uncertainty map.")
    page.keyboard.press("Enter")
    expect(page.locator("#why")).to_have_text("No image waits for you to label it.")
    assert not labels_of(queue)[STEM].any()
    assert not [url for url in asked if "/presegmentation" in url or "/maps" in url]


def test_a_stroke_that_is_drawn_while_the_worker_is_busy_is_not_lost(add, labeler):
    add()
    page = labeler("Ann")
    page.add_init_script(SLOW)
    page.goto("/label")
    opened(page, STEM)
    page.evaluate("document.querySelector('mask-editor').radius = 2.5")
    before = mask_of(page)
    point(page, 12, 30)
    page.keyboard.press("f")
    page.mouse.down()
    point(page, 12, 70)
    page.mouse.up()
    page.keyboard.press("r")
    assert np.array_equal(mask_of(page), before)  # the worker is still at it
    rows, columns = np.indices(SHAPE)
    near = (rows - 12) ** 2 + (columns - columns.clip(30, 70)) ** 2 <= 2.5**2
    expected = truth(STEM) | near  # the hole filled, the stroke painted, and then the speck removed
    page.wait_for_function(
        "(expected) => String(document.querySelector('mask-editor').mask) === expected",
        arg=",".join(map(str, expected.astype(np.uint8).ravel())),
        timeout=20_000,
    )


def test_changes_by_shape_wait_until_the_image_and_its_own_mask_are_seen(add, labeler):
    add()
    page = labeler("Ann")
    page.goto("/label")
    opened(page, STEM)
    before = mask_of(page)
    page.keyboard.press(".")
    expect(page.locator("#message")).to_have_text(f"This is {STEMS[1]}, a frame to compare with.")
    for key in ("f", "r", "m", "Shift+m"):
        page.keyboard.press(key)
    expect(page.locator("#message")).to_contain_text("This is another frame. Go back to the image")
    page.keyboard.press(",")
    expect(page.locator("#message")).to_contain_text("again, the image to label")
    page.evaluate("document.querySelector('mask-editor').addMaps({previousMask: new Uint8Array(96 * 128)})")
    page.keyboard.press("v")
    page.keyboard.press("f")
    expect(page.locator("#message")).to_contain_text("This is another frame's mask. Press V")
    page.wait_for_timeout(500)
    assert np.array_equal(mask_of(page), before)
    page.keyboard.press("v")
    change_by(page, "f", truth(STEM) | before)


def test_an_operator_settles_for_one_of_two_masks(add, labeler):
    queue = add(third_below=1.0)
    (item,) = queue.items("waiting")
    for who, mask in (("Ann", truth(STEM)), ("Bob", presegmentation(STEM))):
        queue.submit(queue.lease(who, item_id=item.id).token, encode_png(mask), 60)
    page = labeler("Olga", Role.OPERATOR)
    page.goto("/queue")
    page.get_by_role("button", name=f"Settle D1/{STEM}").click()
    expect(page.get_by_role("heading", name="Whose mask should it get?")).to_be_visible()
    assert Axe().run(page).violations_count == 0
    page.get_by_label("Labeler").select_option("Bob")
    page.get_by_label("Reason", exact=True).last.fill("his border is right")
    page.get_by_role("button", name="Settle", exact=True).click()
    expect(page.get_by_role("button", name=f"Settle D1/{STEM}")).to_have_count(0)
    (label,) = queue.labels()
    assert label.labeler == "Bob"
    assert np.array_equal(labels_of(queue)[STEM], presegmentation(STEM))
