"""Trainings as a job of a Ray cluster, found again by whoever asks for the same ones."""

import re
import shlex
import time
from collections.abc import Callable, Sequence
from itertools import count
from typing import TypeVar

from icefloe.errors import BusyError, IcefloeError
from icefloe.progress import Progress
from icefloe.settings import MemberShare
from icefloe.training.identity import joint_identity
from icefloe.training.job import Job
from icefloe.training.ray_api import SUCCEEDED, JobsApi, JobState
from icefloe.training.request import request_bytes
from icefloe.typing import WeightsMirror

ENTRY = "icefloe.training.cluster_job"
TOLD = "icefloe: "
"""Begins what a job prints of its progress, which whoever waits for it reads in the checkpoints."""
FAILED = "icefloe failed: "
"""Begins the line that says why a job failed."""

POLL_SECONDS = 2.0
LOG_SECONDS = 10.0
AWAY_SECONDS = 600.0
"""A dashboard that is away for longer is given up; its job may go on all the same."""

_COLOUR = re.compile("\x1b\\[[0-9;]*m")
_LONGEST = 200

Answer = TypeVar("Answer")


class SubmittedJob:
    """The job of some trainings: one that an earlier call has submitted and that goes on, or a new one.

    Parameters
    ----------
    address
        Address of the cluster's dashboard.
    jobs
        All trainings of the call, finished ones too: the same ones come by the same job's name.
    share
        What each is given.
    weights_dir
        Mirror of pre-trained weights that the cluster's workers reach.
    per_gpu
        Number of trainings that share a GPU; None: as many as its memory has room for.
    progress
        Told of the job, and what Ray says in its log.

    Raises
    ------
    IcefloeError
        If there is no token, or the cluster or the store of checkpoints can't be reached or refuses.
    """

    def __init__(
        self,
        address: str,
        jobs: Sequence[Job],
        share: MemberShare,
        weights_dir: WeightsMirror | None,
        per_gpu: int | None,
        progress: Progress,
    ) -> None:
        self._api, self._progress = JobsApi(address), progress
        identity = joint_identity(job.directory for job in jobs)
        self._store, self._request = jobs[0].store, f"request-{identity}.safetensors"
        options = [f"--cpus={share.cpus}"]
        options += ["--gpu"] if share.gpu else []
        options += [f"--per-gpu={per_gpu}"] if per_gpu else []
        options += [f"--weights-dir={weights_dir}"] if weights_dir else []
        command = shlex.join(["python", "-m", ENTRY, str(jobs[0].directory), self._request, *options])
        self._n_shown, self._shown_at = 0, 0.0
        self._away_since: float | None = None
        for attempt in count(1):
            self._name = f"icefloe-{identity}-{attempt}"
            state = self._answered(self._state)
            if state is None:
                if not self._store.exists(self._request):
                    self._store.write(self._request, request_bytes(jobs))
                self._submit(command)
                progress.tell(f"Ray job {self._name}: submitted")
                break
            if state.is_going_on:
                progress.tell(f"Ray job {self._name}: goes on since an earlier run")
                break

    def wait(self, seconds: float) -> bool:
        """Wait about so long; whether the job is done.

        Raises
        ------
        IcefloeError
            If it failed or was stopped, or the cluster does not know it any more or is away for too long.
        """
        time.sleep(max(seconds, POLL_SECONDS))
        try:
            state = self._state()
            if state is None:
                raise IcefloeError(
                    f"{self._name}: the Ray cluster at {self._api.address} knows this job no more. "
                    "Run again to go on from its checkpoints."
                )
            if not state.is_going_on or time.monotonic() - self._shown_at >= LOG_SECONDS:
                self._show_log()
        except BusyError as error:
            self._note_absence(error)
            return False
        self._away_since = None
        if state.is_going_on:
            return False
        if state.status == SUCCEEDED:
            self._store.remove(self._request)
            return True
        raise IcefloeError(self._why(state))

    def _state(self) -> JobState | None:
        return self._api.state(self._name)

    def _submit(self, command: str) -> None:
        def submit() -> None:
            try:
                self._api.submit(self._name, command)
            except IcefloeError:
                if self._state() is None:  # else it was heard, or another call was quicker
                    raise

        self._answered(submit)

    def _answered(self, ask: Callable[[], Answer]) -> Answer:
        """The answer of a cluster that may be away for a while."""
        while True:
            try:
                answer = ask()
            except BusyError as error:
                self._note_absence(error)
                time.sleep(POLL_SECONDS)
            else:
                self._away_since = None
                return answer

    def _note_absence(self, error: BusyError) -> None:
        now = time.monotonic()
        if self._away_since is None:
            self._away_since = now
            self._progress.warn(f"{error} It is asked again for {AWAY_SECONDS / 60:.0f} min.")
        elif now - self._away_since > AWAY_SECONDS:
            raise error

    def _show_log(self) -> None:
        """Tell what is new in the job's log, but for progress: that is told already."""
        self._shown_at = time.monotonic()
        lines = _COLOUR.sub("", self._api.log(self._name)).splitlines()
        for line in lines[self._n_shown :]:
            if line and not line.startswith((TOLD, FAILED, " ", "\t")):  # details are in Ray's own log
                self._progress.tell(f"Ray: {line}")
        self._n_shown = len(lines)

    def _why(self, state: JobState) -> str:
        lines = _COLOUR.sub("", self._api.log(self._name)).splitlines()
        told = [line.removeprefix(FAILED) for line in lines if line.startswith(FAILED)]
        if told:
            return told[-1]
        reason = " ".join(state.message.split())[:_LONGEST].rstrip(".")
        return (
            f"{self._name}: the Ray job is {state.status.lower()} ({reason}). "
            "See its log on Ray's dashboard; run again to go on from its checkpoints."
        )
