"""Signing in at an identity provider, in a browser that holds the service's own content policy."""

import os
from pathlib import Path

import httpx2
import oidc_provider_mock
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from icefloe.datasets.versions import init_workspace
from tests.browser.conftest import Service

pytestmark = pytest.mark.browser


@pytest.fixture
def issuer():
    with oidc_provider_mock.run_server_in_thread() as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def service(tmp_path, issuer):
    init_workspace(tmp_path / "workspace", params_text="")
    with (tmp_path / "workspace" / "icefloe.toml").open("a") as file:
        file.write(
            f'[oidc.campus]\nissuer = "{issuer}"\nclient_id = "icefloe"\nclient_secret = "of a test"\n'
            'title = "your campus account"\n'
            'roles = { staff = "operator" }\n'
        )
    with Service(tmp_path / "workspace") as running:
        yield running


def test_the_button_leads_there_and_back_to_the_page_that_was_wanted(open_page, issuer):
    httpx2.put(f"{issuer}/users/ana", json={"groups": ["staff"], "preferred_username": "Ana"})
    page = open_page()
    page.goto("/api")
    page.wait_for_url("**/sign-in#/api")
    found = Axe().run(page).response["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
    if folder := os.environ.get("ICEFLOE_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / "service-sign-in.png")
    ours = len(open_page.complaints)
    page.get_by_role("link", name="Sign in with your campus account").click()
    page.get_by_role("textbox").fill("ana")
    page.get_by_role("button", name="Authorize").click()
    page.wait_for_url("**/api")
    expect(page.get_by_text("Ana, operator")).to_be_visible()
    del open_page.complaints[ours:]  # the provider's page is another origin's, and that is the point of it
    page.goto("/account")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
