"""X-rays and uneven light of a 4096 x 4096 image, corrected here and as the paper does, in one run.

    python -m benchmarks.preprocessing --figure docs/figures/flat-field.png

The paper (Sytwu, Rangel DaCosta & Scott 2023) replaces hits one by one, and fits nine surfaces made at full
size; both are written here anew from its description.
"""

import argparse
import platform
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from scipy.special import comb
from skimage.transform import rescale

from icefloe.imaging.flat_field import flatten, illumination
from icefloe.imaging.spikes import remove_spikes
from icefloe.machine import usable_cores
from icefloe.typing import FloatArray

SIDE, COUNTS, HITS, PARTICLES, REPEATS = 4096, 1500.0, 400, 60, 5

Timed = tuple[float, FloatArray]
"""Seconds, and the image that came out."""


def simulated(rng: np.random.Generator) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Dark particles with lattice under uneven light, with X-rays; the same without X-rays; the light."""
    row, column = np.mgrid[:SIDE, :SIDE].astype(np.float32) / (SIDE - 1)
    light = 1200 * (1 - 0.6 * (row - 0.3) ** 2 - 0.7 * (column - 0.7) ** 2)
    passed = np.ones((SIDE, SIDE), np.float32)
    for y, x, radius in rng.uniform([200, 200, 60], [SIDE - 200, SIDE - 200, 160], (PARTICLES, 3)):
        box = tuple(slice(int(place - radius), int(place + radius) + 1) for place in (y, x))
        rows, columns = np.ogrid[box]
        angle = rng.uniform(0, np.pi)
        fringes = 0.05 * np.sin(2 * np.pi * (rows * np.sin(angle) + columns * np.cos(angle)) / 11)
        passed[box][np.hypot(rows - y, columns - x) < radius] *= 0.75
        passed[box] += np.where(np.hypot(rows - y, columns - x) < radius, fringes, 0)
    clean = rng.poisson(light * passed).astype(np.float32)
    hit = clean.copy()
    hit[tuple(rng.integers(0, SIDE, (2, HITS)))] += rng.uniform(2000, 60_000, HITS).astype(np.float32)
    return hit, clean, light.astype(np.float32)


def papers_xrays(image: FloatArray) -> FloatArray:
    """Negatives to 0; hits, brightest first, one by one to the mean of their 8 neighbours; twice."""
    image = np.maximum(image, 0).astype(np.float64)
    for _ in range(2):
        hits = np.argwhere(image > np.median(image) + COUNTS)
        for row, column in sorted(hits.tolist(), key=lambda place: -image[place[0], place[1]]):
            if 0 < row < SIDE - 1 and 0 < column < SIDE - 1:
                around = image[row - 1 : row + 2, column - 1 : column + 2]
                image[row, column] = (around.sum() - image[row, column]) / 8
            else:
                image[row, column] = image.mean()
    return np.asarray(image)


def papers_flat_field(image: FloatArray) -> FloatArray:
    """Nine surfaces at full size and at a quarter, rows weighted and solved twice; the light divided out."""
    place = np.linspace(0, 1, SIDE)
    along = [comb(2, order) * place**order * (1 - place) ** (2 - order) for order in range(3)]
    surfaces = np.stack([np.outer(row, column) for row in along for column in along], axis=-1)
    small = rescale(image, 0.25).ravel()
    basis = rescale(surfaces, 0.25, channel_axis=-1).reshape(-1, 9)
    weights = np.ones_like(small)
    for _ in range(2):
        found = np.linalg.lstsq(weights[:, None] * basis, weights * small, rcond=None)[0]
        squared = (small - basis @ found) ** 2
        weights = np.exp(-3 * squared / (2 * squared.mean()))
    return np.asarray(image / (surfaces @ found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--figure", type=Path, help="where to draw an image before and after")
    figure: Path | None = parser.parse_args().figure
    hit, clean, light = simulated(np.random.default_rng(0))
    cleaned = timed(lambda: remove_spikes(hit, COUNTS), REPEATS), timed(lambda: papers_xrays(hit), 1)
    flat = timed(lambda: flatten(cleaned[0][1]), REPEATS), timed(lambda: papers_flat_field(cleaned[1][1]), 1)
    hits = hit != clean
    print(f"{date.today()}, {platform.processor() or platform.machine()}, cores: {usable_cores()}")
    print(" ".join(sys.argv), f"\n{SIDE} x {SIDE} pixels, {hits.sum()} X-ray hits, {PARTICLES} particles\n")
    print("| step | Icefloe, s | paper's way, s | times as fast | error, Icefloe | error, paper's way |")
    print("|---|---|---|---|---|---|")
    show("X-rays", *cleaned, lambda image: f"{np.abs(image - clean)[hits].mean():.1f} counts")
    # Left of the light, not the noise of single pixels, which division leaves as it is.
    even = clean / light
    show("light", *flat, lambda image: f"{100 * remaining(image / even):.2f} %")
    seconds = [sum(step[way][0] for step in (cleaned, flat)) for way in (0, 1)]
    print(f"| both | {seconds[0]:.2f} | {seconds[1]:.2f} | {seconds[1] / seconds[0]:.0f} | | |")
    if figure:
        draw(hit, figure)


def timed(work: Callable[[], FloatArray], repeats: int) -> Timed:
    """Median time of several."""
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - began)
    return float(np.median(seconds)), result


def remaining(ratio: FloatArray) -> float:
    """Mean distance from 1 of a ratio that is smooth but for the few pixels of X-ray hits."""
    return float(np.abs(ratio / np.median(ratio) - 1).mean())


def show(step: str, ours: Timed, theirs: Timed, error: Callable[[FloatArray], str]) -> None:
    """Print one line of the table."""
    print(
        f"| {step} | {ours[0]:.2f} | {theirs[0]:.2f} | {theirs[0] / ours[0]:.1f} "
        f"| {error(ours[1])} | {error(theirs[1])} |"
    )


def draw(image: FloatArray, output: Path) -> None:
    """An image as it is, its illumination, and what is left when that is divided out."""
    cleaned = remove_spikes(image, COUNTS)
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    shown = {"before": cleaned, "illumination": illumination(cleaned), "after": flatten(cleaned)}
    for ax, (title, pixels) in zip(figure.subplots(1, 3), shown.items(), strict=True):
        small = rescale(pixels, 0.125, anti_aliasing=True)
        low, high = np.percentile(small, [0.5, 99.5])
        bar = figure.colorbar(ax.imshow(small, cmap="gray", vmin=low, vmax=high), ax=ax, shrink=0.8)
        bar.set_label("before / illumination" if title == "after" else "counts")
        ax.set_title(title)
        ax.set_axis_off()
    figure.savefig(output, dpi=90, metadata={"Software": None})


if __name__ == "__main__":
    main()
