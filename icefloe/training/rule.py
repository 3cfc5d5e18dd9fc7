"""The bar that a trained candidate must clear to join the ensemble."""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from icefloe.training.records import MemberReceipt


class PruningReceipt(BaseModel):
    """Decision on one candidate, with its scores on the validation images.

    Attributes
    ----------
    name, accuracy, iou, dice, brier, ece, seconds
        Of `MemberReceipt`; the IoU is over the classes that the validation masks show.
    baseline_iou
        The best trivial baseline's IoU; None: not known, in a file of an earlier version.
    error_reduction
        Part of the most accurate baseline's errors that the candidate removes; None: not known, or none made.
    kept, reason
        Whether it is kept, and why.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    accuracy: float
    iou: float
    dice: float
    brier: float
    ece: float
    seconds: float
    baseline_iou: float | None = None
    error_reduction: float | None = None
    kept: bool
    reason: str


class PruningRule(BaseModel):
    """When a candidate joins the ensemble.

    Its IoU on the validation images must in any case exceed that of the best trivial baseline there. Where
    too few candidates pass, the best are kept all the same, and the version is provisional.

    Attributes
    ----------
    min_accuracy
        Validation pixel accuracy that a candidate must exceed (97 % in Baskaran et al. 2022); equal is not
        enough. 0: not asked for. Where little of an image is foreground, an all-background member has it too.
    min_iou
        Validation IoU that it must exceed as well; empty: not asked for.
    min_error_reduction
        Part of the most accurate trivial baseline's wrong pixels that it must get right on balance,
        `1 - (1 - accuracy) / (1 - baseline's accuracy)`; empty: not asked for. On the paper's images, where
        all background has an accuracy of .905, its 97 % asks for two thirds.
    keep_best
        Members that are kept at least: where fewer pass, the best others by IoU, then by Brier score, fill up
        their number. 0: those that do not pass are never kept, and training may end with nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_accuracy: float = Field(0.97, ge=0, le=1)
    min_iou: float | None = Field(None, ge=0, le=1)
    min_error_reduction: float | None = Field(None, ge=0, le=1)
    keep_best: int = Field(2, ge=0)

    def judge(self, candidate: MemberReceipt) -> PruningReceipt:
        """The decision on one candidate, whatever the others' scores."""
        refusal = self.refusal(candidate)
        return PruningReceipt(
            name=candidate.name,
            accuracy=candidate.val_pca,
            iou=compared_iou(candidate),
            dice=candidate.val_dice,
            brier=candidate.val_brier,
            ece=candidate.val_ece,
            seconds=candidate.seconds,
            baseline_iou=_best(candidate, "iou")[1],
            error_reduction=error_reduction(candidate),
            kept=refusal is None,
            reason=refusal or ", ".join(passed for _, passed, _ in self._findings(candidate)) or "not judged",
        )

    def refusal(self, candidate: MemberReceipt) -> str | None:
        """The first reason why a candidate does not pass; None if it does."""
        return next((refused for passes, _, refused in self._findings(candidate) if not passes), None)

    def _findings(self, candidate: MemberReceipt) -> Iterator[tuple[bool, str, str]]:
        """Of each thing asked for: whether it passes, and the words if it does and if it does not."""
        iou = compared_iou(candidate)
        name, baseline = _best(candidate, "iou")
        if baseline is not None:
            words = f"that of {name} ({baseline:.4f})"
            yield iou > baseline, f"IoU {iou:.4f} is above {words}", f"IoU {iou:.4f} is not above {words}"
        if self.min_accuracy > 0:
            accuracy, least = f"accuracy {candidate.val_pca:.4f}", f"{self.min_accuracy:g}"
            passes = candidate.val_pca > self.min_accuracy
            yield passes, f"{accuracy} is above {least}", f"{accuracy} is not above {least}"
        if self.min_iou is not None:
            least = f"{self.min_iou:g}"
            yield iou > self.min_iou, f"IoU {iou:.4f} is above {least}", f"IoU {iou:.4f} is not above {least}"
        reduction, (name, _) = error_reduction(candidate), _best(candidate, "accuracy")
        if self.min_error_reduction is not None and name:
            if reduction is None:
                yield False, "", f"{name} makes no error, so there is none to remove"
            else:
                removed = f"it removes {reduction:.0%} of the errors of {name}"
                asked = f"{self.min_error_reduction:.0%}"
                yield reduction > self.min_error_reduction, removed, f"{removed}, not more than {asked}"


def compared_iou(candidate: MemberReceipt) -> float:
    """The IoU of a candidate by which it is judged: over the classes that the validation masks show."""
    return candidate.val_iou if candidate.val_iou_labelled is None else candidate.val_iou_labelled


def error_reduction(candidate: MemberReceipt) -> float | None:
    """Part of the most accurate baseline's errors that a candidate removes; None where there is none."""
    _, best = _best(candidate, "accuracy")
    return None if best is None or best == 1 else 1 - (1 - candidate.val_pca) / (1 - best)


def _best(candidate: MemberReceipt, score: Literal["accuracy", "iou"]) -> tuple[str, float | None]:
    """Name and score of the baseline that does best; empty and None in a file of an earlier version."""
    scores = {name: getattr(baseline, score) for name, baseline in candidate.baselines.items()}
    return max(scores.items(), key=lambda item: item[1], default=("", None))
