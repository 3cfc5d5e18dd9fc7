"""The gate's figure."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from icefloe.drift.attribution import UNKNOWN, Attribution
from icefloe.drift.report import GateReport
from icefloe.drift.results import EvidenceResult

_COLUMNS = 6
_BENCHMARK, _NEW, _BAND = "#4477aa", "#ee6677", "#dddddd"


def draw_report(report: GateReport, figure: Figure | None = None) -> Figure:
    """A panel for each deciding quantity: images as dots, the range without alarm, the mean's interval.

    The last panel, if the dataset was not accepted, has the probabilities of what moved.
    """
    shown = [result for result in report.evidence if result.decides]
    n_panels = len(shown) + (report.attribution is not None)
    n_columns = min(max(n_panels, 2), _COLUMNS)
    n_rows = -(-max(n_panels, 1) // n_columns)
    figure = figure or Figure(figsize=(2.5 * n_columns, 3.0 * n_rows + 0.2), layout="constrained")
    figure.suptitle(f"{report.dataset}: {report.outcome}")
    if not shown:
        axes = figure.subplots()
        axes.axis("off")
        axes.text(0.5, 0.5, report.sentence(), ha="center", va="center", wrap=True)
        return figure
    panels = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for axes, result in zip(panels, shown, strict=False):
        _draw_quantity(axes, result, report.dataset)
    if report.attribution is not None:
        _draw_causes(panels[len(shown)], report.attribution)
    for axes in panels[n_panels:]:
        axes.axis("off")
    return figure


def _draw_causes(axes: Axes, attribution: Attribution) -> None:
    names = ["several,\nunknown" if name == UNKNOWN else name for name in attribution.probabilities]
    axes.barh(range(len(names)), list(attribution.probabilities.values()), color=_NEW)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set(xlim=(0, 1), xlabel="probability")
    axes.invert_yaxis()
    axes.set_title("what moved", fontsize=8)


def _draw_quantity(axes: Axes, result: EvidenceResult, dataset: str) -> None:
    unit = result.reference_mean if result.is_ratio else 1.0
    upper = unit * result.threshold
    lower = unit / result.threshold if result.is_ratio and result.alternative == "two-sided" else 0.0
    axes.axhspan(lower, upper, color=_BAND, zorder=0)
    labels = [*result.reference_values, dataset]
    for position, values in enumerate([*result.reference_values.values(), result.new_values]):
        colour = _NEW if position == len(labels) - 1 else _BENCHMARK
        # Time runs from left to right within an experiment, so a trend is seen as one.
        steps = [position + 0.5 * (i / max(len(values) - 1, 1) - 0.5) for i in range(len(values))]
        axes.plot(steps, values, "o", color=colour, markersize=3, alpha=0.7)
    middle, low, high = (unit * value for value in (result.effect, result.low, result.high))
    axes.errorbar(
        [len(labels) - 1],
        [middle],
        [[middle - low], [high - middle]],
        fmt="_",
        color="black",
        capsize=4,
        zorder=3,
    )
    axes.set_xticks(range(len(labels)), labels, rotation=45 if len(labels) > 3 else 0)
    axes.set_xlim(-0.6, len(labels) - 0.4)
    if result.is_ratio:
        axes.set_yscale("log")
        # Ranges are often a fraction of a decade, where logarithmic ticks would leave the axis bare.
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.tick_params(axis="y", labelsize=8)
    else:
        axes.set_ylim(bottom=0)
    p = result.adjusted_p_value
    axes.set_title(f"{result.words}\n{'ALARM, ' if result.significant else ''}p = {p:.2g}", fontsize=8)
