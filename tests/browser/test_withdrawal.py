"""A label is taken back on the page *Data*: a real worker takes it out of the workspace's data."""

import os
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from icefloe.datasets.dataset import Dataset
from icefloe.datasets.label_history import add_labels
from icefloe.datasets.versions import commit
from serving.auth.roles import Role
from tests.browser.images import STEMS, image
from tests.browser.test_models_pages import TOO_WIDE

pytestmark = pytest.mark.browser

LONG = 60_000  # ms: DVC and git on a busy machine


def test_an_operator_withdraws_a_label_and_sees_what_changed(labeler, working):
    folder = working.settings.data / "D1"
    add_labels(folder, {STEMS[0]: np.zeros(image(STEMS[0]).shape, np.uint8)}, "Ann")
    commit(working.settings.workspace, "a label")
    page = labeler("Olga", Role.OPERATOR)
    page.goto("/data")
    page.get_by_text("Withdraw labels").click()
    page.get_by_label("Images, one or several").fill("D1/nothing")
    page.get_by_label("What is wrong with them").fill("drawn on another image")
    page.get_by_role("button", name="Withdraw").click()
    expect(page.locator("#message")).to_contain_text("D1/nothing: no such image", timeout=LONG)

    page.get_by_label("Images, one or several").fill(f" D1/{STEMS[0]},")
    page.get_by_role("button", name="Withdraw").click()
    table = page.get_by_role("region", name="Withdrawn labels")
    row = table.locator("tbody tr")
    expect(row).to_have_count(1, timeout=LONG)
    cells = [cell.strip() for cell in row.locator("td").all_text_contents()]
    assert cells[:3] == [f"D1/{STEMS[0]}", "Ann", "Olga"]
    assert cells[4:] == ["drawn on another image", "none"]
    assert STEMS[0] not in [sample.stem for sample in Dataset.load(folder).labelled]
    expect(page.get_by_role("region", name="Data versions")).to_contain_text("1 label withdrawn by Olga")
    page.get_by_text("Withdraw labels").click()
    assert page.evaluate(TOO_WIDE) == []
    assert Axe().run(page).response["violations"] == []
    if picture := os.environ.get("ICEFLOE_SCREENSHOTS"):
        page.screenshot(path=Path(picture) / "withdrawn.png", full_page=True)
