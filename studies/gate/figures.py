"""Figures of the gate's statistics."""

import numpy as np
from matplotlib.figure import Figure

from icefloe.drift.patterns import UNKNOWN
from icefloe.simulate.standard import describe_shift
from studies.gate.confusion import Confusion
from studies.gate.rates import WANTED_POWER, Detections
from studies.gate.simulation import CAUSES

_COLOURS = ("#bbccee", "#77aadd", "#4477aa", "#222255")


def power_figure(detections: Detections, alpha: float) -> Figure:
    """Share not accepted against strength, a panel a cause, a line a number of images."""
    figure = Figure(figsize=(10, 5), layout="constrained")
    panels = figure.subplots(2, 4, sharey=True).ravel()
    strengths = detections.strengths
    for axes, cause in zip(panels, CAUSES, strict=False):
        for n, colour in zip(detections.alarms, _COLOURS, strict=False):
            rates = [detections.rate(n, cause, strength) for strength in strengths]
            axes.plot(
                strengths, [r.share for r in rates], "o-", color=colour, markersize=3, label=f"{n} images"
            )
        axes.axhline(alpha, color="black", linestyle=":", linewidth=0.8)
        axes.axhline(WANTED_POWER, color="black", linestyle="--", linewidth=0.8)
        axes.set_xscale("log")
        axes.set_xticks(strengths, [f"{strength:g}" for strength in strengths], fontsize=7)
        axes.minorticks_off()
        axes.set_xlabel(f"1 is {describe_shift(cause, 1.0)}".replace(", ", ",\n"), fontsize=7)
        axes.set_title(cause, fontsize=9)
        axes.set_ylim(-0.03, 1.03)
    for axes in panels[len(CAUSES) :]:
        axes.axis("off")
    panels[0].set_ylabel("share not accepted")
    handles, labels = panels[0].get_legend_handles_labels()
    panels[-1].legend(handles, labels, loc="center", frameon=False)
    return figure


def confusion_figure(confusion: Confusion) -> Figure:
    """Shares of each row, with its counts."""
    counts = confusion.counts
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(1.6 + 0.95 * counts.shape[1], 1.4 + 0.6 * counts.shape[0]), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, vmin=0, vmax=1, cmap="Blues", aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        if count:
            dark = shares[row, column] > 0.5
            axes.text(column, row, str(count), ha="center", va="center", color="white" if dark else "black")
    names = [
        "several or\nunknown" if name == UNKNOWN else name.replace(" or ", "\nor ").replace(" of ", "\nof ")
        for name in confusion.answers
    ]
    axes.set_xticks(range(len(names)), names, fontsize=8)
    axes.set_yticks(range(len(confusion.truths)), confusion.truths, fontsize=8)
    axes.set(xlabel="the gate says", ylabel="simulated")
    axes.set_title("experiments; colour: share of the row", fontsize=8)
    return figure
