"""The files that browsers run and show: kept by them for good, and asked for all at once."""

import mimetypes
import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path, PurePosixPath

from fastapi import HTTPException, Request, Response
from markupsafe import Markup
from starlette.types import Receive, Scope, Send

WEB = Path(__file__).parent / "web"

_IMPORT = re.compile(r"""^(?:import|(?:import|export)\b[^;"']*\bfrom)\s*["'](\.[^"']+)["']""", re.MULTILINE)
_KEPT = "public, max-age=31536000, immutable"
_CHECKED = "no-cache"


@dataclass(frozen=True)
class _File:
    content: bytes
    media_type: str
    etag: str


class WebFiles:
    """`serving/web` under `/web/DIGEST/...`, which browsers keep, and under `/web/...`, which they ask about.

    The digest is that of all files, so one that has changed has another address; modules import each other
    by relative addresses, which stay below it. Files are held in memory, a megabyte: a page asks for up to
    sixty of them at once.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if request.method not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        path = scope["path"].removeprefix(scope["root_path"]).lstrip("/")
        kept = path.removeprefix(f"{digest()}/")
        file = _files().get(kept)
        if file is None:
            raise HTTPException(404)
        headers = {"Cache-Control": _CHECKED if kept == path else _KEPT, "ETag": file.etag}
        if request.headers.get("if-none-match") == file.etag:
            response = Response(status_code=304, headers=headers)
        else:
            response = Response(file.content, media_type=file.media_type, headers=headers)
        await response(scope, receive, send)


@cache
def digest() -> str:
    """Digest of every file's name and content."""
    found = sha256()
    for name, file in _files().items():
        found.update(f"{name}\n{file.etag}\n".encode())
    return found.hexdigest()[:16]


@cache
def _files() -> dict[str, _File]:
    """Path below `serving/web` -> file."""
    found = {}
    for path in sorted(WEB.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            etag = f'"{sha256(content).hexdigest()[:16]}"'
            found[path.relative_to(WEB).as_posix()] = _File(content, media_type, etag)
    return found


def address(file: str) -> str:
    """Where browsers find a file of `serving/web`."""
    return f"/web/{digest()}/{file}"


@cache
def module(file: str) -> Markup:
    """The element that runs a module, after those by which all that it imports is fetched at once.

    Without them a browser learns of a module only when it has read the one that imports it.
    """
    links = [Markup('<link rel="modulepreload" href="{}">').format(address(one)) for one in imports(file)]
    return Markup("\n  ").join(
        [*links, Markup('<script type="module" src="{}"></script>').format(address(file))]
    )


def imports(file: str) -> list[str]:
    """Modules that a module imports, and what they import, the nearest first."""
    found = [file]
    for one in found:  # grows as it goes
        for relative in _IMPORT.findall(_files()[one].content.decode()):
            path = (WEB / PurePosixPath(one).parent / relative).resolve()
            name = path.relative_to(WEB.resolve()).as_posix()
            if name not in found:
                found.append(name)
    return found[1:]
