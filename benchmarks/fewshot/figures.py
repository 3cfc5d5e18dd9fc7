"""Figures of docs/fewshot.md."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.fewshot.accuracy import Accuracies
from benchmarks.fewshot.calibration import FITTED, PLAIN, PUBLISHED, Calibration, pooled
from benchmarks.fewshot.draws import SUPPORTS, spread
from benchmarks.fewshot.limits import Outcome
from benchmarks.fewshot.next_labels import Curves
from benchmarks.fewshot.scenes import Scene
from icefloe.fewshot.figures import draw_image
from icefloe.fewshot.styles import colour
from icefloe.files import write_bytes_atomic
from icefloe.report.figures import png

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "figures"
_MARKERS = "osD^v<>pP*hX"
_LEAST = 0.005
"""Share of the chips that a point of a reliability curve stands for, at least."""


def save(figure: Figure, name: str, folder: Path) -> None:
    """Write `fewshot-NAME.png`."""
    write_bytes_atomic(folder / f"fewshot-{name}.png", png(figure, dpi=110))


def accuracy_figure(found: Accuracies) -> Figure:
    """Accuracy and balanced accuracy against supports; bars hold 95 % of the draws."""
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    names = list(dict.fromkeys(name for name, _ in found.scores))
    for axes, what in zip(figure.subplots(1, 2), ("accuracy", "balanced"), strict=True):
        for position, name in enumerate(names):
            of_n = [spread([getattr(one, what) for one in found.scores[name, n]]) for n in SUPPORTS]
            x = np.arange(len(SUPPORTS)) + 0.05 * (position - len(names) / 2)
            errors = np.maximum(
                [[one.mean - one.low for one in of_n], [one.high - one.mean for one in of_n]], 0
            )
            axes.errorbar(
                x,
                [one.mean for one in of_n],
                errors,
                color=colour(position),
                marker=_MARKERS[position % len(_MARKERS)],
                markersize=4,
                linewidth=1,
                capsize=2,
                label=name,
            )
        axes.set_xticks(range(len(SUPPORTS)), [str(n) for n in SUPPORTS])
        told = "balanced accuracy" if what == "balanced" else what
        axes.set(xlabel="supports a class", ylabel=told, ylim=(0, 1.02))
        axes.grid(alpha=0.3)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right center", fontsize=8)
    return figure


def next_figure(curves: Curves) -> Figure:
    """Both choices against labels; bands hold 95 % of the draws."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, what in zip(figure.subplots(1, 2), ("accuracy", "balanced"), strict=True):
        for position, (name, found) in enumerate(curves.scores.items()):
            values = np.array([[getattr(one, what) for one in of_draw] for of_draw in found])
            low, high = np.quantile(values, (0.025, 0.975), axis=0)
            axes.fill_between(curves.labels, low, high, color=colour(position), alpha=0.2, linewidth=0)
            marker = _MARKERS[position]
            axes.plot(curves.labels, values.mean(axis=0), color=colour(position), marker=marker, label=name)
        told = "balanced accuracy" if what == "balanced" else what
        axes.set(xlabel="labels", ylabel=f"{told}, chips held out", ylim=(None, 1.01))
        axes.legend(fontsize=8, loc="lower right")
        axes.grid(alpha=0.3)
    return figure


def reliability_figure(found: Calibration, supports: Sequence[int] = (2, 5, 10)) -> Figure:
    """Share that is right against the highest probability, of all draws together."""
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    for axes, n in zip(figure.subplots(1, len(supports)), supports, strict=True):
        axes.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle=":")
        for position, kind in enumerate((PUBLISHED, PLAIN, FITTED)):
            bins = pooled(found, kind, n)
            observed, told = bins.curve()
            is_told = bins.count[bins.count > 0] >= _LEAST * bins.count.sum()
            observed, told = observed[is_told], told[is_told]
            axes.plot(told, observed, color=colour(position), marker=_MARKERS[position], label=kind)
        axes.set(
            xlabel="highest probability", title=f"{n} supports a class", xlim=(0.3, 1.02), ylim=(0, 1.02)
        )
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("share that is right")
    figure.axes[0].legend(fontsize=8, loc="lower right")
    return figure


def limits_figure(
    outcomes: dict[float, list[Outcome]], examples: Sequence[tuple[str, Scene, np.ndarray]]
) -> Figure:
    """Shares that are right against the edge, and maps of one image beside its mask."""
    figure = Figure(figsize=(4.2 + 3.2 * len(examples), 4.4), layout="constrained")
    first, *rest = figure.subplots(1, 1 + len(examples), width_ratios=[1.3] + [1.0] * len(examples))
    _draw_edges(first, outcomes)
    for axes, (title, scene, found) in zip(rest, examples, strict=True):
        draw_image(axes, scene.image)
        painted = found if found.ndim == 2 else scene.grid.painted(found.astype(np.int16), -1)
        shades = np.zeros((*painted.shape, 4), np.float32)
        for position, _ in enumerate(scene.names):
            red, green, blue = (int(colour(position)[at : at + 2], 16) / 255 for at in (1, 3, 5))
            shades[painted == position] = (red, green, blue, 0.5)
        axes.imshow(shades)
        axes.set_title(title, fontsize=9)
    return figure


def _draw_edges(axes: Axes, outcomes: dict[float, list[Outcome]]) -> None:
    edges = [np.mean([one.edge for one in of_factor]) for of_factor in outcomes.values()]
    shown = {
        "pixels, if all chips were right": "best",
        "pixels right": "pixels",
        "chips of one phase right": "of_pure",
        "chips right": "accuracy",
        "mixed chips right": "of_mixed",
    }
    for position, (told, name) in enumerate(shown.items()):
        values = [np.nanmean([getattr(one, name) for one in of_factor]) for of_factor in outcomes.values()]
        axes.plot(edges, values, color=colour(position), marker=_MARKERS[position], label=told)
    axes.set(xlabel="chip edge, px", ylabel="share that is right", xscale="log")
    axes.set_xticks(edges, [f"{edge:.0f}" for edge in edges])
    axes.minorticks_off()
    axes.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2)
    axes.grid(alpha=0.3)
