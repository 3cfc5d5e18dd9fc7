"""Signing in and managing people, as somebody at a screen does it."""

import os
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from serving.auth.roles import Role
from tests.browser.conftest import DESK, PASSWORD, TABLET, welcome

pytestmark = pytest.mark.browser

PAGES = ("/sign-in", "/welcome", "/account", "/people", "/api", "/nothing")
EXPECTED_404 = "Failed to load resource: the server responded with a status of 404 (Not Found)"


def sign_in(page, name, password=PASSWORD):
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_an_invited_labeler_chooses_a_password_and_signs_in_again(admin, open_page):
    admin.goto("/people")
    admin.get_by_label("Name", exact=True).fill("Ann")
    admin.get_by_role("button", name="Add and make a link").click()
    link = admin.get_by_label("One-time link for Ann").input_value()
    ann = open_page()
    welcome(ann, link.partition("#")[2])
    expect(ann.get_by_text("You are Ann, and your role is labeler.")).to_be_visible()
    menu = ann.get_by_role("navigation").get_by_role("link").all_text_contents()
    assert {"Queue", "Label", "Account"} <= set(menu)
    assert "People" not in menu
    ann.get_by_role("button", name="Sign out").click()
    ann.wait_for_url("**/sign-in")
    ann.goto("/api")
    ann.wait_for_url("**/sign-in#/api")
    sign_in(ann, "Ann")
    ann.wait_for_url("**/api")
    expect(ann.get_by_role("heading", name="API")).to_be_visible()


def test_a_wrong_password_says_so_and_nothing_else(admin, open_page):
    page = open_page()
    page.goto("/sign-in")
    sign_in(page, "admin", "not the password")
    expect(page.get_by_role("status")).to_have_text(
        "Name or password is wrong. Type them again, or ask an admin for a new link."
    )
    unauthorized = "Failed to load resource: the server responded with a status of 401 (Unauthorized)"
    open_page.complaints.remove(unauthorized)


def test_two_different_passwords_are_not_taken(service, open_page):
    page = open_page()
    page.goto(f"/welcome#{service.app.state.people.first_link()}")
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD + "!")
    page.get_by_role("button", name="Choose it and sign in").click()
    expect(page.get_by_role("status")).to_have_text("The two passwords differ. Type them again.")
    assert not service.app.state.people.all()[0].has_password


def test_a_role_is_changed_and_an_account_closed(service, admin):
    service.app.state.people.add("Bob", Role.VIEWER, "test")
    admin.goto("/people")
    with admin.expect_navigation():
        admin.get_by_label("Role of Bob").select_option("operator")
    expect(admin.get_by_label("Role of Bob")).to_have_value("operator")
    with admin.expect_navigation():
        admin.get_by_role("button", name="Close the account of Bob").click()
    expect(admin.get_by_role("button", name="Open the account of Bob")).to_be_visible()
    person = next(person for person in service.app.state.people.all() if person.name == "Bob")
    assert (person.role, person.active) == (Role.OPERATOR, False)


def test_a_token_is_shown_once_and_revoked(admin):
    admin.get_by_label("What for").fill("a script")
    admin.get_by_role("button", name="Make a token").click()
    expect(admin.get_by_label("New token, shown this once")).to_have_value(re.compile("^icefloe_"))
    admin.reload()
    expect(admin.get_by_label("New token, shown this once")).to_be_hidden()
    with admin.expect_navigation():
        admin.get_by_role("button", name="Revoke a script").click()
    expect(admin.get_by_text("You have none.")).to_be_visible()


def test_the_theme_that_is_chosen_stays(admin):
    admin.get_by_label("Theme").select_option("dark")
    admin.goto("/api")
    assert admin.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 25, 30)"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", [DESK, TABLET], ids=["desk", "tablet"])
def test_pages_are_accessible_and_fit_the_screen(service, admin, open_page, dark, size):
    service.app.state.people.add("Bob", Role.VIEWER, "test")
    page = open_page(dark, size)
    page.context.add_cookies(admin.context.cookies())
    for path in PAGES:
        page.goto(path)
        if path == "/nothing":
            open_page.complaints.remove(EXPECTED_404)
        found = [v for v in Axe().run(page).response["violations"] if v["impact"] in ("serious", "critical")]
        assert found == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        if (folder := os.environ.get("ICEFLOE_SCREENSHOTS")) and size == DESK:
            name = f"service{path.replace('/', '-')}{'-dark' if dark else ''}.png"
            page.screenshot(path=Path(folder) / name)
