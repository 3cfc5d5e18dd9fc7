"""The version that a retraining starts from."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors.numpy

from icefloe.ensemble.manifest import Manifest, Member, check_weights


@dataclass(frozen=True)
class PreviousVersion:
    """An ensemble's directory, read for its members' weights.

    Attributes
    ----------
    path
        Directory of its ensemble.
    name
        Name of the version, such as `EA-T1`.
    members
        Members of that version, by the names of their specs.
    """

    path: Path
    name: str
    members: Mapping[str, Member]

    @classmethod
    def load(cls, path: Path) -> "PreviousVersion":
        """Read the ensemble's manifest.

        Raises
        ------
        IcefloeError
            If there is no ensemble.
        """
        manifest = Manifest.load(path)
        return cls(path, manifest.name, {member.spec.name: member for member in manifest.members})

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the members."""
        return tuple(self.members)

    def trained_on(self, otherwise: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Member -> keys of the images that moved its weights; `otherwise` where a version does not say."""
        return {
            name: tuple(otherwise) if member.trained_on is None else member.trained_on
            for name, member in self.members.items()
        }

    def weights(self, name: str) -> tuple[Mapping[str, np.ndarray], str]:
        """A member's weights and buffers by name, and the hash of their file.

        Raises
        ------
        IcefloeError
            If the file is missing or is not the one that the manifest names.
        """
        member = self.members[name]
        check_weights(member, self.path / member.file)
        return safetensors.numpy.load_file(self.path / member.file), member.sha256
