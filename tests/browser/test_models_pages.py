"""Overview, Models and Data as an operator uses them, with a real worker behind."""

import os
import time
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from icefloe.drift.report import GateReport
from icefloe.evaluation.compare import compare
from icefloe.evaluation.rule import PromotionRule
from icefloe.registry.lineage import DataState, LabelledImage, Lineage, member_hashes
from icefloe.registry.registry import Registry
from icefloe.registry.runs import RunRecord
from serving.auth.roles import Role
from serving.snapshot import read_snapshot
from tests.browser.conftest import DESK, TABLET, welcome
from tests.conftest import evaluation_of  # noqa: F401

pytestmark = pytest.mark.browser

PAGES = ("/overview", "/models", "/models/EA-T2", "/data")
REFUSED = "Failed to load resource: the server responded with a status of 409 (Conflict)"
N_COLOURS = """canvas => new Set(new Uint32Array(
    canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer
)).size"""
TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? []
    : [...document.querySelectorAll("*")]
    .filter((each) => each.getBoundingClientRect().right > innerWidth && !each.closest(".scroll"))
    .map((each) => each.outerHTML.slice(0, 120))"""
LONG = 60_000  # ms: a worker segments


@pytest.fixture(scope="module")
def second_version(working, make_ensemble, tmp_path_factory, evaluation_of):  # noqa: F811
    """EA-T2, which the gate does not pass, and a drift check."""
    folder = tmp_path_factory.mktemp("second")
    make_ensemble(seeds=(2, 3), name="challenger").save(folder / "EA-T2")
    evaluation, before = evaluation_of({"D1": (0.80, 8)}), evaluation_of({"D1": (0.81, 8)}, seed=1)
    images = [
        LabelledImage(key=f"D1/{n}", role="train", image_sha256="i", mask_sha256="m", author=author)
        for n, author in enumerate(("Ann", "Ann", "Ben", None))
    ]
    lineage = Lineage(
        data=DataState(rev="rev", md5="md5-of-D1"),
        git_sha="c0de",
        parameters={},
        seeds={},
        packages={},
        images=tuple(images),
        weights_sha256=member_hashes(folder / "EA-T2"),
        created="2026-01-02T00:00:00+00:00",
    )
    registry = Registry(working.settings)
    report = compare(
        evaluation, before, PromotionRule(n_resamples=1000), new_dataset="D1", champion_version="EA-T1"
    )
    registry.register(folder / "EA-T2", lineage, evaluation, report)
    record = RunRecord.start(working.settings, "drift_check", "D1")
    reason = "it has 3 images, and 5 are needed"
    nothing = {"decided_by": (), "evidence": (), "noise": None}
    record.write_result(
        "gate/D1.json",
        GateReport(
            outcome="inconclusive",
            dataset="D1",
            n_images=3,
            reference_experiments=("melting",),
            alpha=0.05,
            reason=reason,
            version="EA-T1",
            **nothing,
        ),
    )
    record.finish()
    until_seen(working, lambda snapshot: snapshot.drift and len(snapshot.models.versions) == 2)


def until_seen(working, is_so):
    deadline = time.monotonic() + 60
    while not ((snapshot := read_snapshot(working.settings)) and is_so(snapshot)):
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.fixture
def operator(working, second_version, open_working):
    """Sign an operator in."""

    def signed_in(**options):
        page = open_working(**options)
        people = working.app.state.people
        known = next((person for person in people.all() if person.name == "Olga"), None)
        link = people.new_link(known.id, "test") if known else people.add("Olga", Role.OPERATOR, "test")[1]
        welcome(page, link)
        return page

    return signed_in


def test_an_operator_overrules_the_gate_with_a_reason_and_rolls_back(operator, working, open_working):
    page = operator()
    page.goto("/models")
    page.get_by_role("button", name="Promote EA-T2").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("EA-T2 replaces EA-T1, which can be brought back.")
    expect(dialog).to_contain_text("EA-T2 stays a challenger")
    dialog.get_by_label("Reason").fill("sharper edges")
    dialog.get_by_role("button", name="Promote EA-T2").click()
    expect(dialog.get_by_role("alert")).to_contain_text("EA-T2 stays a challenger", timeout=LONG)
    open_working.complaints.remove(REFUSED)
    dialog.get_by_label("Overrule the promotion gate").check()
    with page.expect_navigation(timeout=LONG):
        dialog.get_by_role("button", name="Promote EA-T2").click()
    expect(page.locator("#state")).to_have_text("The champion is EA-T2.")
    expect(page.get_by_role("region", name="Promotions and rollbacks")).to_contain_text("sharper edges")

    page.get_by_role("button", name="Roll back to EA-T1").click()
    dialog.get_by_label("Reason").fill("too many false specks")
    with page.expect_navigation(timeout=LONG):
        dialog.get_by_role("button", name="Roll back to EA-T1").click()
    expect(page.locator("#state")).to_have_text("The champion is EA-T1.")
    assert Registry(working.settings).history()[-1].by == "Olga"


def test_one_image_is_shown_as_both_versions_segment_it(operator):
    page = operator()
    page.goto("/models?one=EA-T1&two=EA-T2")
    expect(page.locator("[name=stem]")).not_to_have_value("")
    page.get_by_label("Shown").select_option("std")
    page.get_by_role("button", name="Segment with both").click()
    captions = page.locator("#pictures figcaption")
    for n in (0, 1):
        expect(captions.nth(n)).to_contain_text("mean uncertainty", timeout=LONG)
    page.get_by_label("Shown").select_option("outline")
    page.get_by_role("button", name="Segment with both").click()
    for name in ("EA-T1", "EA-T2"):
        picture = page.get_by_role("img", name=f"The image as {name} segments it")
        expect(picture).to_be_visible()
        expect(captions.filter(has_text=name)).to_contain_text("mean uncertainty", timeout=LONG)
        assert picture.evaluate(N_COLOURS) > 10
    if folder := os.environ.get("ICEFLOE_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / "service-models-compared.png", full_page=True)


def test_the_data_are_audited_at_a_button(operator):
    page = operator()
    page.goto("/data")
    with page.expect_navigation(timeout=LONG):
        page.get_by_role("button", name="Audit").click()
    expect(page.get_by_role("region", name="Counts and trivial baselines")).to_contain_text("D1")
    expect(page.get_by_role("region", name="Data versions")).to_contain_text("images")


def test_a_drift_check_is_started_followed_and_cancelled(operator, working):
    page = operator()
    page.goto("/overview")
    with page.expect_navigation():
        page.get_by_role("button", name="Check for drift").click()
    row = page.locator("#job-list li")
    expect(row).to_contain_text("drift check")
    expect(row.locator("span").first).not_to_have_text("waits", timeout=LONG)
    with page.expect_navigation(timeout=LONG):
        row.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Nothing runs and nothing waits.")).to_be_visible()


@pytest.mark.parametrize("size", [DESK, TABLET], ids=["desk", "tablet"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_serious_is_found_on_any_page_and_nothing_overflows(operator, dark, size):
    page = operator(dark=dark, size=size)
    for path in PAGES:
        page.goto(path)
        found = [v for v in Axe().run(page).response["violations"] if v["impact"] in ("serious", "critical")]
        assert found == [], path
        assert page.evaluate(TOO_WIDE) == [], path
        if folder := os.environ.get("ICEFLOE_SCREENSHOTS"):
            kind = f"{'-dark' if dark else ''}{'' if size == DESK else '-tablet'}"
            page.screenshot(path=Path(folder) / f"service{path.replace('/', '-')}{kind}.png", full_page=True)
