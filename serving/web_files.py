"""The files that browsers run and show: kept by them for good, and asked for all at once."""

import re
from collections.abc import MutableMapping
from functools import cache
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from fastapi.staticfiles import StaticFiles
from markupsafe import Markup
from starlette.responses import Response

WEB = Path(__file__).parent / "web"

_IMPORT = re.compile(r"""^(?:import|(?:import|export)\b[^;"']*\bfrom)\s*["'](\.[^"']+)["']""", re.MULTILINE)
_KEPT = "public, max-age=31536000, immutable"
_CHECKED = "no-cache"


class WebFiles(StaticFiles):
    """`serving/web` under `/web/DIGEST/...`, which browsers keep, and under `/web/...`, which they ask about.

    The digest is that of all files, so one that has changed has another address; modules import each other
    by relative addresses, which stay below it.
    """

    def __init__(self) -> None:
        super().__init__(directory=WEB)

    async def get_response(self, path: str, scope: MutableMapping[str, Any]) -> Response:
        """The file, or 404."""
        first, _, rest = path.partition("/")
        is_kept = first == digest()
        response = await super().get_response(rest if is_kept else path, scope)
        response.headers["Cache-Control"] = _KEPT if is_kept else _CHECKED
        return response


@cache
def digest() -> str:
    """Digest of every file's name and content."""
    found = sha256()
    for path in sorted(WEB.rglob("*")):
        if path.is_file():
            found.update(f"{path.relative_to(WEB).as_posix()}\n".encode())
            found.update(sha256(path.read_bytes()).digest())
    return found.hexdigest()[:16]


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
        for relative in _IMPORT.findall((WEB / one).read_text(encoding="utf-8")):
            path = (WEB / PurePosixPath(one).parent / relative).resolve()
            name = path.relative_to(WEB.resolve()).as_posix()
            if name not in found:
                found.append(name)
    return found[1:]
