"""Contact sheets: `python -m icefloe.simulate.figure OUT.png` draws D1-D5, `... OUT.png wide` the stream."""

import sys
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from icefloe.simulate.ice import Experiment, simulate_experiment
from icefloe.simulate.micrograph import Micrograph
from icefloe.simulate.standard import standard_datasets
from icefloe.simulate.wide import KINDS, micrographs
from icefloe.simulate.workspace import experiment_seed

SCALE_BAR_NM = 100.0


def contact_sheet(experiments: Sequence[tuple[str, Experiment]]) -> Figure:
    """One row per experiment: its composites in grey, the true boundary on the last of them, a scale bar.

    Parameters
    ----------
    experiments
        Name and experiment; all with the same number of composites.
    """
    n_columns = len(experiments[0][1].seconds)
    packed = ConstrainedLayoutEngine(w_pad=0.01, h_pad=0.01, wspace=0.0, hspace=0.0)
    figure = Figure(figsize=(2.0 * n_columns, 2.12 * len(experiments)), facecolor="black", layout=packed)
    grid = figure.subplots(len(experiments), n_columns, squeeze=False)
    for axes, (name, experiment) in zip(grid, experiments, strict=True):
        low, high = np.percentile(experiment.images, [0.5, 99.7])
        bar_px = SCALE_BAR_NM / experiment.spec.pixel_size_nm
        for column, ax in enumerate(axes):
            ax.imshow(experiment.images[column], cmap="gray", vmin=low, vmax=high, interpolation="lanczos")
            caption = f"{experiment.seconds[column]} s, {experiment.temperatures_c[column]:+.1f} °C"
            ax.text(
                0.98, 0.98, caption, transform=ax.transAxes, color="white", fontsize=6, ha="right", va="top"
            )
            ax.set_axis_off()
        size = experiment.spec.size_px
        axes[0].text(0.02, 0.98, name, transform=axes[0].transAxes, color="white", fontsize=10, va="top")
        axes[0].plot([8, 8 + bar_px], [size - 10] * 2, color="white", linewidth=2, solid_capstyle="butt")
        axes[0].text(8, size - 15, f"{SCALE_BAR_NM:.0f} nm", color="white", fontsize=6)
        axes[-1].contour(experiment.masks[-1], [0.5], colors="#ffb000", linewidths=0.8)
    return figure


def draw_standard(output: Path, seed: int = 0) -> None:
    """Save the contact sheet of D1-D5 and `noisy`."""
    experiments = [
        (dataset.name, simulate_experiment(dataset.spec, experiment_seed(seed, index), (0, 7, 15, 22, 29)))
        for index, dataset in enumerate(standard_datasets(seed))
    ]
    with matplotlib.rc_context({"font.family": "DejaVu Sans"}):
        contact_sheet(experiments).savefig(output, dpi=110, metadata={"Software": None})


def wide_sheet(n_columns: int = 9, seed: int = 0) -> Figure:
    """Micrographs of the endless stream: of each kind as recorded, without noise, and what is to be found."""
    rng = np.random.default_rng(seed)
    made: dict[str, list[Micrograph]] = {kind: [] for kind in KINDS}
    while min(map(len, made.values())) < n_columns:
        kind, specimen = micrographs(rng, 128)
        made[kind].append(specimen[0])
    figure = Figure(figsize=(1.2 * n_columns, 3.6 * len(KINDS)), layout="constrained")
    grid = figure.subplots(3 * len(KINDS), n_columns)
    for axes, (kind, shown) in zip(grid.reshape(len(KINDS), 3, n_columns), made.items(), strict=True):
        for column, micrograph in enumerate(shown[:n_columns]):
            for ax, picture in ((axes[0, column], micrograph.image), (axes[1, column], micrograph.clean)):
                low, high = np.percentile(np.asarray(picture, np.float64), [0.5, 99.5])
                ax.imshow(picture, cmap="gray", vmin=low, vmax=high)
            axes[2, column].imshow(micrograph.mask, cmap="gray", vmin=0, vmax=1)
        axes[0, 0].set_title(kind, fontsize=9, loc="left")
    for ax in grid.flat:
        ax.set_axis_off()
    return figure


def draw_wide(output: Path) -> None:
    """Save the sheet of the endless stream."""
    wide_sheet().savefig(output, dpi=75, metadata={"Software": None})


if __name__ == "__main__":
    (draw_wide if sys.argv[2:] == ["wide"] else draw_standard)(Path(sys.argv[1]))
