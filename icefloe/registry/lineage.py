"""Lineage of a version: its images, labels with authors and times, and first weights."""

import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from icefloe.datasets.dataset import Dataset
from icefloe.datasets.provenance import lineage as lineage_of_samples
from icefloe.ensemble.manifest import Member
from icefloe.errors import IcefloeError
from icefloe.files import sha256_file
from icefloe.models.spec import MemberSpec

if TYPE_CHECKING:
    from icefloe.datasets.versions import DataVersion

REPORTED_PACKAGES = (
    "icefloe",
    "numpy",
    "scipy",
    "torch",
    "torchvision",
    "segmentation-models-pytorch",
    "timm",
)
"""Packages that can change the numbers of a training."""


Role = Literal["train", "validation", "fold"]


class DataState(BaseModel):
    """A data version: git commit of the workspace (`rev`) and DVC's hash of `data/` (`md5`)."""

    model_config = ConfigDict(frozen=True)

    rev: str
    md5: str


class LabelledImage(BaseModel):
    """One image that a version was trained or validated on, with its label.

    Attributes
    ----------
    key
        Dataset and stem, such as `D1/stack_7`.
    role
        `train`: its pixels moved weights; `validation`: it stopped the training or set the threshold; `fold`:
        it did the first in the members that were not held out from its fold, the second in those that were.
    fold
        Number of its fold, from 0; None: it is in none.
    image_sha256, mask_sha256
        SHA-256 of the files' bytes, in hex.
    author, labelled_at, source
        Person who labelled it, time (ISO 8601) and way it came in, as noted in the dataset's `labels.csv`;
        None where the label came with the data.
    seconds
        Time that the author spent on it; None where nobody measured it.
    made_from, made_with
        Pre-segmentation that it began with, by version and hash, and the programs; None where the label came
        with the data.
    others, agreement
        Other people who labelled the image, and the Dice of the two; None where one did.
    """

    model_config = ConfigDict(frozen=True)

    key: str
    role: Role
    fold: int | None = None
    image_sha256: str
    mask_sha256: str
    author: str | None = None
    labelled_at: str | None = None
    source: str | None = None
    seconds: float | None = None
    made_from: str | None = None
    made_with: str | None = None
    others: str | None = None
    agreement: float | None = None

    @property
    def place(self) -> str:
        """Its role in words: `train`, `validation` or `fold 2`."""
        return self.role if self.fold is None else f"fold {self.fold}"


