"""Families of versions: EA-Tn, and those that other learning systems add, each numbered on its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import icefloe.ensemble
import icefloe.fewshot
from icefloe.errors import IcefloeError
from icefloe.registry.admission import check_weights

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

    from icefloe.ensemble.guarantees import Guarantees
    from icefloe.ensemble.segmenter import Segmenter
    from icefloe.registry.lineage import Lineage

_NAME = re.compile(r"([A-Z][A-Z0-9]*)-T\d+", re.ASCII)
_FIRST = "EA"
"""The family that a study's registered model was named after."""


@dataclass(frozen=True)
class Family:
    """One kind of learning system.

    Attributes
    ----------
    prefix
        First part of its versions' names: `EA` of `EA-T2`. Capital letters and digits.
    title
        Name of the kind of model in a few words, for MLflow's pages.
    load
        Makes a `Segmenter` of a version's folder; the second argument is what the version has been
        calibrated to promise since it was registered, None where it was not.
    model_code
        The Python file that MLflow runs to serve a version; it finds the folder as the artifact `ensemble`.
    check
        Refuses a folder whose files are not those of the lineage, with an `IcefloeError`.
    signature
        MLflow's signature of versions by their number of classes: what `model_code` takes and gives; None:
        it does not say.
    """

    prefix: str
    title: str
    load: Callable[[Path, Guarantees | None], Segmenter]
    model_code: Path
    check: Callable[[Path, Lineage], None] = check_weights
    signature: Callable[[int], ModelSignature] | None = None

    def version_name(self, number: int | str) -> str:
        """`EA-Tn`."""
        return f"{self.prefix}-T{number}"

    def number(self, name: str) -> str | None:
        """n of `EA-Tn`; None for a name that is not of this family."""
        return name.removeprefix(f"{self.prefix}-T") if family_named(name) is self else None

    def registered_model(self, study: str) -> str:
        """MLflow's registered model of this family in a study.

        The study's own name, `icefloe-ea`, is that of the EA versions; that of ELIT is `icefloe-elit`.
        """
        return study if self.prefix == _FIRST else f"{study.removesuffix('-ea')}-{self.prefix.lower()}"


_families: dict[str, Family] = {}


def add_family(family: Family) -> Family:
    """Add a family to the table, for all registries of this process.

    Raises
    ------
    IcefloeError
        If the prefix is not valid, or another family has it.
    """
    if not _NAME.fullmatch(family.version_name(1)):
        raise IcefloeError(
            f"{family.prefix!r}: not a valid prefix of versions. Use capital letters and digits."
        )
    if _families.setdefault(family.prefix, family) is not family:
        raise IcefloeError(f"{family.prefix}: a family has this prefix already. Choose another prefix.")
    return family


def families() -> tuple[Family, ...]:
    """All families known, in the order they were added."""
    return tuple(_families.values())


def family_named(version: str) -> Family | None:
    """The family of a version's name, such as `ELIT-T2`; None for an alias, or a name of no known family."""
    name = _NAME.fullmatch(version)
    return _families.get(name[1]) if name else None


def _load_ensemble(folder: Path, guarantees: Guarantees | None) -> Segmenter:
    from icefloe.ensemble.ensemble import Ensemble

    ensemble = Ensemble.load(folder)
    if guarantees is None:
        return ensemble
    return ensemble.with_manifest(ensemble.manifest.model_copy(update={"guarantees": guarantees}))


def _ensemble_signature(n_classes: int) -> ModelSignature:
    from icefloe.registry.signature import ensemble_signature

    return ensemble_signature(n_classes)


def _load_few_shot(folder: Path, guarantees: Guarantees | None) -> Segmenter:
    from icefloe.fewshot.model import FewShotModel

    return FewShotModel.load(folder, guarantees)


def _check_few_shot(folder: Path, lineage: Lineage) -> None:
    from icefloe.fewshot.model_folder import check_folder

    check_folder(folder)
    check_weights(folder, lineage)


EA = add_family(
    Family(
        prefix=_FIRST,
        title="ensemble averaging",
        load=_load_ensemble,
        model_code=Path(icefloe.ensemble.__path__[0], "pyfunc.py"),
        signature=_ensemble_signature,
    )
)
FS = add_family(
    Family(
        prefix="FS",
        title="few-shot classification of chips",
        load=_load_few_shot,
        model_code=Path(icefloe.fewshot.__path__[0], "pyfunc.py"),
        check=_check_few_shot,
        signature=_ensemble_signature,
    )
)
