"""What `icefloe stack` finds of the drift, X-rays and hot pixels that the simulated camera made.

    python benchmarks/stacking_accuracy.py

Frames of 256 x 256 pixels of 2 nm; three seeds. Prints Markdown.
"""

import sys
from collections.abc import Iterator
from datetime import date
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from icefloe.imaging.alignment import DriftTracker
from icefloe.imaging.hot_pixels import find_hot_pixels
from icefloe.imaging.stacking import Stacker
from icefloe.imaging.xrays import XrayRemover
from icefloe.simulate.camera import Camera
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.spec import ExperimentSpec

SEEDS, PIXEL_NM, DRIFT_NM_PER_S, SECONDS = range(3), 2.0, 4.0, 10
TALL = 500

Counts = NDArray[np.uint16]


def spec_of(camera: Camera, texture: float = 0.012) -> ExperimentSpec:
    """Melting ice; the aperture and the beam stay where they are when the sample drifts."""
    return ExperimentSpec(camera=camera, start_c=1.0, rate_c_per_s=0.05, film_texture=texture)


def drifting(dose: float, texture: float, seed: int) -> Iterator[Counts]:
    """Fifths of seconds as single frames, between which the sample drifts by 0.4 px."""
    # An experiment of 5 composites a second: all that depends on time is slowed down.
    camera = Camera(
        dose_e_per_A2=dose / 5,
        frame_rate_hz=5,
        drift_nm_per_s=DRIFT_NM_PER_S / 5,
        jitter_nm=0,
        xrays_per_frame=0,
    )
    spec = spec_of(camera, texture)
    slow = spec.changed(
        n_composites=5 * SECONDS,
        rate_c_per_s=spec.rate_c_per_s / 5,
        kinetic_coefficient_nm_per_s_k=spec.kinetic_coefficient_nm_per_s_k / 5,
        bend_speed_per_s=spec.bend_speed_per_s / 5,
    )
    yield from simulate_experiment(slow, seed).images


def print_drift() -> None:
    print("\n| dose, e/A^2 s | texture | error of a fifth of a second, px | of 18 px travelled, error px |")
    print("|---|---|---|---|")
    step = DRIFT_NM_PER_S / 5 / PIXEL_NM
    for dose, texture in ((0.8, 0.012), (0.8, 0.05), (8.0, 0.012), (8.0, 0.05)):
        within, total = [], []
        for seed in SEEDS:
            made = Stacker(Fraction(5), drift=DriftTracker()).composites(drifting(dose, texture, seed))
            found = np.array([[(s.row, s.column) for s in composite.drift] for composite in made])
            travelled = found.reshape(-1, 2)[-1] - found.reshape(-1, 2)[0]
            direction = travelled / np.linalg.norm(travelled)
            steps = step * np.arange(5)[:, None] * direction
            within.append((found - steps) - (found - steps).mean(axis=1, keepdims=True))
            mean = found.mean(axis=1)
            total.append(abs(np.linalg.norm(mean[-1] - mean[0]) - 5 * step * (SECONDS - 1)))
        print(f"| {dose:g} | {texture:.1%} | {np.std(within):.2f} | {', '.join(f'{e:.1f}' for e in total)} |")


def print_xrays() -> None:
    print(
        f"\n| dose | frames/s | e/pixel | X-rays found | above {TALL} counts | right of those replaced |",
        end="",
    )
    print(" error of the mean, before and after |\n|---|---|---|---|---|---|---|")
    for dose, rate in ((0.8, 25), (0.8, 100), (0.8, 400), (0.05, 400), (8.0, 25)):
        camera = Camera(dose_e_per_A2=dose, frame_rate_hz=rate, xrays_per_frame=0, jitter_nm=0.8)
        rng = np.random.default_rng(0)
        clean = np.array(list(simulate_experiment(spec_of(camera), 0, [0]).frames(0)))
        hits = np.zeros(clean.shape)
        where = rng.integers(0, hits.size, 2 * len(clean))
        hits.reshape(-1)[where] = camera.xray_counts * rng.standard_exponential(len(where))
        dirty = np.clip(clean + np.rint(hits), 0, 65535).astype(np.uint16)
        cleaned = np.array(list(XrayRemover().clean(dirty)))
        replaced = cleaned != dirty
        before, after = (np.sqrt(np.mean((f.mean(0) - clean.mean(0)) ** 2)) for f in (dirty, cleaned))
        electrons = (clean.mean() - camera.offset_counts) / camera.counts_per_electron
        print(
            f"| {dose:g} | {rate} | {electrons:.2f} | {replaced[hits > 0].mean():.0%} "
            f"| {replaced[hits > TALL].mean():.0%} | {(hits[replaced] > 0).mean():.0%} "
            f"| {before:.2f}, {after:.2f} counts |"
        )


def print_hot_pixels() -> None:
    print("\n| dose | frames/s | found at 5 sigma of a composite | at 10 | at 20 | wrongly found |")
    print("|---|---|---|---|---|---|")
    for dose, rate in ((0.8, 100), (0.8, 400), (8.0, 100)):
        camera = Camera(dose_e_per_A2=dose, frame_rate_hz=rate, xrays_per_frame=2, jitter_nm=0.8)
        found: dict[int, list[bool]] = {5: [], 10: [], 20: []}
        n_wrong = 0
        for seed in SEEDS:
            frames = np.array(list(simulate_experiment(spec_of(camera), seed, [0]).frames(0)), float)
            noise = frames.std(axis=0) / np.sqrt(25)  # of a composite of 25
            chosen = np.random.default_rng(seed).permutation(frames[0].size)[:60]
            rows, columns = np.unravel_index(chosen, frames[0].shape)
            heights = np.repeat(list(found), 20)
            frames[:, rows, columns] += heights * noise[rows, columns]
            where = {*map(tuple, find_hot_pixels(frames, "simulated").where)}
            for row, column, height in zip(rows, columns, heights, strict=True):
                found[int(height)].append((row, column) in where)
            n_wrong += len(where - {*zip(rows, columns, strict=True)})
        shares = " | ".join(f"{np.mean(values):.0%}" for values in found.values())
        print(f"| {dose:g} | {rate} | {shares} | {n_wrong / len(SEEDS) / 0.0655:.0f} a megapixel |")


if __name__ == "__main__":
    print(f"{date.today()}: python {' '.join(sys.argv)}")
    print_drift()
    print_xrays()
    print_hot_pixels()
