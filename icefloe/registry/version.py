"""What is known of one version of the ensemble, as objects that a command, a page or a report can show."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from icefloe.ensemble.guarantees import Guarantees
from icefloe.evaluation.promotion import PromotionReport
from icefloe.registry.history import HistoryEntry
from icefloe.registry.lineage import Lineage

NAME_PREFIX = "EA-T"


@dataclass(frozen=True)
class Version:
    """One registered version, as a row of `icefloe models list`.

    Attributes
    ----------
    number
        n of `EA-Tn`, which is MLflow's own version number.
    aliases
        Of `champion`, `challenger`, `previous`, those that point here.
    created
        ISO 8601, UTC.
    parent
        Version its training started from; None: from scratch.
    data_rev, data_md5, git_sha
        Tags `dvc.rev`, `dvc.md5`, `git.sha`.
    verdict, compared_with
        The promotion gate's, and the champion it was judged against; None: not judged, or no champion then.
    metrics
        Dataset -> metric (`dice`, `pca`, `ece`, `uq`) -> mean over its held-out images.
    run_id
        The MLflow run that holds its files.
    """

    number: int
    aliases: tuple[str, ...]
    created: str
    parent: str | None
    data_rev: str
    data_md5: str
    git_sha: str
    verdict: str | None
    compared_with: str | None
    metrics: Mapping[str, Mapping[str, float]]
    run_id: str

    @property
    def name(self) -> str:
        """`EA-Tn`."""
        return f"{NAME_PREFIX}{self.number}"

    def to_dict(self) -> dict[str, Any]:
        """Plain types, for JSON."""
        return {"name": self.name, **asdict(self)}


@dataclass(frozen=True)
class VersionDetails:
    """Everything that answers: which images, which labels, by whom and when, trained this?

    Attributes
    ----------
    version, lineage
        The version and what it was made from.
    report
        The promotion gate's latest report; None: it was never judged.
    guarantees
        What it promises of new experiments; None: it was never calibrated.
    history
        Promotions and rollbacks that this version took part in, oldest first.
    """

    version: Version
    lineage: Lineage
    report: PromotionReport | None
    guarantees: Guarantees | None
    history: tuple[HistoryEntry, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain types, for JSON."""
        return {
            "version": self.version.to_dict(),
            "lineage": self.lineage.to_dict(),
            "report": self.report.to_dict() if self.report else None,
            "guarantees": self.guarantees.model_dump() if self.guarantees else None,
            "history": [entry.to_dict() for entry in self.history],
        }

    def sections(self) -> dict[str, list[dict[str, str]]]:
        """Title -> rows of a table, each row column -> text; what `icefloe models show` prints."""
        version, lineage = self.version, self.lineage
        facts = {
            "version": version.name,
            "aliases": ", ".join(version.aliases) or "–",
            "created": version.created,
            "parent": version.parent or "from scratch",
            "data": f"{version.data_rev[:12]} (dvc {version.data_md5[:12]})",
            "parent's data": f"{lineage.parent.data.rev[:12]} (dvc {lineage.parent.data.md5[:12]})"
            if lineage.parent
            else "–",
            "code": version.git_sha[:12] or "–",
            "gate": self.report.sentence() if self.report else "not judged",
        }
        return {
            "Version": [{"what": what, "value": value} for what, value in facts.items()],
            "Held-out images": [
                {"dataset": dataset, **{metric: f"{value:.4f}" for metric, value in metrics.items()}}
                for dataset, metrics in version.metrics.items()
            ],
            "Members": [
                {
                    "member": member,
                    "weights": digest[:12],
                    "started from": lineage.start_sha256.get(member, "scratch")[:12],
                }
                for member, digest in lineage.weights_sha256.items()
            ],
            "Images and labels": [
                {
                    "image": image.key,
                    "role": image.role,
                    "sha256": image.image_sha256[:12],
                    "label": image.mask_sha256[:12],
                    "by": image.author or "came with the data",
                    "when": image.labelled_at or "–",
                }
                for image in lineage.images
            ],
            "Guarantees": [
                {"what": line} for line in (self.guarantees.sentences() if self.guarantees else [])
            ],
            "History": [{"what": entry.sentence()} for entry in self.history],
        }
