"""Few-shot as a microscopist does it: mouse, keys, touch; result, files, a series, two sessions compared."""

import base64
import csv
import io
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import DESK, TABLET
from tests.browser.test_models_pages import TOO_WIDE
from tests.browser.textures import EDGE, SHAPE, STEMS, TEXTURES, chips_of, mosaic, truth

pytestmark = pytest.mark.browser

LONG = 180_000  # ms: a worker reads, embeds, classifies
COLUMNS = SHAPE[1] // EDGE
SEND = """async ([name, content]) => {
    const body = Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0));
    const answer = await fetch(`/api/v1/uploads?name=${name}`, {method: "POST", body});
    return (await answer.json()).name;
}"""
# Found and measured in one turn: the panels replace their buttons when an answer arrives.
TOO_SMALL = """() => [...document.querySelectorAll("#work button")]
    .filter((each) => each.checkVisibility() && Math.round(each.getBoundingClientRect().height) < 44)
    .map((each) => each.textContent)"""


@pytest.fixture(autouse=True)
def patience():
    """What a worker does beside may slow a page down."""
    expect.set_options(timeout=20_000)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture
def stack(labeler):
    """Sign somebody in who has sent the mosaics as one stack; the page, and the dataset's name."""

    def sent(name="Mia", **options):
        page = labeler(name, **options)
        file = io.BytesIO()
        tifffile.imwrite(file, np.stack([mosaic(stem) for stem in STEMS]), photometric="minisblack")
        return page, page.evaluate(SEND, ["mosaics.tif", base64.b64encode(file.getvalue()).decode()])

    return sent


def begun(page, dataset, stem_at=0):
    """A new session on a frame of a dataset."""
    page.goto("/fewshot")
    page.locator("#choose [name=dataset]").select_option(dataset)
    stems = page.locator("#choose [name=stem] option")
    expect(stems).to_have_count(len(STEMS), timeout=LONG)
    page.locator("#choose [name=stem]").select_option(index=stem_at)
    page.get_by_role("button", name="Begin a session").click()
    page.wait_for_url("**/fewshot?session=*", timeout=LONG)
    expect(page.get_by_role("button", name=re.compile("Suggested: "))).to_be_visible(timeout=LONG)
    return page


def on_grid(page):
    """The textures' own grid is used."""
    page.get_by_role("spinbutton", name="Edge of a chip, px").fill(str(EDGE))
    expect(page.locator("#grid-words")).to_contain_text(
        "8 rows of 12: 96 chips, from 0 px right and 0 px down"
    )
    page.get_by_role("button", name="Use this grid").click()
    expect(page.locator("#sets-panel")).to_be_visible(timeout=LONG)
    return page


def add_sets(page, names=TEXTURES):
    for name in names:
        page.get_by_label("New set").fill(name)
        page.keyboard.press("Enter")
    return page


def place(page, chip, share=0.5):
    """Where a chip of an image seen whole is on the screen."""
    box = page.locator("chip-view .picture").bounding_box()
    zoom = 0.96 * min(box["width"] / SHAPE[1], box["height"] / SHAPE[0])  # there is room around it
    left = box["x"] + (box["width"] - zoom * SHAPE[1]) / 2
    top = box["y"] + (box["height"] - zoom * SHAPE[0]) / 2
    row, column = divmod(chip, COLUMNS)
    return left + zoom * EDGE * (column + share), top + zoom * EDGE * (row + share)


def classified(page):
    """Three supports a set, chosen by mouse, and the result."""
    for position, name in enumerate(TEXTURES):
        page.locator("#sets .set").nth(position).click()
        for chip in chips_of(STEMS[0], name)[3:12:3]:
            page.mouse.click(*place(page, chip))
    return resulting(page)


def resulting(page):
    expect(page.locator("#sentence")).to_contain_text("96 chips", timeout=LONG)
    settled(page)
    return page


