"""Ray's token is looked for where Ray does, and never shown; what a real cluster answers: test_cluster.py."""

import pytest
import requests

from icefloe.errors import BusyError, IcefloeError
from icefloe.training.ray_api import JobsApi
from tests.ray_cluster import free_port


@pytest.fixture(autouse=True)
def _home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_token_nothing_is_sent(tmp_path, monkeypatch):
    for file in ("", str(tmp_path / "no-such-file")):
        monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", file)
        with pytest.raises(IcefloeError) as error:
            JobsApi("http://there:8265")
        assert str(error.value) == (
            "http://there:8265: there is no token for Ray. "
            "Set RAY_AUTH_TOKEN, or RAY_AUTH_TOKEN_PATH to a file."
        )


@pytest.mark.parametrize("where", ["variable", "file", "home"])
def test_the_token_comes_from_where_ray_looks_for_it(where, tmp_path, monkeypatch):
    if where == "variable":
        monkeypatch.setenv("RAY_AUTH_TOKEN", "secret\n")
    path = tmp_path / (".ray/auth_token" if where == "home" else "token")
    if where != "variable":
        path.parent.mkdir(exist_ok=True)
        path.write_text("secret\n")
    if where == "file":
        monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(path))
    sent = []

    def send(self, request, **options):
        sent.append(request.headers["Authorization"])
        raise requests.ConnectionError("no route")

    monkeypatch.setattr(requests.Session, "send", send)
    with pytest.raises(BusyError):
        JobsApi("http://there:8265/").state("job")
    assert sent == ["Bearer secret"]


def test_a_cluster_that_cannot_be_reached_is_named_without_the_token(monkeypatch):
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    address = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(BusyError, match=f"^{address}: Ray does not answer .* Check ray_address") as error:
        JobsApi(address).state("job")
    assert "secret" not in str(error.value)
    assert "\n" not in str(error.value)
