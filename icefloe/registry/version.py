"""Descriptions of one version for commands, pages and reports."""

from pydantic import BaseModel, ConfigDict

from icefloe.ensemble.guarantees import Guarantees
from icefloe.evaluation.promotion import PromotionReport
from icefloe.registry.history import HistoryEntry
from icefloe.registry.lineage import Lineage
from icefloe.tables import Table


class Version(BaseModel):
    """One registered version, as a row of `icefloe models list`.

    Attributes
    ----------
    name
        Name of the version, such as `EA-T2`.
    number
        n, which is MLflow's own version number.
    aliases
        Aliases that point here: `champion`, `challenger`, `previous`.
    created
        When it was registered (ISO 8601, UTC).
    parent
        Version its training started from; None: from scratch.
    data_rev, data_md5, git_sha
        Git commit of the workspace, DVC's hash of the data, and commit of the code.
    verdict, compared_with
        The promotion gate's, and the champion it was judged against; None: not judged, or no champion then.
    provisional
        Why it is only provisional, and what would settle it; empty if it is not.
    metrics
        Dataset -> metric (`dice`, `pca`, `ece`, `uq`) -> mean over its held-out images.
    run_id
        The MLflow run that holds its files.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    number: int
    aliases: tuple[str, ...]
    created: str
    parent: str | None
    data_rev: str
    data_md5: str
    git_sha: str
    verdict: str | None
    compared_with: str | None
    provisional: str = ""
    metrics: dict[str, dict[str, float]]
    run_id: str

    @property
    def gate(self) -> str | None:
        """The verdict, and whether the version is only provisional; None: neither is known."""
        words = [self.verdict, "provisional" if self.provisional else None]
        return ", ".join(word for word in words if word) or None

    @property
    def label(self) -> str:
        """`EA-T1`, or `EA-T1, provisional`."""
        return f"{self.name}, provisional" if self.provisional else self.name

    def provisional_line(self) -> str:
        """`EA-T1 is provisional: ...`; empty if it is not."""
        return f"{self.name} is provisional: {self.provisional}" if self.provisional else ""


class VersionDetails(BaseModel):
    """All that is known of a version: images, labels with authors and times, weights, gate, history.

    Attributes
    ----------
    version, lineage
        The version and what it was made from.
    report
        The promotion gate's latest report; None: it was never judged.
    guarantees
        Promises for new experiments; None: it was never calibrated.
    history
        Promotions and rollbacks that this version took part in, oldest first.
    """

    model_config = ConfigDict(frozen=True)

    version: Version
    lineage: Lineage
    report: PromotionReport | None
    guarantees: Guarantees | None
    history: tuple[HistoryEntry, ...]

    def sections(self) -> dict[str, Table]:
        """Title -> table; what `icefloe models show` prints."""
        version, lineage = self.version, self.lineage
        facts = {
            "version": version.name,
            "aliases": ", ".join(version.aliases) or None,
            "created": version.created,
            "parent": version.parent or "from scratch",
            "data": f"{version.data_rev[:12]} (dvc {version.data_md5[:12]})" if version.data_rev else None,
            "parent's data": f"{lineage.parent.data.rev[:12]} (dvc {lineage.parent.data.md5[:12]})"
            if lineage.parent
            else None,
            "simulated images": f"{lineage.simulated_share:.0%} of every training batch"
            if lineage.simulated_share
            else None,
            "code": version.git_sha[:12] or None,
            "gate": self.report.sentence() if self.report else "not judged",
            **({"provisional": version.provisional} if version.provisional else {}),
        }
        return {
            "Version": Table.of({"what": what, "value": value} for what, value in facts.items()),
            "Held-out images": Table.of(
                ({"dataset": dataset, **metrics} for dataset, metrics in version.metrics.items()),
                dict.fromkeys(("dice", "pca", "ece", "uq"), ".4f"),
            ),
            "Members": Table.of(
                {
                    "member": member,
                    "weights": digest[:12],
                    "started from": lineage.start_sha256.get(member, "scratch")[:12],
                    **(
                        {"not trained on": f"fold {lineage.folds[member]}"} if member in lineage.folds else {}
                    ),
                    "encoder's first weights": lineage.first_weights.get(member),
                }
                for member, digest in lineage.weights_sha256.items()
            ),
            "Images and labels": Table.of(
                {
                    "image": image.key,
                    "role": image.place,
                    "sha256": image.image_sha256[:12],
                    "label": image.mask_sha256[:12],
                    "by": image.author or "came with the data",
                    "when": image.labelled_at,
                    "s": None if image.seconds is None else f"{image.seconds:.0f}",
                    "made from": image.made_from,
                    "with": image.made_with,
                    "also by": image.others,
                    "Dice of the two": None if image.agreement is None else f"{image.agreement:.3f}",
                }
                for image in lineage.images
            ),
            "Guarantees": Table.of(
                {"what": line} for line in (self.guarantees.sentences() if self.guarantees else [])
            ),
            "History": Table.of({"what": entry.sentence()} for entry in self.history),
        }
