"""A service over an empty workspace, and people of every role in it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from icefloe.datasets.versions import init_workspace
from icefloe.settings import Settings, load_settings
from serving.app import attach, build
from serving.auth import passwords
from serving.auth.roles import Role
from serving.options import Options
from tests.stores import new_store

URL = "http://127.0.0.1:8080"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
PASSWORD = "four words in a row"


@pytest.fixture(scope="session")
def workspace_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("service") / "workspace"
    init_workspace(folder, params_text="")
    new_store(folder / ".icefloe")
    return load_settings(folder)


@pytest.fixture
def settings(workspace_settings: Settings, tmp_path: Path) -> Settings:
    """The workspace with a database of its own for each test."""
    return workspace_settings.model_copy(update={"queue_path": tmp_path / "queue.db"})


@pytest.fixture(scope="session")
def routes() -> FastAPI:
    """The application before it has a workspace, which is most of the work of making one."""
    return build(Options())


@pytest.fixture
def app(routes, settings, empty_database, monkeypatch):
    settings.queue_path.parent.mkdir(exist_ok=True)
    shutil.copyfile(empty_database, settings.queue_path)
    # The parameters of real hashes are made to take long.
    quick = passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", quick)
    monkeypatch.setattr(passwords, "_nobody", [])
    attach(routes, settings)
    return routes


@pytest.fixture
def browse() -> Iterator[Callable[..., TestClient]]:
    """Open a browser; each keeps one event loop, as a server does, instead of one for every request."""
    with ExitStack() as opened:

        def open_browser(app: FastAPI, base_url: str = URL, **options: object) -> TestClient:
            options = {"headers": SAME_ORIGIN, "raise_server_exceptions": False} | options
            return opened.enter_context(TestClient(app, base_url=base_url, **options))

        yield open_browser


@pytest.fixture
def client(app, browse) -> TestClient:
    """A browser that nobody has signed in with."""
    return browse(app)


@pytest.fixture
def signed_in(app, browse) -> Callable[..., TestClient]:
    """A browser in which somebody of a role is signed in."""

    def sign_in(role: Role = Role.ADMIN, name: str | None = None) -> TestClient:
        _, link = app.state.people.add(name or f"a {role}", role, actor="test")
        browser = browse(app)
        answer = browser.post("/api/v1/passwords", json={"link": link, "password": PASSWORD})
        assert answer.status_code == 201
        return browser

    return sign_in
