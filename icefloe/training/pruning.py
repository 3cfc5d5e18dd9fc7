"""Choosing among candidates by their accuracy on the validation images; no torch here."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, computed_field

from icefloe.errors import IcefloeError
from icefloe.result import Result
from icefloe.tables import Table
from icefloe.training.members import MembersDir, class_masks
from icefloe.training.records import MemberReceipt
from icefloe.typing import IGNORE, MaskArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLLAPSE = 0.5
"""Share of the candidates' disagreement below which that of the members kept counts as collapsed."""


class PruningRule(BaseModel):
    """When a candidate joins the ensemble.

    Attributes
    ----------
    min_accuracy
        Validation pixel accuracy that a candidate must exceed (97 % in Baskaran et al. 2022); equal is not
        enough.
    min_iou
        Validation IoU that it must exceed as well; empty: not asked for. Where little of an image is
        foreground, accuracy alone lets an all-background member pass.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_accuracy: float = Field(0.97, ge=0, le=1)
    min_iou: float | None = Field(None, ge=0, le=1)

    def refusal(self, accuracy: float, iou: float) -> str | None:
        """The reason why a candidate is not kept; None if it is."""
        if not accuracy > self.min_accuracy:
            return f"accuracy {accuracy:.4f} is not above {self.min_accuracy:g}"
        if self.min_iou is not None and not iou > self.min_iou:
            return f"IoU {iou:.4f} is not above {self.min_iou:g}"
        return None


class PruningReceipt(BaseModel):
    """Decision on one candidate, with its scores on the validation images."""

    model_config = ConfigDict(frozen=True)

    name: str
    accuracy: float
    iou: float
    dice: float
    brier: float
    ece: float
    seconds: float
    kept: bool
    reason: str


class PruningResult(Result):
    """Which candidates were kept.

    Attributes
    ----------
    rule
        Rule that was applied.
    receipts
        One receipt for each candidate, in order.
    disagreement_before, disagreement_after
        Share of validation pixels on which two candidates' masks differ, mean over pairs; of all candidates,
        and of those kept. None where there is no pair, or the candidates were validated on different folds.
    warnings
        Sentences; empty if nothing is amiss.
    """

    rule: PruningRule
    receipts: tuple[PruningReceipt, ...]
    disagreement_before: float | None
    disagreement_after: float | None
    warnings: tuple[str, ...]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def kept(self) -> tuple[str, ...]:
        """Names of the members kept."""
        return tuple(receipt.name for receipt in self.receipts if receipt.kept)

    def sentence(self) -> str:
        """The number kept, and the first warning."""
        kept = f"{len(self.kept)} of {len(self.receipts)} members are kept: {', '.join(self.kept)}."
        return " ".join([kept, *self.warnings[:1]])

    def table(self) -> Table:
        """One row per candidate."""
        return receipts_table(self.receipts)

    def plot(self, ax: Axes) -> None:
        """Every candidate's accuracy and IoU, and the limits that it must exceed."""
        names = [receipt.name for receipt in self.receipts]
        for attribute, label, marker in (("accuracy", "pixel accuracy", "o"), ("iou", "IoU", "s")):
            values = [getattr(receipt, attribute) for receipt in self.receipts]
            ax.plot(values, range(len(names)), marker, label=label)
        ax.axvline(self.rule.min_accuracy, color="C0", linewidth=1, linestyle="--")
        if self.rule.min_iou is not None:
            ax.axvline(self.rule.min_iou, color="C1", linewidth=1, linestyle="--")
        ax.set_yticks(range(len(names)), names)
        ax.set_ylim(len(names) - 0.5, -0.5)
        ax.set_xlabel("on the validation images; dashed: must be exceeded")
        ax.legend(frameon=False)

    def to_markdown(self) -> str:
        """The table of candidates, their disagreement, then the warnings."""
        lines = [self.table().markdown()]
        if self.disagreement_before is not None:
            after = "no pair" if self.disagreement_after is None else f"{self.disagreement_after:.4f}"
            lines.append(f"Mean pairwise disagreement: {self.disagreement_before:.4f} before, {after} after.")
        lines.extend(f"**Warning:** {warning}" for warning in self.warnings)
        return "\n".join(lines) + "\n"


