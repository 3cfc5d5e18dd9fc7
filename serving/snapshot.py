"""What the registry holds, as a worker last saw it: versions, champion, runs and drift in one file."""

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from icefloe.errors import MissingError
from icefloe.settings import Settings
from serving.written import read_written

FROZEN = ConfigDict(frozen=True)

RunState = Literal["running", "done", "failed"]
DriftOutcome = Literal["accept", "shifted", "noisy", "inconclusive"]


class Finding(BaseModel):
    """What the promotion gate found for one metric on one dataset.

    Attributes
    ----------
    dataset, metric, n_images
        What was compared, and over how many images.
    challenger, reference, difference
        Means over the images; the reference is the champion, or the best trivial baseline.
    interval
        Of the difference, in words.
    finding
        What the interval says.
    better, worse
        Probabilities that the challenger's mean is better, and that it is worse beyond the margin; None where
        that was not asked.
    """

    model_config = FROZEN

    dataset: str
    metric: str
    n_images: int
    challenger: float
    reference: float
    difference: float
    interval: str
    finding: str
    better: float | None = None
    worse: float | None = None


class GateJudgement(BaseModel):
    """The promotion gate's latest report on a version: verdict, sentence, reasons, warnings, numbers."""

    model_config = FROZEN

    verdict: str
    against: str
    sentence: str
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    findings: tuple[Finding, ...]


class TrainedOn(BaseModel):
    """Images of one dataset that a version was trained or validated on, and how their labels came about.

    Attributes
    ----------
    dataset, n_images
        Its name, and how many of its images.
    labelers, made_from, made_with
        How many were labelled by whom, from which version's pre-segmentation or an empty mask, and with which
        programs.
    """

    model_config = FROZEN

    dataset: str
    n_images: int
    labelers: dict[str, int]
    made_from: dict[str, int] = {}
    made_with: dict[str, int] = {}


class VersionState(BaseModel):
    """A registered version.

    Attributes
    ----------
    name, aliases, created
        Name such as `EA-T2`; of `champion`, `challenger`, `previous` those that point here; when it was
        registered, in s since the epoch.
    parent
        Version that its training started from; None: from scratch.
    members
        Names of its members.
    data_rev, data_md5, git_sha
        Git commit of the data version, DVC's hash of the data, and commit of the code.
    images
        What it was trained on, by dataset.
    simulated_share
        Share of simulated images in every batch of its training.
    provisional
        Why it is only provisional; empty if it is not.
    gate
        The promotion gate's report; None: it was never judged.
    objection
        Why it may not become champion without overruling the gate; empty if it may.
    promises
        What it was calibrated to promise for new experiments.
    scores
        Dataset -> metric -> mean over its held-out images.
    """

    model_config = FROZEN

    name: str
    aliases: tuple[str, ...]
    created: float
    parent: str | None
    members: tuple[str, ...]
    data_rev: str
    data_md5: str
    git_sha: str
    images: tuple[TrainedOn, ...]
    simulated_share: float
    provisional: str
    gate: GateJudgement | None
    objection: str
    promises: tuple[str, ...]
    scores: dict[str, dict[str, float]]


class ChampionChange(BaseModel):
    """A promotion or rollback: what, which version replaced which, by whom, when (s since the epoch), why."""

    model_config = FROZEN

    action: Literal["promote", "rollback"]
    champion: str
    replaced: str | None
    by: str
    time: float
    reason: str
    forced: bool


class ModelsState(BaseModel):
    """All versions, oldest first, and every change of the champion, newest first.

    Attributes
    ----------
    champion, previous
        The version in use, and the one that a rollback brings back.
    sentence
        The champion and what is provisional about it; where there is none, why not and what to do.
    """

    model_config = FROZEN

    champion: str | None
    previous: str | None
    sentence: str
    versions: tuple[VersionState, ...]
    history: tuple[ChampionChange, ...]

    @cached_property
    def revision(self) -> int:
        """A number that tells this state from every other."""
        return int(hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12], 16)

    def version(self, name: str) -> VersionState:
        """One version by name, or by alias such as `champion`.

        Raises
        ------
        MissingError
            If there is none.
        """
        for version in self.versions:
            if name == version.name or name in version.aliases:
                return version
        raise MissingError(f"{name}: no such version. List the models to see them.")


class RunEntry(BaseModel):
    """A run of a pipeline; times in s since the epoch, `headline` the last thing that it found."""

    model_config = FROZEN

    id: str
    pipeline: str
    state: RunState
    started: float
    ended: float | None
    headline: str


class DriftVerdict(BaseModel):
    """What the drift gate said of a dataset, when (s since the epoch), in which run, by which version.

    `predicted` says what Dice its masks are expected to have, or why that is not predicted;
    `predicted_images` what each image's mask is, by stem. Empty in older verdicts.
    """

    model_config = FROZEN

    dataset: str
    outcome: DriftOutcome
    sentence: str
    time: float
    version: str
    run: str
    n_images: int
    predicted: str = ""
    predicted_images: dict[str, str] = {}


class WithdrawnEntry(BaseModel):
    """A label that was withdrawn.

    Attributes
    ----------
    key
        Its image, such as `D3/stack_7`.
    author
        Who had labelled it; None: it came with the data.
    by, time, reason
        Who withdrew it, when (s since the epoch) and why.
    versions
        Names of the versions that it has trained.
    """

    model_config = FROZEN

    key: str
    author: str | None
    by: str
    time: float
    reason: str
    versions: tuple[str, ...]


class WithdrawnState(BaseModel):
    """Labels that were withdrawn, newest first, and in `consequence` what that means for the champion."""

    model_config = FROZEN

    labels: tuple[WithdrawnEntry, ...] = ()
    consequence: str = ""

    def of_version(self, name: str) -> tuple[str, ...]:
        """Images whose label has trained a version and was withdrawn since."""
        return tuple(dict.fromkeys(label.key for label in self.labels if name in label.versions))


class Snapshot(BaseModel):
    """What the registry and its runs hold; runs and verdicts newest first."""

    model_config = FROZEN

    models: ModelsState
    runs: tuple[RunEntry, ...]
    drift: tuple[DriftVerdict, ...]
    withdrawn: WithdrawnState = WithdrawnState()


def snapshot_file(settings: Settings) -> Path:
    """The file that workers write and web processes read."""
    return settings.state / "served" / "registry.json"


def read_snapshot(settings: Settings) -> Snapshot | None:
    """The registry as a worker last saw it; None before one has looked.

    Raises
    ------
    IcefloeError
        If the file is not a worker's.
    """
    return read_written(Snapshot, snapshot_file(settings), "Remove it; a worker writes it anew.")