def settled(page):
    """All that was changed is kept and classified."""
    expect(page.locator("#classify-state")).to_have_text("", timeout=LONG)


def chips_in(page, position):
    return page.locator("#sets .set .count").nth(position)


def answer(page, path=""):
    number = page.url.split("session=")[1]
    return page.request.get(f"/api/v1/fewshot/sessions/{number}{path}")


def test_from_an_image_to_its_map_by_mouse(stack):
    page, dataset = stack()
    begun(page, dataset)
    expect(page.locator("#suggested-mark")).to_be_visible()
    on_the_slider = page.get_by_role("slider", name="Edge of a chip")
    on_the_slider.press("ArrowRight")
    expect(page.locator("#edge")).not_to_have_value(str(EDGE))
    page.get_by_role("spinbutton", name="Edge of a chip, px").fill("999")
    expect(page.locator("#grid-words")).to_have_text("This image takes an edge of 2 to 256 px.")
    expect(page.get_by_role("button", name="Use this grid")).to_be_disabled()
    page.get_by_role("spinbutton", name="Edge of a chip, px").fill(str(EDGE))
    page.mouse.move(*place(page, 13))
    page.mouse.down()
    page.mouse.move(*place(page, 13, 0.75), steps=4)
    expect(page.locator("#grid-words")).to_contain_text("from 8 px right and 8 px down")
    page.mouse.move(*place(page, 13), steps=4)
    page.mouse.up()
    on_grid(page)
    page.mouse.click(*place(page, 5))
    expect(page.locator("#message")).to_contain_text("There is no set yet")
    add_sets(page)

    page.locator("#sets .set").nth(0).click()
    page.mouse.move(*place(page, 12))
    page.mouse.down()
    page.mouse.move(*place(page, 25), steps=5)  # two rows of two
    page.mouse.up()
    expect(chips_in(page, 0)).to_have_text("4 chips")
    page.mouse.click(*place(page, 25))  # a click on its own support releases it
    expect(chips_in(page, 0)).to_have_text("3 chips")
    page.locator("#sets .set").nth(1).click()
    page.mouse.click(*place(page, 12))  # another set takes it over
    expect(chips_in(page, 0)).to_have_text("2 chips")
    expect(chips_in(page, 1)).to_have_text("1 chip")
    page.keyboard.down("Alt")
    page.mouse.click(*place(page, 12))
    page.keyboard.up("Alt")
    expect(chips_in(page, 1)).to_have_text("0 chips")
    page.mouse.click(*place(page, 5))
    page.mouse.click(*place(page, 17))
    page.locator("#sets .set").nth(2).click()
    page.mouse.click(*place(page, 9))
    page.mouse.click(*place(page, 21))
    resulting(page)

    result = answer(page, "/classification").json()
    assert [set_["chips"] for set_ in answer(page).json()["sets"]] == [[13, 24], [5, 17], [9, 21]]
    assert np.mean(np.array(result["nearest"]) == truth(STEMS[0]).ravel()) >= 0.95
    shown = page.locator("#counts tbody tr td:nth-of-type(2)").all_text_contents()
    assert [int(count) for count in shown] == [one["count"]["mean"] for one in result["classes"]]
    page.mouse.move(*place(page, 6))
    expect(page.locator(".readout")).to_contain_text(
        re.compile(r"^Chip 6 \(row 0, column 6\): dots; dots 0\.\d\d")
    )
    page.get_by_text("How the supports fall when left out").click()
    expect(page.locator("#confusion tbody tr")).to_have_count(3)
    marks = "document.querySelector('chip-view .marks').toDataURL()"
    with_map = page.evaluate(marks)
    page.get_by_label("Map over the image").uncheck()
    page.wait_for_function(f"before => {marks} !== before", arg=with_map)

    page.get_by_role("button", name="Label this next").click()
    expect(page.locator("chip-view .chip-cursor")).to_be_visible()
    expect(page.locator(".readout")).to_contain_text(f"Chip {result['label_next'][0]} ")
    if folder := os.environ.get("ICEFLOE_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / "service-fewshot-next.png")


def test_all_of_it_works_by_keys_and_can_be_undone(stack):
    page, dataset = stack()
    begun(page, dataset)
    stage = page.get_by_role("application")
    stage.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#grid-words")).to_contain_text("from 1 px right and 0 px down")
    page.keyboard.press("ArrowLeft")
    on_grid(page)
    add_sets(page)
    stage.focus()
    page.keyboard.press("ArrowRight")  # the cursor comes into the middle
    expect(page.locator(".readout")).to_contain_text("Chip 54 ")
    for _ in range(6):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("1")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")  # the digit has chosen the set
    expect(chips_in(page, 0)).to_have_text("2 chips")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("2")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("3")
    expect(chips_in(page, 1)).to_have_text("2 chips")
    expect(chips_in(page, 2)).to_have_text("2 chips")
    resulting(page)
    assert [one["chips"] for one in answer(page).json()["sets"]] == [[48, 60], [65, 66], [70, 82]]

    page.keyboard.press("Control+z")
    expect(chips_in(page, 2)).to_have_text("0 chips")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(page.locator("#classify-state")).to_contain_text("Give two sets at least one chip", timeout=LONG)
    expect(page.locator("#classified")).to_be_hidden()
    for _ in range(3):
        page.keyboard.press("Control+y")
    resulting(page)
    page.get_by_role("button", name="Remove dots").click()
    expect(page.locator("#message")).to_contain_text(
        "dots is removed, its 2 chips are free. Undo brings it back."
    )
    expect(page.locator("#counts tbody tr")).to_have_count(3, timeout=LONG)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#counts tbody tr")).to_have_count(4, timeout=LONG)
    page.keyboard.press("Control+y")
    expect(page.locator("#counts tbody tr")).to_have_count(3, timeout=LONG)
    page.keyboard.press("Control+z")
    expect(page.locator("#counts tbody tr")).to_have_count(4, timeout=LONG)
    page.get_by_role("button", name="Rename dots").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("NOISE")
    dialog.get_by_role("button", name="Rename").click()
    expect(dialog.get_by_role("alert")).to_have_text("A set is called noise already. Choose another name.")
    dialog.get_by_label("Name").fill("spots")
    dialog.get_by_role("button", name="Rename").click()
    expect(page.locator("#counts tbody tr").nth(1)).to_contain_text("spots", timeout=LONG)


def test_twelve_sets_are_told_apart_by_position_colour_and_pattern(stack):
    page, dataset = stack()
    on_grid(begun(page, dataset))
    add_sets(page, [f"set {number}" for number in range(1, 13)])
    for position in (11, 10, 1):
        page.locator("#sets .set").nth(position).click()
        page.mouse.click(*place(page, 12 * position % 96 + position))
    expect(page.get_by_role("button", name="12. set 12")).to_contain_text("1 chip")
    page.get_by_label("New set").fill("Set 3")
    page.keyboard.press("Enter")
    expect(page.locator("#message")).to_have_text("A set is called set 3 already. Choose another name.")
    swatches = page.locator("#sets canvas").evaluate_all("all => all.map((each) => each.toDataURL())")
    assert len(set(swatches)) == 12
    resulting(page)
    sets = answer(page).json()["sets"]
    assert [one["style"] for one in sets] == list(range(12))
    assert [len(one["chips"]) for one in sets] == [0, 1, *[0] * 8, 1, 1]


def test_fingers_choose_chips_and_two_of_them_zoom(stack):
    page, dataset = stack(size=TABLET, touch=True)
    on_grid(begun(page, dataset))
    add_sets(page, TEXTURES[:2])
    page.locator("chip-view").scroll_into_view_if_needed()
    assert page.evaluate(TOO_SMALL) == []
    page.locator("#sets .set").nth(0).tap()
    page.locator("chip-view").scroll_into_view_if_needed()
    for chip in (0, 14):
        page.touchscreen.tap(*place(page, chip))
    page.locator("#sets .set").nth(1).tap()
    page.locator("chip-view").scroll_into_view_if_needed()
    touches = page.context.new_cdp_session(page)

    def touch(kind, *points):
        told = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": told})

    touch("touchStart", place(page, 5))
    touch("touchMove", place(page, 6, 0.3))
    touch("touchMove", place(page, 6))
    touch("touchEnd")
    expect(chips_in(page, 0)).to_have_text("2 chips")
    expect(chips_in(page, 1)).to_have_text("2 chips")
    resulting(page)

    before = page.locator("chip-view .bar span").text_content()
    touch("touchStart", place(page, 41))
    touch("touchStart", place(page, 41), place(page, 42))
    touch("touchMove", place(page, 39), place(page, 44))
    touch("touchEnd")
    expect(page.locator("chip-view .bar span")).not_to_have_text(before)
    expect(page.locator("chip-view .map")).to_be_visible()
    expect(chips_in(page, 1)).to_have_text("2 chips")  # nothing was chosen by that


def test_a_new_grid_asks_first_keeps_the_sets_and_releases_the_chips(stack):
    page, dataset = stack()
    classified(add_sets(on_grid(begun(page, dataset))))
    page.get_by_role("button", name="New grid").click()
    page.get_by_role("spinbutton", name="Edge of a chip, px").fill("64")
    page.get_by_role("button", name="Use this grid").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The sets stay, but their chips are of the old grid and are released.")
    dialog.get_by_role("button", name="Go back").click()
    page.get_by_role("button", name="Keep the old one").click()
    expect(page.locator("#placed-words")).to_have_text("32 px: 8 rows of 12, 96 chips.")
    expect(chips_in(page, 0)).to_have_text("3 chips")
    page.get_by_role("button", name="New grid").click()
    page.get_by_role("spinbutton", name="Edge of a chip, px").fill("64")
    page.get_by_role("button", name="Use this grid").click()
    dialog.get_by_role("button", name="Use it, release the chips").click()
    expect(page.locator("#placed-words")).to_have_text("64 px: 4 rows of 6, 24 chips.", timeout=LONG)
    assert page.locator("#sets .name").all_text_contents() == ["1. stripes", "2. dots", "3. noise"]
    assert page.locator("#sets .count").all_text_contents() == ["0 chips"] * 3
    expect(page.locator("#classified")).to_be_hidden()


def downloaded(page, button):
    with page.expect_download(timeout=LONG) as waiting:
        button.click()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def test_an_embedding_that_failed_can_be_tried_again(stack, working):
    page, dataset = stack()
    begun(page, dataset)
    folder = next((working.settings.state / "served/uploads").glob(f"*/{dataset}/images"))
    image = min(folder.iterdir())
    content = image.read_bytes()
    image.write_bytes(content[:300])
    # A grid of its own: vectors that another test has had made are not made again.
    page.get_by_role("spinbutton", name="Edge of a chip, px").fill(str(EDGE - 2))
    page.get_by_role("button", name="Use this grid").click()
    expect(page.locator("#embedding")).to_contain_text("could not be embedded", timeout=LONG)
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    image.write_bytes(content)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#embedding")).to_have_text("The chips are embedded.", timeout=LONG)
    expect(page.get_by_role("button", name="Try again")).to_be_hidden()


def test_files_say_what_the_page_says_and_a_saved_session_is_recalled(stack, tmp_path):
    page, dataset = stack()
    classified(add_sets(on_grid(begun(page, dataset))))
    counts = page.locator("#counts tbody tr td:nth-of-type(2)").all_text_contents()
    name, table = downloaded(page, page.get_by_role("button", name="Chips, CSV"))
    assert name.endswith("-chips.csv")
    rows = list(csv.DictReader(io.StringIO(table.decode())))
    said = [row["prediction"] for row in rows]
    assert [said.count(one) for one in (*TEXTURES, "unsure")] == [int(count) for count in counts]
    _, picture = downloaded(page, page.get_by_role("button", name="Map, PNG"))
    assert Image.open(io.BytesIO(picture)).width > 300
    _, chart = downloaded(page, page.get_by_role("button", name="Chart, SVG"))
    assert b"<svg" in chart
    _, saved = downloaded(page, page.get_by_role("button", name="Session, JSON"))
    assert json.loads(saved)["sets"]
    (tmp_path / "session.json").write_bytes(saved)
    before = page.url

    page.goto("/fewshot")
    page.locator("#choose [name=dataset]").select_option(dataset)
    expect(page.locator("#choose [name=stem] option")).to_have_count(len(STEMS), timeout=LONG)
    page.get_by_label("Or a session that was saved").set_input_files(tmp_path / "session.json")
    page.get_by_role("button", name="Recall it").click()
    page.wait_for_url("**/fewshot?session=*", timeout=LONG)
    assert page.url != before
    resulting(page)
    assert page.locator("#counts tbody tr td:nth-of-type(2)").all_text_contents() == counts
    _, again = downloaded(page, page.get_by_role("button", name="Chips, CSV"))
    assert again == table


def test_two_sessions_are_compared_and_nobody_else_sees_them(stack, labeler, open_working):
    page, dataset = stack("Cora")
    classified(add_sets(on_grid(begun(page, dataset))))
    page.get_by_role("button", name="Rename").first.click()
    page.get_by_role("dialog").get_by_label("Name").fill("by Cora")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(page.locator("#session-name")).to_have_text("by Cora")
    first = page.url
    add_sets(on_grid(begun(page, dataset)), TEXTURES[:2])
    for position, chips in enumerate(((0, 13), (5, 17))):
        page.locator("#sets .set").nth(position).click()
        for chip in chips:
            page.mouse.click(*place(page, chip))
    resulting(page)
    page.goto("/fewshot")
    form = page.locator("#compare form")
    options = form.locator("[name=first] option")
    expect(options.filter(has_text="by Cora")).to_have_count(1)  # they are asked for after the page is there
    names = options.all_text_contents()
    own = next(name for name in names if name.startswith("by Cora"))
    form.locator("[name=first]").select_option(own)
    form.locator("[name=second]").select_option(next(name for name in names if name != own))
    form.get_by_role("button", name="Compare").click()
    expect(page.locator("#compared")).to_contain_text(re.compile(r"^\d+ of 96 chips differ\.$"), timeout=LONG)
    changed = page.locator("#changes tbody tr td:nth-of-type(3)").all_text_contents()
    n_differing = int(page.locator("#compared").text_content().split()[0])
    assert sum(map(int, changed)) == n_differing > 20
    expect(page.locator("#changes tbody tr").first).to_contain_text("noise")
    if folder := os.environ.get("ICEFLOE_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / "service-fewshot-compare.png", full_page=True)

    other = labeler("Dora")
    other.goto(first)
    expect(other.locator("#message")).to_contain_text("no such session")
    del open_working.complaints[:]  # the browser's note on the 404
    other.goto("/fewshot")
    expect(other.locator("#no-sessions")).to_be_visible()


def test_one_support_set_over_a_stack_gives_curves_with_bands(stack):
    page, dataset = stack()
    classified(add_sets(on_grid(begun(page, dataset))))
    page.locator("#series [name=dataset]").select_option(dataset)
    page.get_by_role("button", name="Classify the series").click()
    expect(page.locator("#series-state")).to_contain_text("All 3 images are classified", timeout=LONG)
    figures = page.locator("#series-curves figure")
    expect(figures).to_have_count(5)
    stripes = figures.filter(has_text="Share of stripes")
    stripes.get_by_text("Values").click()
    shares = [float(cell) for cell in stripes.locator("tbody tr td:nth-of-type(3)").all_text_contents()]
    expected = [np.mean(truth(stem) == 0) for stem in STEMS]
    assert shares == pytest.approx(expected, abs=0.08)
    assert figures.filter(has_text="unsure").count() == 1
    if folder := os.environ.get("ICEFLOE_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / "service-fewshot-series.png", full_page=True)
    name, table = downloaded(page, page.get_by_role("button", name="Fractions, CSV"))
    assert name == "fractions.csv"
    assert len(table.splitlines()) == 4


def test_an_image_of_ones_own_is_sent_and_what_cannot_be_used_says_how(labeler, tmp_path, open_working):
    page = labeler("Nora")
    page.goto("/fewshot")
    frames = np.stack([mosaic(stem) for stem in STEMS])
    tifffile.imwrite(tmp_path / "my stack.tif", frames, photometric="minisblack")
    Image.fromarray((mosaic(STEMS[0]) // 256).astype(np.uint8)).save(tmp_path / "grey.jpg", quality=95)
    file = page.get_by_label("Or an image of your own")
    file.set_input_files(tmp_path / "my stack.tif")
    page.get_by_role("button", name="Send it").click()
    expect(page.locator("#message")).to_contain_text(re.compile("frame", re.IGNORECASE), timeout=LONG)
    assert [re.search(r"status of (\d+)", each).group(1) for each in open_working.complaints] == ["422"]
    open_working.complaints.clear()
    page.get_by_label("Frame, of a stack").fill("1")
    page.get_by_role("button", name="Send it").click()
    page.wait_for_url("**/fewshot?session=*", timeout=LONG)
    expect(page.locator("#about")).to_contain_text("384 x 256 px")

    page.goto("/fewshot")
    file.set_input_files(tmp_path / "grey.jpg")
    page.get_by_role("button", name="Send it").click()
    page.wait_for_url("**/fewshot?session=*", timeout=LONG)
    expect(page.locator("#about")).to_contain_text("JPEG")
    page.goto("/fewshot")
    expect(page.locator("#sessions tbody tr")).to_have_count(2)
    page.get_by_role("button", name="Remove").first.click()
    page.get_by_role("button", name="Remove for good").click()
    expect(page.locator("#sessions tbody tr")).to_have_count(1)


@pytest.mark.parametrize("size", [DESK, TABLET], ids=["desk", "tablet"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_is_inaccessible_and_nothing_overflows(stack, dark, size):
    page, dataset = stack(dark=dark, size=size)
    kind = f"{'-dark' if dark else ''}{'' if size == DESK else '-tablet'}"

    def check(name):
        found = [v for v in Axe().run(page).response["violations"] if v["impact"] in ("serious", "critical")]
        assert found == []
        assert page.evaluate(TOO_WIDE) == []
        if folder := os.environ.get("ICEFLOE_SCREENSHOTS"):
            page.screenshot(path=Path(folder) / f"service-fewshot{name}{kind}.png", full_page=True)

    begun(page, dataset)
    page.get_by_text("Why this edge is suggested").click()
    check("-grid")
    on_grid(page)
    for summary in ("Keys", "Choices", "Contrast and zoom"):
        page.get_by_text(summary, exact=True).click()
    check("-sets")
    for summary in ("Keys", "Choices", "Contrast and zoom"):
        page.get_by_text(summary, exact=True).click()
    page.locator("chip-view").scroll_into_view_if_needed()
    add_sets(page)
    for position, name in enumerate(TEXTURES):
        page.locator("#sets .set").nth(position).click()
        page.locator("chip-view").scroll_into_view_if_needed()
        for chip in chips_of(STEMS[0], name)[3:12:3]:
            page.mouse.click(*place(page, chip))
    resulting(page)
    page.get_by_text("How the supports fall when left out").click()
    check("")
    page.goto("/fewshot")
    expect(page.locator("#sessions")).to_be_visible()
    check("-start")
