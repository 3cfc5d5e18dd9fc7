"""Writing results into the artifacts that the KFP page shows, and messages of a step."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from icefloe.progress import Lines
from icefloe.report.figures import html_page

if TYPE_CHECKING:
    from kfp.dsl import HTML, ClassificationMetrics, Markdown, Metrics
    from matplotlib.figure import Figure

    from icefloe.evaluation.evaluate import Evaluation

MESSAGE_PREFIX = "icefloe: "
"""Lines of a step with this prefix are shown to the user; the rest goes to the log only."""


class HasMarkdown(Protocol):
    """A result with a Markdown form."""

    def to_markdown(self) -> str: ...


def tell(line: str) -> None:
    """Print a line for the user of the run."""
    print(f"{MESSAGE_PREFIX}{line}", flush=True)


step_progress = Lines(tell)
"""Progress of long work in a step."""


def write_findings(findings: Markdown, result: HasMarkdown) -> None:
    """Write a result as Markdown."""
    Path(findings.path).write_text(result.to_markdown(), encoding="utf-8")


def write_figure(page: HTML, title: str, figure: Figure, text: str = "") -> None:
    """Write a page with one figure."""
    Path(page.path).write_text(html_page(title, figure, text=text), encoding="utf-8")


def write_numbers(metrics: Metrics, numbers: Mapping[str, float]) -> None:
    """Log numbers by name."""
    for name, value in numbers.items():
        metrics.log_metric(name, value)


def write_curves(curves: ClassificationMetrics, evaluation: Evaluation) -> None:
    """Log the confusion matrix of all datasets, and the ROC curve of the first that has one."""
    confusion: Any = [list(row) for row in evaluation.confusion]
    curves.log_confusion_matrix(list(evaluation.classes), confusion)
    for point in evaluation.roc_points():
        curves.log_roc_data_point(*point)
