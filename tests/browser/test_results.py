"""Results as a labeler uses them, with a real worker behind: segment, look, download."""

import csv
import io
import os
import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from icefloe.datasets.readers import read_metadata
from icefloe.drift.report import GateReport
from icefloe.registry.runs import RunRecord
from serving.auth.roles import Role
from tests.browser.conftest import DESK, TABLET, welcome
from tests.browser.images import STEMS, image
from tests.browser.test_models_pages import N_COLOURS, TOO_WIDE, until_seen

pytestmark = pytest.mark.browser

LONG = 120_000  # ms: a worker segments and measures


@pytest.fixture(scope="module")
def judged(working):
    """The drift gate has said something of D1."""
    record = RunRecord.start(working.settings, "drift_check", "D1")
    nothing = {"decided_by": (), "evidence": (), "noise": None}
    report = GateReport(
        outcome="inconclusive",
        dataset="D1",
        n_images=3,
        reference_experiments=("melting",),
        alpha=0.05,
        reason="it has 3 images, and 5 are needed",
        version="EA-T1",
        **nothing,
    )
    record.write_result("gate/D1.json", report)
    record.finish()
    until_seen(working, lambda snapshot: snapshot.drift)
    return report


@pytest.fixture
def labeler(working, judged, open_working):
    """Sign a labeler in."""

    def signed_in(role=Role.LABELER, **options):
        page = open_working(**options)
        people = working.app.state.people
        name = f"Lena, {role}"
        known = next((person for person in people.all() if person.name == name), None)
        link = people.new_link(known.id, "test") if known else people.add(name, role, "test")[1]
        welcome(page, link)
        return page

    return signed_in


def segmented(page):
    """D1 on the page, segmented and measured."""
    page.goto("/results?dataset=D1&version=EA-T1")
    expect(page.locator("#progress")).not_to_be_empty()
    if page.get_by_role("button", name="Segment and measure").is_visible():
        page.get_by_role("button", name="Segment and measure").click()
    expect(page.locator("#progress")).to_have_text("All 3 frames are segmented.", timeout=LONG)
    expect(page.locator("#curves figure")).to_have_count(3, timeout=LONG)
    expect(page.locator("#legend")).to_be_visible(timeout=LONG)
    return page


def test_a_labeler_segments_a_dataset_and_walks_through_it_by_keys(labeler, judged):
    page = segmented(labeler())
    expect(page.locator("#gate")).to_contain_text(judged.sentence())
    expect(page.locator("#gate .mark.inconclusive")).to_be_visible()
    slider = page.get_by_role("slider", name="Frame")
    slider.focus()
    for number, stem in enumerate(STEMS, 1):
        expect(page.locator("#which")).to_have_text(f"{number} of 3, {number - 1} s: {stem}")
        expect(page.locator("#numbers")).to_contain_text(
            re.compile(r"ice [\d,.]+ nm² \([\d.]+ % of the image\)")
        )
        picture = page.get_by_role("img", name=f"{stem} with the outline of its mask")
        expect(picture).to_be_visible(timeout=LONG)
        assert picture.evaluate(N_COLOURS) > 50
        slider.press("ArrowRight")
    shades = {}
    for shown in ("std", "entropy", "probability"):
        page.locator("#shown").select_option(shown)
        drawn = page.get_by_role("img", name=f"Map of {STEMS[2]}: {shown}")
        expect(drawn).to_be_visible(timeout=LONG)
        shades[shown] = drawn.evaluate("canvas => canvas.toDataURL()")
    assert len(set(shades.values())) == 3
    slider.press("Home")
    expect(page.locator("#which")).to_contain_text(STEMS[0])


def test_curves_say_their_values_to_the_eye_and_to_a_reader(labeler):
    page = segmented(labeler())
    series = page.request.get("/api/v1/results/D1/series?version=EA-T1").json()
    figure = page.locator("figure.curve", has_text="Area of ice")
    expect(figure.get_by_role("img")).to_have_attribute(
        "aria-label", re.compile("^Area of ice, 3 values: .* nm² at 0 s")
    )
    figure.get_by_text("Values").click()
    cells = figure.locator("tbody tr").first.locator("td").all_text_contents()
    assert cells[0] == STEMS[0]
    numbers = [float(cell.replace(",", "")) for cell in cells[1:]]
    area = series["curves"]["area"]
    expected = [0, *(area[part][0] for part in ("values", "std", "low", "high"))]
    assert numbers == pytest.approx(expected, rel=1e-3)

    plot = figure.locator(".u-over")
    middle = {"x": plot.bounding_box()["width"] / 2, "y": 40}
    plot.hover(position=middle)  # once it has stopped moving: the table above it has just opened
    expect(figure.locator(".tooltip")).to_contain_text(f"1 s, {STEMS[1]}: ")
    expect(figure.locator(".tooltip")).to_contain_text("nm²")
    plot.click(position=middle)
    expect(page.locator("#which")).to_contain_text(STEMS[1])
    colours = figure.locator("canvas").evaluate(N_COLOURS)
    assert colours > 20  # line, two bands, grid, numbers


