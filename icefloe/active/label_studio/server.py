"""A running Label Studio, through its own SDK: what is asked of it, and what its refusals mean."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from icefloe.active.exchange.sources import shown
from icefloe.errors import IcefloeError

if TYPE_CHECKING:
    from label_studio_sdk.client import LabelStudio

TIMEOUT_SECONDS = 120.0
PAGE_SIZE = 50
TITLE_LENGTHS = (3, 50)
"""Label Studio's own limits."""

_TOUCHED = {
    "filters": {
        "conjunction": "or",
        "items": [
            {"filter": f"filter:tasks:{count}", "operator": "greater", "type": "Number", "value": 0}
            for count in ("total_annotations", "cancelled_annotations")
        ],
    }
}


@dataclass(frozen=True)
class Project:
    """A project of the server: its number, its title, and its labelling interface as XML."""

    id: int
    title: str
    config: str


class Server:
    """A running Label Studio.

    Parameters
    ----------
    url
        Its address.
    api_key
        A person's access token; it goes to the server and nowhere else.

    Raises
    ------
    IcefloeError
        If Label Studio's SDK is not installed, the address can't be one, or the key has expired.
    """

    def __init__(self, url: str, api_key: str) -> None:
        self.url = url.rstrip("/")
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
            raise IcefloeError(
                f"{shown(parts.hostname or url)}: not Label Studio's address. Give it as https://labels.example.org."
            )
        if not api_key.strip():
            raise IcefloeError(
                "Label Studio's API key is missing. Copy it there from Account & Settings, and set "
                "LABEL_STUDIO_API_KEY."
            )
        self._api = self._connected(api_key.strip())

    def _connected(self, api_key: str) -> LabelStudio:
        try:
            import httpx
            from label_studio_sdk.client import LabelStudio
        except ImportError as error:
            raise IcefloeError(
                "Label Studio's SDK is not installed. Install it: pip install 'icefloe[label-studio]'."
            ) from error
        # A redirect could lead the key to another host.
        client = httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False)
        with self._asking():
            return LabelStudio(base_url=self.url, api_key=api_key, httpx_client=client)

    def project(self, title: str) -> Project | None:
        """The project of that very title; None if there is none.

        Raises
        ------
        IcefloeError
            If there are several.
        """
        with self._asking():
            found = [one.id for one in self._api.projects.list(title=title) if one.title == title]
            if len(found) > 1:
                raise IcefloeError(
                    f"{self.url}: {len(found)} projects have the title {title!r}. Rename all but one."
                )
            return None if not found else self._project(found[0])

    def create_project(self, title: str, config: str) -> Project:
        """Make a project; `config` is its labelling interface as XML."""
        low, high = TITLE_LENGTHS
        if not low <= len(title) <= high:
            raise IcefloeError(f"--project {title!r}: titles have {low} to {high} characters. Change it.")
        with self._asking():
            made = self._api.projects.create(
                title=title, label_config=config, description="Images that Icefloe asks labels for."
            )
            return self._project(made.id)

    def set_config(self, project: Project, config: str) -> None:
        """Give a project another labelling interface."""
        with self._asking():
            self._api.projects.update(project.id, label_config=config)

    def tasks(self, project: Project) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Number and data of every task."""
        with self._asking():
            for task in self._api.tasks.list(project=project.id, fields="task_only", page_size=PAGE_SIZE):
                yield task.id, task.data or {}

    def touched(self, project: Project) -> Iterator[dict[str, Any]]:
        """Every task that somebody annotated or skipped, with the annotations."""
        query = json.dumps(_TOUCHED)
        with self._asking():
            for task in self._api.tasks.list(project=project.id, page_size=PAGE_SIZE, query=query):
                yield {"id": task.id, "data": task.data, "annotations": task.annotations}

    def upload(self, project: Project, name: str, png: bytes) -> str:
        """Send an image; return where tasks find it."""
        with self._asking():
            # The SDK has no call for files; this is what its calls are made of.
            answer = self._api._client_wrapper.httpx_client.request(
                f"api/projects/{project.id}/import",
                method="POST",
                params={"commit_to_project": False},
                files={"file": (name, png, "image/png")},
            )
            if not answer.is_success:
                raise self._refusal(answer.status_code, answer.text)
            (upload,) = answer.json()["file_upload_ids"]
            return f"/data/{self._api.files.get(upload).file}"

    def add_task(self, project: Project, task: Mapping[str, Any]) -> None:
        """Add a task with its predictions."""
        with self._asking():
            self._api.projects.import_tasks(project.id, request=[task])  # type: ignore[list-item]

    def update_task(self, task_id: int, data: Mapping[str, Any]) -> None:
        """Replace what a task says of its image."""
        with self._asking():
            self._api.tasks.update(str(task_id), data=dict(data))

    def people(self) -> dict[int, str]:
        """E-mail address of every person by number."""
        with self._asking():
            return {one.id: one.email for one in self._api.users.list() if one.email}

    def _project(self, project_id: int) -> Project:
        found = self._api.projects.get(project_id)
        return Project(found.id, found.title or "", found.label_config or "")

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Say what went wrong in one line; nothing of the request, which holds the key, is in it."""
        import httpx
        from label_studio_sdk.core.api_error import ApiError

        try:
            yield
        except ApiError as error:
            raise self._refusal(error.status_code or 0, error.body) from None
        except httpx.TransportError as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise IcefloeError(
                f"{self.url}: Label Studio can't be reached ({shown(reason)}). Start it, or correct --url."
            ) from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:  # as any other server would answer
            raise self._refusal(200, error) from error

    def _refusal(self, status: int, body: object) -> IcefloeError:
        if status == 401:
            return IcefloeError(
                f"{self.url}: Label Studio refuses the API key. Copy it again from Account & Settings there."
            )
        if status == 403:
            return IcefloeError(f"{self.url}: Label Studio does not let you do that. Ask its administrator.")
        if status < 300:
            return IcefloeError(f"{self.url}: does not answer as Label Studio does. Correct the address.")
        if status < 400:
            return IcefloeError(f"{self.url}: answers from another address. Give that one: --url.")
        said = body if isinstance(body, str) else json.dumps(body, default=str, ensure_ascii=False)
        return IcefloeError(
            f"{self.url}: Label Studio answered {status}: {shown(' '.join(said.split()), 300)}. "
            "See its log, and try again."
        )
