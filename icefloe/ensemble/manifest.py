"""`ensemble.yaml`: everything of an ensemble but its weights."""

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator

from icefloe.ensemble.guarantees import Guarantees
from icefloe.ensemble.rows import ImageRow
from icefloe.errors import IcefloeError
from icefloe.files import read_yaml, sha256_file
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec, require_unique_names
from icefloe.typing import Views
from icefloe.validation import validated

MANIFEST = "ensemble.yaml"


class Member(BaseModel):
    """One member: what it is, and the hash of its weights, which lie in `<name>.safetensors`.

    Attributes
    ----------
    spec
        Architecture and first weights.
    sha256
        Hash of its weights file.
    fold
        Number of the fold that it was not trained on; None: there were no folds.
    trained_on
        Keys (`D1/stack_7`) of the images that moved its weights, in its last training or in one before that;
        None: not known, in a file of an earlier version.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    spec: MemberSpec
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    fold: int | None = Field(None, ge=0)
    trained_on: tuple[str, ...] | None = None

    @property
    def file(self) -> str:
        """Name of the weights file in the ensemble's directory."""
        return f"{self.spec.name}.safetensors"


class Calibration(BaseModel):
    """Calibration of threshold and temperature on the validation images.

    Attributes
    ----------
    n_images, n_pixels
        Validation images, and their pixels with a label at native size.
    ece_before, ece_after
        Expected calibration error at temperature 1 and at the fitted one.
    brier_before, brier_after
        Brier score before and after.
    roc_area
        Area under the ROC curve; None with more than two classes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_images: int
    n_pixels: int
    ece_before: float
    ece_after: float
    brier_before: float
    brier_after: float
    roc_area: float | None


class Provenance(BaseModel):
    """Origin of an ensemble: data, code and parent.

    Attributes
    ----------
    data_rev, data_md5
        Git commit of the workspace and DVC's hash of its data.
    git_sha
        Commit of Icefloe's own code, where known.
    parent
        Version whose weights the members started from; None: the zoo's own weights.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_rev: str = ""
    data_md5: str = ""
    git_sha: str = ""
    parent: str | None = None


class Manifest(BaseModel):
    """Content of `ensemble.yaml`.

    Attributes
    ----------
    format
        Version of this file's layout.
    name
        Name of the version, such as `EA-T2`.
    members
        At least two: a single one has no disagreement.
    preprocessing
        Steps from image to network input.
    classes
        Class names by mask value, background first.
    views
        Number of flips and transpositions of an image over which a member's logits are averaged, wherever
        the ensemble predicts.
    threshold
        Binary: a pixel is class 1 where the mean probability is at least this. Not used with more classes.
    temperature
        Every member's logits are divided by it.
    calibration
        How the two were found; None where they were given.
    benchmark
        One row a held-out image of the training datasets: the scores of
        `icefloe.ensemble.prediction.SCORES`, and whatever columns the drift gate adds.
    provenance
        Data, code and parent version.
    guarantees
        Intervals for areas and where to abstain; None: not calibrated.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    name: str
    members: tuple[Member, ...]
    preprocessing: Preprocessing
    classes: tuple[str, ...] = Field(min_length=2)
    views: Views = 1
    threshold: float = Field(0.5, ge=0, le=1)
    temperature: float = Field(1.0, gt=0)
    calibration: Calibration | None = None
    benchmark: tuple[ImageRow, ...] = ()
    provenance: Provenance = Provenance()
    guarantees: Guarantees | None = None

    @field_validator("members")
    @classmethod
    def _members_are_several(cls, members: tuple[Member, ...]) -> tuple[Member, ...]:
        if len(members) < 2:
            raise IcefloeError(
                f"An ensemble needs at least two members; there {'is one' if members else 'are none'}. "
                "Train more candidates, or keep the best two (pruning: keep_best: 2)."
            )
        require_unique_names([member.spec for member in members])
        return members

    @property
    def n_classes(self) -> int:
        """Number of classes, background included."""
        return len(self.classes)

    def judges(self, key: str, fold: int | None = None) -> tuple[int, ...]:
        """Positions of the members that may judge an image: those that were not trained on it.

        If some of them were held out from its fold, only those: the versions before and after the image was
        labelled are then judged by the same members. Members that do not say what they were trained on judge
        no image of a fold.

        Parameters
        ----------
        key
            Of the image, such as `D1/stack_7`.
        fold
            The fold that it is in; None: in none.
        """
        unseen = [
            position
            for position, member in enumerate(self.members)
            if (fold is None if member.trained_on is None else key not in member.trained_on)
        ]
        own = [
            position
            for position in unseen
            if self.members[position].fold is not None and self.members[position].fold == fold
        ]
        return tuple(own or unseen)

    @property
    def trained_on(self) -> frozenset[str]:
        """Keys of the images that moved a member's weights, as far as the members say."""
        return frozenset(key for member in self.members for key in member.trained_on or ())

    @classmethod
    def load(cls, directory: Path) -> "Manifest":
        """Read and check `ensemble.yaml`, without touching weights.

        Raises
        ------
        IcefloeError
            If it is missing, not YAML, or has an unknown, missing or wrong entry.
        """
        path = directory / MANIFEST
        try:
            content = read_yaml(path, "Restore the file.")
        except (FileNotFoundError, NotADirectoryError) as error:
            raise IcefloeError(
                f"{directory}: no {MANIFEST} here, so this is not an ensemble. "
                "Name the folder of a saved ensemble."
            ) from error
        return validated(cls, content, path, "Restore the file.")

    def to_yaml(self) -> str:
        """The file's text; the same content gives the same text."""
        content: dict[str, Any] = self.model_dump(mode="json")
        return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)


def check_weights(member: Member, path: Path) -> None:
    """Refuse weights that are not those the manifest names.

    Raises
    ------
    IcefloeError
        If the file is missing or its hash differs.
    """
    if not path.is_file():
        raise IcefloeError(f"{path}: the weights are missing. Copy the ensemble's whole folder again.")
    found = sha256_file(path)
    if found != member.sha256:
        raise IcefloeError(
            f"{path}: the weights are not those of {MANIFEST} (SHA-256 {found[:12]}..., "
            f"not {member.sha256[:12]}...). Copy the ensemble's whole folder again."
        )
