"""The Jobs API of a Ray cluster, by HTTP: submit a job, ask for its state and its log.

Ray's own client waits for an answer for ever, and takes `RAY_ADDRESS` for the address that it is given.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from icefloe.errors import BusyError, IcefloeError

TOKEN, TOKEN_FILE = "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"
TIMEOUT_SECONDS = 20.0
RUNNING = ("PENDING", "RUNNING")
SUCCEEDED = "SUCCEEDED"

_LONGEST = 200


def is_dashboard(address: str | None) -> bool:
    """Whether a Ray address is that of a cluster's dashboard, which the Jobs API is part of."""
    return bool(address) and str(address).startswith(("http://", "https://"))


@dataclass(frozen=True)
class JobState:
    """A job's state, such as `RUNNING`, and what Ray says of it."""

    status: str
    message: str

    @property
    def is_going_on(self) -> bool:
        """Whether it may still come to its end."""
        return self.status in RUNNING


class JobsApi:
    """The jobs of a cluster.

    Parameters
    ----------
    address
        Address of the cluster's dashboard, such as `http://ray-head-svc:8265`.

    Raises
    ------
    IcefloeError
        If there is no token: a cluster that takes jobs from everybody runs anybody's programs.
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {_token(self.address)}"

    def submit(self, name: str, entrypoint: str) -> None:
        """Submit a job; one of this name must not be there.

        Raises
        ------
        BusyError
            If the cluster can't be reached: it may have got the job all the same.
        IcefloeError
            If it refuses.
        """
        answer = self._ask("POST", "/api/jobs/", json={"entrypoint": entrypoint, "submission_id": name})
        self._raise_unless_ok(answer)

    def state(self, name: str) -> JobState | None:
        """A job's state; None: the cluster knows of no such job.

        Raises
        ------
        BusyError
            If the cluster can't be reached.
        IcefloeError
            If it refuses.
        """
        answer = self._ask("GET", f"/api/jobs/{name}")
        if answer.status_code == requests.codes.not_found:
            return None
        content = self._raise_unless_ok(answer)
        return JobState(content["status"], content.get("message") or "")

    def log(self, name: str) -> str:
        """What a job has printed so far; errors as of `state`."""
        return str(self._raise_unless_ok(self._ask("GET", f"/api/jobs/{name}/logs"))["logs"])

    def _ask(self, method: str, path: str, **options: Any) -> requests.Response:
        try:
            answer = self._session.request(
                method, self.address + path, timeout=TIMEOUT_SECONDS, allow_redirects=False, **options
            )
        except requests.RequestException as error:
            reason = " ".join(str(error).split())[:_LONGEST]
            raise BusyError(
                f"{self.address}: Ray does not answer ({reason}). Check ray_address and the network."
            ) from error
        if answer.status_code in (requests.codes.unauthorized, requests.codes.forbidden):
            raise IcefloeError(f"{self.address}: Ray refuses the token. Set {TOKEN} to the cluster's own.")
        return answer

    def _raise_unless_ok(self, answer: requests.Response) -> dict[str, Any]:
        kind = BusyError if answer.status_code >= requests.codes.server_error else IcefloeError
        try:
            content = answer.json() if answer.ok else None
        except ValueError:
            content = None
        if not isinstance(content, dict):
            said = " ".join(answer.text.split())[-_LONGEST:]
            raise kind(
                f"{self.address}: Ray's jobs API answered {answer.status_code} ({said}). "
                "Check that ray_address is a dashboard's."
            )
        return content


def _token(address: str) -> str:
    """The token from where Ray itself looks for it."""
    if token := os.environ.get(TOKEN, "").strip():
        return token
    path = Path(os.environ.get(TOKEN_FILE) or Path.home() / ".ray" / "auth_token")
    try:
        token = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        token = ""
    if not token:
        raise IcefloeError(f"{address}: there is no token for Ray. Set {TOKEN}, or {TOKEN_FILE} to a file.")
    return token
