"""Labelling as a microscopist does it: mouse, keys, touch, a network that goes, and the next data version."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from icefloe.active.collect import collect
from icefloe.active.items import NewItem, Purpose
from icefloe.active.region import Region, inside_any, limited
from icefloe.active.uploads import decode_png, encode_png
from icefloe.datasets.dataset import Dataset
from tests.browser.conftest import DESK, TABLET
from tests.browser.images import CLASSES, SHAPE, STEMS, presegmentation, truth

pytestmark = pytest.mark.browser

OFFLINE = re.compile("ERR_INTERNET_DISCONNECTED")


@pytest.fixture
def queue(working):
    """Every image waits, ranked as named, its pre-segmentation with a hole and a speck."""
    queue = working.app.state.queue
    queue.add(
        NewItem(
            "D1",
            stem,
            f"round of {os.urandom(4).hex()}",
            SHAPE,
            CLASSES,
            Purpose("bald", 0.5, rank, "its members disagree"),
            encode_png(presegmentation(stem)),
        )
        for rank, stem in enumerate(STEMS, 1)
    )
    yield queue
    for item in queue.items("submitted"):
        queue.reopen(item.id, "test", "the test is over")
    for item in queue.items("waiting"):
        held = [lease for lease in queue.leases("Ann") if lease.item.id == item.id]
        lease = held[0] if held else queue.lease("test", item_id=item.id)
        queue.skip(lease.token, "the test is over")


def opened(page, stem):
    """The editor with an image in it."""
    expect(page.locator("#why")).to_contain_text(f"D1/{stem}", timeout=60_000)
    editor = page.locator("mask-editor")
    expect(editor).to_be_visible()
    return editor


def mask_of(page):
    values = page.evaluate("Array.from(document.querySelector('mask-editor').mask)")
    return np.array(values, np.uint8).reshape(SHAPE)


def place(page, row, column):
    """Where a pixel of the image, seen whole, is on the screen."""
    box = page.locator("mask-editor .picture").bounding_box()
    zoom = 0.96 * min(box["width"] / SHAPE[1], box["height"] / SHAPE[0])  # there is room around it
    left = box["x"] + (box["width"] - zoom * SHAPE[1]) / 2
    top = box["y"] + (box["height"] - zoom * SHAPE[0]) / 2
    return left + (column + 0.5) * zoom, top + (row + 0.5) * zoom


def point(page, row, column):
    """Move the mouse there; the line under the picture says that it is."""
    page.mouse.move(*place(page, row, column))
    expect(page.locator(".readout")).to_contain_text(f"{column}, {row}:")


def labels_of(queue):
    return {queue.item(label.item_id).stem: decode_png(label.png) for label in queue.labels()}


def test_a_clean_image_takes_one_key_and_the_next_comes(queue, labeler):
    page = labeler()
    page.goto("/label")
    opened(page, STEMS[0])
    page.keyboard.press("Enter")
    opened(page, STEMS[1])
    assert np.array_equal(labels_of(queue)[STEMS[0]], presegmentation(STEMS[0]))


def test_of_a_large_image_an_overview_is_seen_while_its_pixels_are_on_their_way(queue, labeler):
    page = labeler()

    def enlarged(route):
        answer = route.fetch()
        lease = answer.json()
        lease["item"]["height"] = 4096  # the service's own is small; its pixels never come
        route.fulfill(response=answer, json=lease)

    page.route(
        re.compile(r"/api/v1/queue/leases$"),
        lambda route: enlarged(route) if route.request.method == "POST" else route.continue_(),
    )
    page.route(re.compile(r"/pixels$"), lambda _: None)
    page.goto("/label")
    overview = page.locator("mask-editor .overview")
    expect(overview).to_be_visible(timeout=60_000)
    width, height, values = overview.evaluate(
        """canvas => [canvas.width, canvas.height,
        new Set(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data).size]"""
    )
    assert (height, width) == SHAPE
    assert values > 20
    page.unroute_all(behavior="ignoreErrors")
    page.goto("/label")
    opened(page, STEMS[0])
    expect(overview).to_be_hidden()


def test_a_missed_part_and_a_speck_are_mended_in_six_actions_and_become_data(queue, labeler, working):
    page = labeler()
    page.goto("/queue")
    page.get_by_role("link", name=f"Label D1/{STEMS[1]}").click()
    opened(page, STEMS[1])
    page.keyboard.press("f")  # fills the hole
    page.keyboard.press("r")  # removes the speck
    page.wait_for_function(
        "(expected) => String(document.querySelector('mask-editor').mask) === expected",
        arg=",".join(map(str, truth(STEMS[1]).ravel())),
    )
    assert page.evaluate("document.querySelector('mask-editor').actions") <= 5
    page.keyboard.press("Enter")
    opened(page, STEMS[0])
    assert np.array_equal(labels_of(queue)[STEMS[1]], truth(STEMS[1]))
    collect(queue, working.settings.workspace)
    samples = {sample.stem: sample for sample in Dataset.load(working.settings.data / "D1").samples}
    assert np.array_equal(samples[STEMS[1]].mask(), truth(STEMS[1]))


def test_what_the_mouse_paints_is_what_is_handed_in(queue, labeler):
    page = labeler()
    page.goto("/label")
    opened(page, STEMS[0])
    page.evaluate("document.querySelector('mask-editor').radius = 4.5")
    before = mask_of(page)
    point(page, 20, 20)
    page.mouse.down()
    point(page, 20, 60)
    page.mouse.up()
    after = mask_of(page)
    rows, columns = np.indices(SHAPE)
    near = (rows - 20) ** 2 + (columns - columns.clip(20, 60)) ** 2 <= 4.5**2
    assert np.array_equal(after, np.where(near, 1, before))
    page.keyboard.press("Control+z")
    assert np.array_equal(mask_of(page), before)
    page.keyboard.press("Control+Shift+z")
    page.keyboard.press("Enter")
    opened(page, STEMS[1])
    assert np.array_equal(labels_of(queue)[STEMS[0]], after)


def test_what_lies_at_the_edge_is_circled_from_beside_the_image(queue, labeler):
    page = labeler()
    page.goto("/label")
    opened(page, STEMS[0])
    height, expected = SHAPE[0], mask_of(page)
    expected[height - 6 :, 10:30] = 1
    page.keyboard.press("l")
    corners = [(height + 0.5, 9.5), (height - 6.5, 9.5), (height - 6.5, 29.5), (height + 0.5, 29.5)]
    page.mouse.move(*place(page, *corners[0]))
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*place(page, *corner))
    page.mouse.up()
    assert np.array_equal(mask_of(page), expected)


def test_everything_can_be_painted_without_a_mouse(queue, labeler):
    page = labeler()
    page.goto("/label")
    opened(page, STEMS[0])
    page.evaluate("document.querySelector('mask-editor').radius = 0.5")
    before = mask_of(page)
    page.keyboard.press("0")  # to be ignored
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    changed = mask_of(page) != before
    assert (changed.sum(), set(mask_of(page)[changed])) == (4, {255})
    assert np.ptp(np.nonzero(changed)[1]) == 0


def test_a_reload_loses_no_stroke_and_keeps_the_steps_to_undo(queue, labeler):
    page = labeler()
    page.goto("/label")
    opened(page, STEMS[0])
    page.evaluate("document.querySelector('mask-editor').radius = 3")
    before = mask_of(page)
    point(page, 10, 10)
    page.mouse.down()
    page.mouse.up()
    after = mask_of(page)
    assert not np.array_equal(before, after)
    page.wait_for_timeout(2500)  # drafts are kept here each second
    page.reload()
    opened(page, STEMS[0])
    assert np.array_equal(mask_of(page), after)
    page.keyboard.press("Control+z")
    assert np.array_equal(mask_of(page), before)


def test_a_draft_in_the_service_goes_on_in_another_browser(queue, labeler):
    page = labeler()
    page.goto("/label")
    opened(page, STEMS[0])
    point(page, 10, 10)
    page.mouse.down()
    page.mouse.up()
    after = mask_of(page)
    expect(page.locator("#saved")).to_contain_text("Draft saved", timeout=20_000)
    elsewhere = labeler()
    elsewhere.goto("/label")
    opened(elsewhere, STEMS[0])
    assert np.array_equal(mask_of(elsewhere), after)


def test_without_a_network_work_goes_on_and_the_mask_is_sent_when_it_is_back(queue, labeler, open_working):
    page = labeler()
    page.goto("/label")
    opened(page, STEMS[0])
    page.context.set_offline(True)
    point(page, 10, 10)
    page.mouse.down()
    page.mouse.up()
    after = mask_of(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("is sent when it is back")
    assert STEMS[0] not in labels_of(queue)
    page.context.set_offline(False)
    opened(page, STEMS[1])
    assert np.array_equal(labels_of(queue)[STEMS[0]], after)
    open_working.complaints[:] = [line for line in open_working.complaints if not OFFLINE.search(line)]


def test_skipping_asks_why(queue, labeler):
    page = labeler()
    page.goto("/label")
    opened(page, STEMS[0])
    page.keyboard.press("s")
    page.get_by_label("Reason").fill("out of focus")
    page.get_by_role("dialog").get_by_role("button", name="Skip", exact=True).click()
    opened(page, STEMS[1])
    skipped = [item for item in queue.items("skipped") if item.stem == STEMS[0]]
    assert queue.history(skipped[-1].id)[-1].detail["reason"] == "out of focus"


def test_a_finger_paints_where_no_pen_was_seen(queue, labeler):
    page = labeler(size=TABLET, touch=True)
    page.goto("/label")
    opened(page, STEMS[0])
    before = mask_of(page)
    page.touchscreen.tap(*place(page, 10, 10))
    assert not np.array_equal(mask_of(page), before)


def test_probability_and_uncertainty_come_from_the_champion(queue, labeler):
    page = labeler()
    page.goto("/label")
    opened(page, STEMS[0])
    point(page, 30, 30)
    expect(page.locator(".readout")).to_contain_text("probability", timeout=60_000)
    page.keyboard.press("u")
    page.keyboard.press("n")
    expect(page.get_by_role("status").first).to_contain_text(re.compile("ncertain"))


def top(locator):
    return locator.bounding_box()["y"]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", [DESK, TABLET], ids=["desk", "tablet"])
def test_the_pages_are_accessible_and_fit_the_screen(queue, labeler, dark, size):
    page = labeler(dark=dark, size=size)
    for path in ("/queue", "/label"):
        page.goto(path)
        if path == "/label":
            opened(page, STEMS[0])
            name, value = (
                page.locator("mask-editor .slider").first.locator(part) for part in ("span", "output")
            )
            assert abs(top(name) - top(value)) < 4  # on one line: panels of all tools are long as it is
        found = [v for v in Axe().run(page).response["violations"] if v["impact"] in ("serious", "critical")]
        assert found == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        if folder := os.environ.get("ICEFLOE_SCREENSHOTS"):
            page.wait_for_timeout(1500)
            kind = f"{'-tablet' if size == TABLET else ''}{'-dark' if dark else ''}"
            page.screenshot(path=Path(folder) / f"service{path.replace('/', '-')}{kind}.png")


def test_regions_are_seen_one_after_the_other_and_the_rest_is_locked(queue, labeler, tmp_path):
    """Of the first image two regions are to be labelled: its pre-segmentation stays as it is around them."""
    regions = (Region(30, 30, 20, 30), Region(60, 90, 24, 30))
    for item in queue.items("waiting"):
        queue.skip(queue.lease("test", item_id=item.id).token, "another test's")
    purpose = Purpose("bald", 0.5, 1, "its members disagree here")
    mask, stem = presegmentation(STEMS[0]), STEMS[0]
    queue.add(
        [
            NewItem(
                "D1",
                stem,
                f"round of {os.urandom(4).hex()}",
                SHAPE,
                CLASSES,
                purpose,
                encode_png(mask),
                regions=regions,
            )
        ]
    )
    page = labeler()
    page.goto("/label")
    opened(page, stem)
    expect(page.locator("#why")).to_contain_text("Only 2 regions of it are labelled.")
    shown = page.locator("mask-editor .images .region")
    expect(shown).to_have_text("Region 1 of 2")
    page.locator("mask-editor").screenshot(path=tmp_path / "region.png")

    def at_middle(region):
        """The middle of the picture is the middle of the region that is looked at."""
        box = page.locator("mask-editor .picture").bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2 + 1, box["y"] + box["height"] / 2 + 1)
        row, column = region.top + region.height // 2, region.left + region.width // 2
        expect(page.locator(".readout")).to_contain_text(f"{column}, {row}:")

    at_middle(regions[0])
    page.keyboard.press("j")
    expect(shown).to_have_text("Region 2 of 2")
    at_middle(regions[1])
    page.get_by_role("button", name="Next region").click()
    expect(shown).to_have_text("Region 1 of 2")

    page.keyboard.press("Home")
    point(page, 80, 10)
    page.mouse.down()
    page.mouse.up()
    expect(page.locator("#message")).to_contain_text("the rest is locked")
    assert np.array_equal(mask_of(page), mask)
    page.mouse.move(*place(page, 40, 5))
    page.mouse.down()
    page.mouse.move(*place(page, 40, 120), steps=20)
    page.mouse.up()
    page.keyboard.press("m")  # grows everywhere, were it not for the regions
    expect(page.locator("mask-editor .stage")).not_to_have_attribute("aria-busy", "true")
    inside = inside_any(regions, SHAPE)
    changed = mask_of(page)
    assert np.array_equal(changed[~inside], mask[~inside])
    assert changed[40, 30:60].all()
    page.locator("mask-editor").screenshot(path=tmp_path / "whole.png")
    page.keyboard.press("?")
    expect(page.locator("dialog", has_text="Next region")).to_be_visible()
    page.keyboard.press("Escape")

    page.keyboard.press("Enter")
    expect(page.locator("#why")).to_contain_text("No image waits", timeout=60_000)
    np.testing.assert_array_equal(labels_of(queue)[stem], limited(changed, regions))


def test_regions_are_gone_through_and_painted_by_touch(queue, labeler):
    region = Region(30, 30, 20, 30)
    for item in queue.items("waiting"):
        queue.skip(queue.lease("test", item_id=item.id).token, "another test's")
    purpose = Purpose("bald", 0.5, 1, "its members disagree here")
    rounds = f"round of {os.urandom(4).hex()}"
    second = Region(60, 90, 24, 30)
    queue.add([NewItem("D1", STEMS[0], rounds, SHAPE, CLASSES, purpose, regions=(region, second))])
    page = labeler(size=TABLET, touch=True)
    page.goto("/label")
    opened(page, STEMS[0])
    page.get_by_role("button", name="Next region").tap()
    expect(page.locator("mask-editor .images .region")).to_have_text("Region 2 of 2")
    box = page.locator("mask-editor .picture").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    changed = mask_of(page).astype(bool)
    assert changed.any()
    assert not changed[~second.mask(SHAPE)].any()
