"""Choosing among candidates by their scores on the validation images; no torch here."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic import computed_field

from icefloe.errors import IcefloeError
from icefloe.result import Result
from icefloe.tables import Table
from icefloe.training.members import MembersDir, class_masks
from icefloe.training.records import MemberReceipt
from icefloe.training.rule import PruningReceipt, PruningRule
from icefloe.typing import IGNORE, MaskArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLLAPSE = 0.5
"""Share of the candidates' disagreement below which that of the members kept counts as collapsed."""


LATE = 0.9
"""A member whose best epoch lies in the last tenth of its epochs was still learning."""


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
    provisional
        Why members are kept that do not pass, and what would settle it, in one sentence; empty if there are
        none.
    """

    rule: PruningRule
    receipts: tuple[PruningReceipt, ...]
    disagreement_before: float | None
    disagreement_after: float | None
    warnings: tuple[str, ...]
    provisional: str = ""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def kept(self) -> tuple[str, ...]:
        """Names of the members kept."""
        return tuple(receipt.name for receipt in self.receipts if receipt.kept)

    def sentence(self) -> str:
        """The number kept, and why some are that do not pass, or the first warning."""
        kept = f"{len(self.kept)} of {len(self.receipts)} members are kept: {', '.join(self.kept)}."
        return " ".join([kept, *([self.provisional] if self.provisional else self.warnings[:1])])

    def table(self) -> Table:
        """One row per candidate."""
        return receipts_table(self.receipts)

    def plot(self, ax: Axes) -> None:
        """Every candidate's accuracy and IoU, and the limits that it must exceed."""
        names = [receipt.name for receipt in self.receipts]
        for attribute, label, marker in (("accuracy", "pixel accuracy", "o"), ("iou", "IoU", "s")):
            values = [getattr(receipt, attribute) for receipt in self.receipts]
            ax.plot(values, range(len(names)), marker, label=label)
        baselines = [(r.baseline_iou, y) for y, r in enumerate(self.receipts) if r.baseline_iou is not None]
        if baselines:
            ax.plot(*zip(*baselines, strict=True), "x", color="0.4", label="best baseline's IoU")
        if self.rule.min_accuracy > 0:
            ax.axvline(self.rule.min_accuracy, color="C0", linewidth=1, linestyle="--")
        if self.rule.min_iou is not None:
            ax.axvline(self.rule.min_iou, color="C1", linewidth=1, linestyle="--")
        ax.set_yticks(range(len(names)), names)
        ax.set_ylim(len(names) - 0.5, -0.5)
        ax.set_xlabel("on the validation images; dashed: must be exceeded")
        ax.legend(frameon=False)

    def to_markdown(self) -> str:
        """Why the version is provisional, the table of candidates, their disagreement, then the warnings."""
        lines = [f"**Provisional.** {self.provisional}\n"] if self.provisional else []
        lines.append(self.table().markdown())
        if self.disagreement_before is not None:
            after = "no pair" if self.disagreement_after is None else f"{self.disagreement_after:.4f}"
            lines.append(f"Mean pairwise disagreement: {self.disagreement_before:.4f} before, {after} after.")
        lines.extend(f"**Warning:** {warning}" for warning in self.warnings)
        return "\n".join(lines) + "\n"


def prune(members: MembersDir, rule: PruningRule) -> PruningResult:
    """Keep the candidates that the rule lets pass, or the best where too few do.

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
    passed = tuple(map(rule.judge, members.receipts))
    receipts = _filled_up(passed, rule.keep_best)
    kept = [receipt.name for receipt in receipts if receipt.kept]
    if not kept:
        nearest = max(passed, key=_rank)
        raise IcefloeError(
            f"{members.path}: none of {len(passed)} members passes pruning (the best, {nearest.name}: "
            f"{nearest.reason}). Label more images, or keep the best two all the same (keep_best: 2).\n"
            + receipts_table(passed).markdown().rstrip()
        )
    before, after = (None, None) if members.folds else _disagreements(members, kept)
    return PruningResult(
        rule=rule,
        receipts=receipts,
        disagreement_before=before,
        disagreement_after=after,
        warnings=_warnings(kept, before, after),
        provisional=_provisional(passed, receipts, members.receipts),
    )


def _disagreements(members: MembersDir, kept: Sequence[str]) -> tuple[float | None, float | None]:
    """Of all candidates, and of those kept, on their common validation images."""
    masks = {name: class_masks(members.validation_probabilities(name)) for name in members.names}
    reference = members.validation_masks(members.names[0])
    every, these = list(masks.values()), [masks[name] for name in kept]
    return mean_disagreement(every, reference), mean_disagreement(these, reference)


def _rank(receipt: PruningReceipt) -> tuple[float, float]:
    return receipt.iou, -receipt.brier


def _filled_up(receipts: Sequence[PruningReceipt], least: int) -> tuple[PruningReceipt, ...]:
    """The receipts, with so many of the best others kept that there are `least`."""
    others = sorted((receipt for receipt in receipts if not receipt.kept), key=_rank, reverse=True)
    n_missing = max(0, least - (len(receipts) - len(others)))
    added = {receipt.name for receipt in others[:n_missing]}
    return tuple(
        receipt.model_copy(update={"kept": True, "reason": f"among the best, although {receipt.reason}"})
        if receipt.name in added
        else receipt
        for receipt in receipts
    )


def _provisional(
    passed: Sequence[PruningReceipt], kept: Sequence[PruningReceipt], candidates: Sequence[MemberReceipt]
) -> str:
    """Why members are kept that do not pass, and what would settle it; empty if all kept pass."""
    added = [before for before, after in zip(passed, kept, strict=True) if after.kept and not before.kept]
    if not added:
        return ""
    n_passed, n_kept = (sum(receipt.kept for receipt in receipts) for receipts in (passed, kept))
    best = max(added, key=_rank)
    only = f"Only {n_passed}" if n_passed else "None"
    trained = {candidate.name: candidate for candidate in candidates}
    return (
        f"{only} of {len(passed)} members passes the bar ({best.name}: {best.reason}), "
        f"so the best {n_kept} are kept all the same; "
        f"{_listed(_remedies([trained[receipt.name] for receipt in added]))} would settle it."
    )


def _remedies(candidates: Sequence[MemberReceipt]) -> list[str]:
    """What candidates that do not pass lack."""
    late = any(candidate.best_epoch > LATE * candidate.epochs for candidate in candidates)
    random = any(candidate.pretrained_sha256 is None is candidate.started_from for candidate in candidates)
    wanted = {"more labels": True, "longer training": late, "pre-trained weights": random}
    return [remedy for remedy, applies in wanted.items() if applies]


def _listed(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


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
            "best baseline's IoU": r.baseline_iou,
            "errors removed": r.error_reduction,
            "seconds": r.seconds,
            "kept": "yes" if r.kept else "no",
            "why": r.reason,
        }
        for r in receipts
    ]
    four = dict.fromkeys(("accuracy", "IoU", "Dice", "Brier", "ECE", "best baseline's IoU"), ".4f")
    return Table.of(rows, four | {"errors removed": ".0%", "seconds": ".0f"})


def _warnings(kept: Sequence[str], before: float | None, after: float | None) -> tuple[str, ...]:
    if len(kept) == 1:
        return (f"Only {kept[0]} is left: one member has no disagreement, so there is no uncertainty.",)
    if before and after is not None and after < COLLAPSE * before:
        return (
            f"The members kept disagree on {after:.2%} of the pixels, all candidates on {before:.2%}: "
            "uncertainty from the members kept will be low whether or not they are right.",
        )
    return ()
