"""The promotion gate's intervals as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from icefloe.evaluation.promotion import PromotionReport


def intervals_figure(report: PromotionReport) -> Figure:
    """Differences challenger minus champion with their intervals, one panel a metric."""
    from matplotlib.figure import Figure

    metrics = list(dict.fromkeys(comparison.metric for comparison in report.comparisons))
    datasets = {comparison.dataset for comparison in report.comparisons}
    figure = Figure(figsize=(3.6 * len(metrics), 1.2 + 0.45 * len(datasets)), layout="constrained")
    for axis, metric in zip(figure.subplots(1, len(metrics), squeeze=False)[0], metrics, strict=True):
        report.plot(axis, metric)
    return figure
