"""Scripts and styles: kept by browsers until they change, and fetched all at once."""

import re

import pytest

from serving.web_files import WEB, address, digest, imports, module

SCRIPTS = sorted(path.relative_to(WEB).as_posix() for path in WEB.rglob("*.js") if "vendor" not in path.parts)


def test_a_file_is_kept_under_its_digest_and_asked_about_elsewhere(client):
    kept, asked = client.get(address("style.css")), client.get("/web/style.css")

    assert kept.content == asked.content == (WEB / "style.css").read_bytes()
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert asked.headers["cache-control"] == "no-cache"
    again = client.get("/web/style.css", headers={"If-None-Match": asked.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path",
    [
        "/web/0123456789abcdef/style.css",
        f"/web/{digest()}/../../app.py",
        f"/web/{digest()}/%2e%2e/app.py",
        f"/web/{digest()}/nothing.js",
        f"/web/{digest()}",
    ],
)
def test_nothing_else_is_found(client, path):
    assert client.get(path).status_code == 404


def test_only_reading_is_allowed(client):
    assert client.head("/web/style.css").status_code == 200
    assert client.post("/web/style.css").status_code == 405


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_module_that_a_script_needs_is_known(script):
    """None is left that only a comment does not name, and none is named that is not there."""
    known = {script, *imports(script)}
    for one in known:
        code = re.sub(r"/\*.*?\*/", "", (WEB / one).read_text(encoding="utf-8"), flags=re.DOTALL)
        for relative in re.findall(r'(?:from|import)\s*"(\.[^"]+)"', code):
            assert (WEB / one).parent.joinpath(relative).resolve().relative_to(WEB).as_posix() in known


def test_a_page_names_its_modules_before_its_script():
    text = module("label/label.js")

    links = re.findall(r'rel="modulepreload" href="([^"]+)"', text)
    assert address("editor/editor.js") in links
    assert text.index('<script type="module"') > text.rindex("modulepreload")
    assert links == [address(one) for one in imports("label/label.js")]
