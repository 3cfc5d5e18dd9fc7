"""What the audit of the data said last: workers write it, web processes read it."""

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from icefloe.settings import Settings
from serving.written import read_written

if TYPE_CHECKING:
    from icefloe.datasets.audit import AuditReport


class AuditedDataset(BaseModel):
    """Counts of a dataset, its share of foreground, and the best Dice without a model (None: no labels)."""

    model_config = ConfigDict(frozen=True)

    name: str
    n_images: int
    n_labelled: int
    foreground: float | None
    best_trivial_dice: float | None


class AuditResult(BaseModel):
    """What the audit found.

    Attributes
    ----------
    time
        When it began, in s since the epoch.
    sentence
        All of it in a line.
    datasets
        Counts and trivial baselines.
    problems
        A line for each image or mask that cannot be used.
    leaks
        Groups of duplicates on two sides of the split.
    duplicates
        Groups of images that show the same.
    agreement
        Dice between two labels of the same image, by the two images.
    """

    model_config = ConfigDict(frozen=True)

    time: float
    sentence: str
    datasets: tuple[AuditedDataset, ...]
    problems: tuple[str, ...]
    leaks: tuple[str, ...]
    duplicates: tuple[str, ...]
    agreement: dict[str, float]

    @classmethod
    def of(cls, report: "AuditReport", time: float) -> "AuditResult":
        """The form in which the service shows a report."""
        return cls(
            time=time,
            sentence=report.sentence(),
            datasets=tuple(
                AuditedDataset(
                    name=one.name,
                    n_images=one.n_images,
                    n_labelled=one.n_labelled,
                    foreground=one.foreground,
                    best_trivial_dice=max((score.dice for score in one.baselines.values()), default=None),
                )
                for one in report.datasets
            ),
            problems=report.problems,
            leaks=tuple(", ".join(group.keys) for group in report.leaks),
            duplicates=tuple(f"{group.kind}: {', '.join(group.keys)}" for group in report.groups),
            agreement={" = ".join(pair.keys): pair.agreement.dice for pair in report.annotators},
        )


def audit_file(settings: Settings) -> Path:
    """The file of the last audit."""
    return settings.state / "served" / "audit.json"


def read_audit(settings: Settings) -> AuditResult | None:
    """The last audit; None before the first.

    Raises
    ------
    IcefloeError
        If the file is not a worker's.
    """
    return read_written(AuditResult, audit_file(settings), "Remove it, and audit again.")