def prune(members: MembersDir, rule: PruningRule) -> PruningResult:
    """Keep the candidates that the rule lets pass.

    Parameters
    ----------
    members
        Directory of the trained candidates.
    rule
        Rule that decides which candidates are kept.

    Raises
    ------
    IcefloeError
        If none is; the table of accuracies follows the first line.
    """
    receipts = tuple(_judge(candidate, rule) for candidate in members.receipts)
    kept = [receipt.name for receipt in receipts if receipt.kept]
    if not kept:
        raise IcefloeError(
            f"{members.path}: none of {len(receipts)} members passes pruning. "
            f"Train longer, check the labels, or lower min_accuracy ({rule.min_accuracy:g}).\n"
            + receipts_table(receipts).markdown().rstrip()
        )
    before, after = (None, None) if members.folds else _disagreements(members, kept)
    return PruningResult(
        rule=rule,
        receipts=receipts,
        disagreement_before=before,
        disagreement_after=after,
        warnings=_warnings(kept, before, after),
    )


def _disagreements(members: MembersDir, kept: Sequence[str]) -> tuple[float | None, float | None]:
    """Of all candidates, and of those kept, on their common validation images."""
    masks = {name: class_masks(members.validation_probabilities(name)) for name in members.names}
    reference = members.validation_masks(members.names[0])
    every, these = list(masks.values()), [masks[name] for name in kept]
    return mean_disagreement(every, reference), mean_disagreement(these, reference)


def mean_disagreement(masks: Sequence[MaskArray], reference: MaskArray) -> float | None:
    """Disagreement of candidates with one another.

    Parameters
    ----------
    masks : uint8, each of shape (N, S, S)
        Validation masks of each candidate.
    reference : uint8, shape (N, S, S)
        Pixels that are 255 here do not count.

    Returns
    -------
    float or None
        Share of pixels on which two masks differ, mean over all pairs; None when there is no pair.
    """
    if len(masks) < 2:
        return None
    counted = reference != IGNORE
    return float(np.mean([np.mean((a != b)[counted]) for a, b in itertools.combinations(masks, 2)]))


def receipts_table(receipts: Sequence[PruningReceipt]) -> Table:
    """One row per candidate."""
    rows = [
        {
            "member": r.name,
            "accuracy": r.accuracy,
            "IoU": r.iou,
            "Dice": r.dice,
            "Brier": r.brier,
            "ECE": r.ece,
            "seconds": r.seconds,
            "kept": "yes" if r.kept else "no",
            "why": r.reason,
        }
        for r in receipts
    ]
    return Table.of(
        rows, dict.fromkeys(("accuracy", "IoU", "Dice", "Brier", "ECE"), ".4f") | {"seconds": ".0f"}
    )


def _judge(candidate: MemberReceipt, rule: PruningRule) -> PruningReceipt:
    refusal = rule.refusal(candidate.val_pca, candidate.val_iou)
    passed = f"accuracy {candidate.val_pca:.4f} is above {rule.min_accuracy:g}"
    if rule.min_iou is not None:
        passed += f", IoU {candidate.val_iou:.4f} above {rule.min_iou:g}"
    return PruningReceipt(
        name=candidate.name,
        accuracy=candidate.val_pca,
        iou=candidate.val_iou,
        dice=candidate.val_dice,
        brier=candidate.val_brier,
        ece=candidate.val_ece,
        seconds=candidate.seconds,
        kept=refusal is None,
        reason=refusal or passed,
    )


def _warnings(kept: Sequence[str], before: float | None, after: float | None) -> tuple[str, ...]:
    if len(kept) == 1:
        return (f"Only {kept[0]} is left: one member has no disagreement, so there is no uncertainty.",)
    if before and after is not None and after < COLLAPSE * before:
        return (
            f"The members kept disagree on {after:.2%} of the pixels, all candidates on {before:.2%}: "
            "uncertainty from the members kept will be low whether or not they are right.",
        )
    return ()