def downloaded(page, button):
    with page.expect_download(timeout=LONG) as waiting:
        button.click()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def test_files_are_saved_under_their_names_and_hold_what_they_say(labeler, tmp_path):
    page = segmented(labeler())
    name, content = downloaded(page, page.get_by_role("link", name="Measurements, CSV"))
    assert name == "D1-EA-T1.csv"
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert [row["image"] for row in rows] == list(STEMS)
    assert {"time_s", "area_nm2", "area_nm2_low", "mean_front_nm"} <= set(rows[0])
    name, content = downloaded(page, page.get_by_role("link", name="Masks in numbers, CSV"))
    assert name == "D1-EA-T1-masks.csv"
    assert len(content.splitlines()) == 4

    name, content = downloaded(page, page.get_by_role("button", name="PNG", exact=True))
    assert name == "D1-EA-T1-series.png"
    assert Image.open(io.BytesIO(content)).width > 1000
    page.get_by_label("Figure").select_option("fronts")
    name, content = downloaded(page, page.get_by_role("button", name="SVG"))
    assert name == "D1-EA-T1-fronts.svg"
    assert b"<svg" in content

    name, content = downloaded(page, page.get_by_role("button", name="std, TIFF"))
    assert name == f"{STEMS[0]}-EA-T1-std.tif"
    (tmp_path / name).write_bytes(content)
    assert tifffile.imread(tmp_path / name).dtype == np.float32
    assert read_metadata(tmp_path / name).pixel_size_nm == pytest.approx(0.5)


def test_a_stack_of_ones_own_is_sent_segmented_and_seen_by_nobody_else(labeler, tmp_path):
    frames = np.stack([image(stem) for stem in STEMS])
    tifffile.imwrite(tmp_path / "my melt.tif", frames, photometric="minisblack")
    page = labeler()
    page.goto("/results")
    page.get_by_label("Or an image or a stack of your own").set_input_files(tmp_path / "my melt.tif")
    with page.expect_navigation(timeout=LONG):
        page.get_by_role("button", name="Send it").click()
    expect(page.get_by_role("heading", name="my melt, segmented by EA-T1")).to_be_visible()
    expect(page.locator("#gate")).to_contain_text("judges the workspace's datasets")
    page.get_by_role("button", name="Segment and measure").click()
    expect(page.locator("#progress")).to_have_text("All 3 frames are segmented.", timeout=LONG)
    expect(page.locator("figure.curve").first).to_contain_text("px²", timeout=LONG)
    expect(page.locator("#notes")).to_contain_text("The pixel size is not known")
    other = labeler(Role.OPERATOR)
    other.goto("/results")
    expect(other.get_by_label("Dataset")).not_to_contain_text("my melt")


def test_a_viewer_looks_and_is_offered_nothing_to_start(labeler):
    segmented(labeler())
    page = labeler(Role.VIEWER)
    page.goto("/results?dataset=D1")
    expect(page.locator("#progress")).to_have_text("All 3 frames are segmented.")
    expect(page.locator("#curves figure")).to_have_count(3, timeout=LONG)
    expect(page.get_by_role("button", name="Segment and measure")).to_have_count(0)
    expect(page.get_by_role("button", name="Send it")).to_have_count(0)


@pytest.mark.parametrize("size", [DESK, TABLET], ids=["desk", "tablet"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_serious_is_found_and_nothing_overflows(labeler, dark, size):
    page = segmented(labeler(dark=dark, size=size))
    expect(page.get_by_role("img", name=f"{STEMS[0]} with the outline of its mask")).to_be_visible(
        timeout=LONG
    )
    found = [v for v in Axe().run(page).response["violations"] if v["impact"] in ("serious", "critical")]
    assert found == []
    assert page.evaluate(TOO_WIDE) == []
    if folder := os.environ.get("ICEFLOE_SCREENSHOTS"):
        kind = f"{'-dark' if dark else ''}{'' if size == DESK else '-tablet'}"
        page.screenshot(path=Path(folder) / f"service-results{kind}.png", full_page=True)
