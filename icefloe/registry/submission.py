"""Submission of a challenger: it is judged, registered, and promoted if it passes the gate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from icefloe.datasets.bundle import Bundle
from icefloe.ensemble.manifest import Manifest
from icefloe.evaluation.compare import compare
from icefloe.evaluation.evaluate import Evaluation
from icefloe.evaluation.promotion import PromotionReport
from icefloe.evaluation.rule import PromotionRule
from icefloe.registry.lineage import Lineage, collect_lineage
from icefloe.registry.registry import Registry
from icefloe.registry.version import Version
from icefloe.result import Result
from icefloe.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Receipt(Protocol):
    """A member's training receipt; `icefloe.training.records.MemberReceipt` is one."""

    @property
    def name(self) -> str: ...
    @property
    def init_sha256(self) -> str: ...


def describe_lineage(
    registry: Registry,
    ensemble: Path,
    bundle: Bundle,
    receipts: Iterable[Receipt],
    parameters: Mapping[str, Any],
    parent: str | None,
) -> Lineage:
    """Lineage of a challenger.

    Parameters
    ----------
    registry
        Knows the parent's data and weights.
    ensemble
        Directory of the challenger.
    bundle
        The data it was trained on.
    receipts
        Training receipts of every candidate; those not in the ensemble are left out.
    parameters
        Training parameters, as in `params.yaml`.
    parent
        Version its training started from; None: from scratch.
    """
    manifest = Manifest.load(ensemble)
    names = {member.spec.name for member in manifest.members}
    origin = registry.show(parent).lineage.as_parent(parent) if parent else None
    # A member that the parent lacks began from scratch.
    inherited = names & set(origin.weights_sha256) if origin else set()
    return collect_lineage(
        datasets=bundle.datasets,
        train=() if bundle.split.folds else bundle.split.train,
        validation=bundle.split.validation,
        folds=bundle.split.folds,
        members=manifest.members,
        data=bundle.version,
        git_sha=manifest.provenance.git_sha,
        parameters=parameters,
        seeds={"training": int(parameters.get("seed", 0))}
        | {member.spec.name: member.spec.seed for member in manifest.members},
        ensemble=ensemble,
        start_sha256={r.name: r.init_sha256 for r in receipts if r.name in inherited},
        parent=origin,
    )


class Submission(Result):
    """Outcome of a submission.

    Attributes
    ----------
    version
        The version it was registered as.
    report
        Report of the promotion gate.
    promoted
        Whether it is the champion now.
    champion
        The champion now; None: there is none.
    replaced
        The champion before, where the version has just replaced it.
    """

    version: Version
    report: PromotionReport
    promoted: bool
    champion: str | None = None
    replaced: str | None = None

    def sentence(self) -> str:
        """The version's status, the most important finding, and what to do."""
        name, provisional = self.version.name, self.version.provisional
        if self.promoted:
            replaced = self.report.champion or self.replaced
            over = f", replacing {replaced}" if replaced else ""
            if provisional:
                return f"{name} is the champion{over}, provisionally: {provisional}"
            return f"{name} is the champion{over}: {self.report.cause()}."
        if self.report.verdict == "pass":
            return (
                f"{name} passed against {self.report.against}, but the champion is "
                f"{self.champion or 'none'}. Retrain from the champion to replace it."
            )
        if self.report.provisional:
            return f"{name} stays a challenger: {provisional}"
        return self.report.sentence()

    def table(self) -> Table:
        """The gate's comparisons."""
        return self.report.table()

    def plot(self, ax: Axes) -> None:
        """The gate's differences in Dice."""
        self.report.plot(ax)

    def figure(self) -> Figure:
        """The gate's differences, a panel per metric."""
        return self.report.figure()

    def to_markdown(self) -> str:
        """The sentence, and all that the gate found."""
        return f"{self.sentence()}\n\n{self.report.details()}"


def submit(
    registry: Registry,
    ensemble: Path,
    lineage: Lineage,
    evaluation: Evaluation,
    rule: PromotionRule,
    *,
    champion: tuple[str, Evaluation] | None = None,
    new_dataset: str | None = None,
    run_id: str | None = None,
    provisional: str = "",
) -> Submission:
    """Judge, register, and promote what passes.

    A first version that cannot be shown to beat the trivial baselines, nor to be worse, becomes champion
    provisionally where there is none: a run does not end with nothing.

    A version that was registered before, and has been judged since, is left as it is: running a pipeline
    again must not put an old version in place of its successor. Nor is one promoted that was judged against
    another champion than the present one, as when a study is trained again from scratch.

    Parameters
    ----------
    registry
        Registry of the study's versions.
    ensemble
        Directory of the challenger.
    lineage
        Data, code and parent it was made from.
    evaluation
        Evaluation of the challenger.
    champion
        Name of the champion, and its evaluation on the same images; None: a first version.
    rule
        What the challenger must show.
    new_dataset
        Dataset on which it has to be better; None: any of them.
    run_id
        MLflow run to nest it under.
    provisional
        Why members are kept that do not pass pruning; empty if all pass.

    Raises
    ------
    IcefloeError
        If the evaluations do not match, or the registry refuses the version.
    """
    version = registry.register(ensemble, lineage, evaluation, run_id=run_id, provisional=provisional)
    replaced = None
    report = registry.show(version.name).report
    if report is None:
        name, before = champion or (None, None)
        report = compare(
            evaluation,
            before,
            rule,
            new_dataset=new_dataset,
            challenger_version=version.name,
            champion_version=name,
            earlier=registry.reports(),
        )
        report = _with_warning(report, registry.champion())
        registry.attach_report(version.name, report)
        if not registry.objection(version.name):
            change = registry.promote(version.name)
            replaced = change.replaced if change else None
    present = registry.champion()
    return Submission(
        version=registry.get(version.name),
        report=report,
        promoted=present is not None and present.name == version.name,
        champion=present.name if present else None,
        replaced=replaced,
    )


def _with_warning(report: PromotionReport, champion: Version | None) -> PromotionReport:
    """The report, with a warning where the champion that it was compared with is only provisional."""
    if champion is None or champion.name != report.champion or not champion.provisional:
        return report
    return report.model_copy(update={"warnings": (*report.warnings, champion.provisional_line())})
