"""A running service, and Debian's Chromium on it: every page watched for errors and for strangers."""

import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import tifffile
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.service.untrained import register_untrained
from icefloe.datasets.dataset import DatasetInfo
from icefloe.datasets.versions import commit, init_workspace
from icefloe.settings import load_settings
from serving.app import create_app
from serving.auth.roles import Role
from serving.options import Options
from tests.browser.images import STEMS, image
from tests.stores import new_store

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
DESK, TABLET = {"width": 1280, "height": 800}, {"width": 768, "height": 1024}
PASSWORD = "four words in a row"


class Service:
    """A service in a thread of this process, on a free port."""

    def __init__(self, workspace: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.settings = load_settings(workspace)
        self.options = Options(port=port)
        self.app = create_app(self.settings, self.options)
        self.server = uvicorn.Server(uvicorn.Config(self.app, port=port, log_level="warning"))
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    @property
    def url(self) -> str:
        return self.options.url

    def __enter__(self) -> "Service":
        self.thread.start()
        while not self.server.started:
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join()


@pytest.fixture
def service(tmp_path) -> Iterator[Service]:
    init_workspace(tmp_path / "workspace", params_text="")
    with Service(tmp_path / "workspace") as running:
        yield running


@pytest.fixture(scope="session")
def working(tmp_path_factory, make_ensemble) -> Iterator[Service]:
    """A service with a worker, whose workspace has a champion and images to label."""
    workspace = tmp_path_factory.mktemp("working") / "workspace"
    init_workspace(workspace, params_text="")
    images = workspace / "data" / "D1" / "images"
    images.mkdir(parents=True)
    for stem in STEMS:
        tifffile.imwrite(images / f"{stem}.tif", image(stem))
    DatasetInfo(name="D1", experiment="D1", pixel_size_nm=0.5).save(workspace / "data" / "D1")
    new_store(workspace / ".icefloe")
    commit(workspace, "images")
    registry = register_untrained(workspace, make_ensemble())
    registry.promote("EA-T1", force=True, reason="a test", by="test")
    command = [sys.executable, "-m", "serving.worker", str(workspace), "1"]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE)
    with Service(workspace) as running:
        deadline = time.monotonic() + 600  # on a machine that is busy with other things
        while not any(each.champion for each in running.app.state.workers.living()):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield running
    worker.kill()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser, service) -> Iterator[Callable[..., Page]]:
    """A new browser window on the service."""
    yield from windows(browser, service)


@pytest.fixture
def open_working(browser, working) -> Iterator[Callable[..., Page]]:
    """A new browser window on the service that has a worker."""
    yield from windows(browser, working)


def windows(browser: Browser, service: Service) -> Iterator[Callable[..., Page]]:
    """Open windows; at the end none of their pages may have complained, or asked somebody else."""
    complaints: list[str] = []
    contexts = []

    def note(request) -> None:
        if urlsplit(request.url).netloc != urlsplit(service.url).netloc and not request.url.startswith(
            "blob:"
        ):
            complaints.append(f"asked {request.url}")

    def opened(dark: bool = False, size: dict[str, int] = DESK, touch: bool = False) -> Page:
        context = browser.new_context(
            base_url=service.url,
            viewport=size,
            color_scheme="dark" if dark else "light",
            has_touch=touch,
        )
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", note)
        return page

    opened.complaints = complaints  # a test may expect one, and takes it out
    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def admin(service, open_page) -> Page:
    """A window in which the first admin has chosen a password."""
    page = open_page()
    welcome(page, service.app.state.people.first_link())
    return page


def welcome(page: Page, link: str) -> None:
    page.goto(f"/welcome#{link}")
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Choose it and sign in").click()
    page.wait_for_url("**/overview")
    page.goto("/account")


@pytest.fixture
def labeler(working, open_working):
    """Sign somebody in who may label."""

    def signed_in(name="Ann", role=Role.LABELER, **options):
        page = open_working(**options)
        people = working.app.state.people
        known = next((person for person in people.all() if person.name == name), None)
        link = people.new_link(known.id, "test") if known else people.add(name, role, "test")[1]
        welcome(page, link)
        return page

    return signed_in