class ParentVersion(BaseModel):
    """The version whose weights a training started from, at that time.

    Attributes
    ----------
    name
        Name of the version, such as `EA-T1`.
    data
        Data version it was trained on.
    weights_sha256
        Member name -> SHA-256 of its safetensors file.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    data: DataState
    weights_sha256: dict[str, str]


class Lineage(BaseModel):
    """Data, code, parameters and weights that a version was made from.

    Attributes
    ----------
    data
        The data version it was trained on.
    git_sha
        Commit of the code and parameters; empty outside a git repository.
    parameters
        Training parameters, as in `params.yaml`.
    seeds
        Seeds by what they seed (`training`, or a member's name).
    packages
        Python and the packages that can change the numbers -> version.
    images
        Every image used: train and validation, or those of all folds.
    folds
        Member name -> number of the fold that it was not trained on; empty: there were no folds.
    trained_on
        Member name -> keys of the images that moved its weights, also before the training began from its
        parent's; empty in files of an earlier version.
    weights_sha256
        Member name -> SHA-256 of the version's own safetensors file.
    start_sha256
        Member name -> SHA-256 of the weights file its training started from; empty: from scratch.
    parent
        The version it started from; None: a first version.
    created
        When it was collected (ISO 8601, UTC).
    """

    model_config = ConfigDict(frozen=True)

    data: DataState
    git_sha: str
    parameters: dict[str, Any]
    seeds: dict[str, int]
    packages: dict[str, str]
    images: tuple[LabelledImage, ...]
    folds: dict[str, int] = {}
    trained_on: dict[str, tuple[str, ...]] = {}
    weights_sha256: dict[str, str]
    start_sha256: dict[str, str] = {}
    parent: ParentVersion | None = None
    created: str

    @property
    def first_weights(self) -> dict[str, str]:
        """Member name -> what its encoder began with before any version, as the parameters tell."""
        specs = [MemberSpec.model_validate(member) for member in self.parameters.get("members", ())]
        return {spec.name: spec.first_weights for spec in specs if spec.name in self.weights_sha256}

    @property
    def simulated_share(self) -> float:
        """Share of simulated images in every batch of its training, as the parameters tell."""
        return float(self.parameters.get("simulated_share", 0))

    def keys(self, role: Role | None = None) -> list[str]:
        """Keys of the images used, all or those of one role."""
        return [image.key for image in self.images if role in (None, image.role)]

    def n_judges(self, key: str) -> int | None:
        """Number of members that may judge an image; None: it was used by none, so all may."""
        if key in self.keys("train") or key in self.keys("validation"):
            return 0
        n_trained = sum(key in keys for keys in self.trained_on.values())
        return len(self.trained_on) - n_trained if n_trained or key in self.keys("fold") else None

    def as_parent(self, name: str) -> ParentVersion:
        """This version as the parent `name` of the next one."""
        return ParentVersion(name=name, data=self.data, weights_sha256=self.weights_sha256)

    def check_start(self) -> None:
        """Refuse a lineage whose members did not start from its parent's weights.

        Raises
        ------
        IcefloeError
            If a member's starting weights are not the parent's file, or there are some without a parent.
        """
        known = self.parent.weights_sha256 if self.parent else {}
        for member, digest in self.start_sha256.items():
            if digest != known.get(member):
                parent = self.parent.name if self.parent else "any parent"
                raise IcefloeError(
                    f"{member}: the weights it started from ({digest[:12]}) are not those of {parent}. "
                    "Start the training from the registered version's own files."
                )


def collect_lineage(
    datasets: Mapping[str, Dataset],
    *,
    train: Iterable[str] = (),
    validation: Iterable[str] = (),
    folds: Sequence[Iterable[str]] = (),
    data: "DataVersion",
    git_sha: str,
    parameters: Mapping[str, Any],
    seeds: Mapping[str, int],
    ensemble: Path,
    members: Iterable[Member] = (),
    start_sha256: Mapping[str, str] | None = None,
    parent: ParentVersion | None = None,
) -> Lineage:
    """Hash the images and labels used, look up who labelled them, and note what else made the version.

    Parameters
    ----------
    datasets
        Name -> dataset, all of the data version `data`.
    train, validation
        Keys (`D1/stack_7`) of the samples used in each role by all members.
    folds
        Keys of the samples of each fold, where members were held out from one of them each.
    ensemble
        The saved ensemble that came of it.
    members
        Its members, which say what each of them was trained on.
    data, git_sha, parameters, seeds, start_sha256, parent
        Entries of `Lineage` of the same names.

    Raises
    ------
    IcefloeError
        If a sample is not in the datasets or has no label, or a `labels.csv` cannot be read.
    """
    members = tuple(members)
    return Lineage(
        data=DataState(rev=data.rev, md5=data.md5),
        git_sha=git_sha,
        parameters=dict(parameters),
        seeds=dict(seeds),
        packages=package_versions(),
        images=(
            *_labelled(datasets, train, "train"),
            *_labelled(datasets, validation, "validation"),
            *(image for fold, keys in enumerate(folds) for image in _labelled(datasets, keys, "fold", fold)),
        ),
        folds={m.spec.name: m.fold for m in members if m.fold is not None},
        trained_on={m.spec.name: m.trained_on for m in members if m.trained_on is not None},
        weights_sha256=member_hashes(ensemble),
        start_sha256=dict(start_sha256 or {}),
        parent=parent,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _labelled(
    datasets: Mapping[str, Dataset], keys: Iterable[str], role: Role, fold: int | None = None
) -> Iterator[LabelledImage]:
    for sample in lineage_of_samples(datasets, keys):
        if sample.label_sha256 is None:
            raise IcefloeError(f"{sample.key}: it was trained on without a label. Label it, or leave it out.")
        latest = sample.labels[-1] if sample.labels else None
        yield LabelledImage(
            key=sample.key,
            role=role,
            fold=fold,
            image_sha256=sample.image_sha256,
            mask_sha256=sample.label_sha256,
            author=latest.author if latest else None,
            labelled_at=latest.time if latest else None,
            source=latest.source if latest else None,
            seconds=latest.seconds if latest else None,
            made_from=latest.making.origin.beginning() if latest else None,
            made_with=latest.making.origin.tools() if latest else None,
            others=latest.making.others if latest else None,
            agreement=latest.making.agreement if latest else None,
        )


def member_hashes(ensemble: Path) -> dict[str, str]:
    """Member name -> SHA-256 of its weights file, of every safetensors file in the folder."""
    return {path.stem: sha256_file(path) for path in sorted(ensemble.glob("*.safetensors"))}


def package_versions() -> dict[str, str]:
    """Installed versions of Python and `REPORTED_PACKAGES`."""
    found = {"python": platform.python_version()}
    for name in REPORTED_PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
