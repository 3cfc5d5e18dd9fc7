"""How often the intervals of `icefloe physics` hold the truth, measured on simulated experiments.

    python benchmarks/physics_coverage.py ENSEMBLE --experiments 24

ENSEMBLE is a saved ensemble that was trained on simulated D1 and D2. Fresh experiments of their kind, and
fresh draws of D3, D4 and D5, are simulated, segmented and measured; the truth is the exact mask and, for the
rate of the equivalent radius, the law of melting itself. Prints Markdown.
"""

import argparse
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from scipy import stats

from icefloe.ensemble.ensemble import Ensemble
from icefloe.physics.agreement import COMPARED
from icefloe.physics.crystal import Crystal, measure
from icefloe.physics.experiment import MEASURES, ExperimentPhysics
from icefloe.physics.image import measure_image
from icefloe.physics.quantity import Quantity, prediction_factor
from icefloe.physics.rates import rate_of
from icefloe.report.physics import ice_maps
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.spec import ExperimentSpec
from icefloe.simulate.standard import random_standard_spec, standard_datasets

KINDS = ("as D1, D2", "D3", "D4", "D5")
PROGRESS = Console(stderr=True)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Checked:
    """One experiment as `icefloe physics` measures it, its exact masks measured, and the law's radii."""

    experiment: ExperimentPhysics
    truth: Sequence[Crystal]
    radii_nm: Array

    def measured(self, name: str) -> Quantity:
        return self.experiment.front if name == "front" else self.experiment.quantities[name]

    def truth_of(self, name: str) -> Array:
        if name == "front":
            return np.stack([crystal.front_nm for crystal in self.truth])
        return np.array([MEASURES[name][1](crystal) for crystal in self.truth], np.float64)


def specs(kind: str, n: int, seed: int) -> Iterator[tuple[ExperimentSpec, int]]:
    """Fresh experiments of one kind, each with the seed that draws its sample and noise."""
    for number in np.random.SeedSequence((seed, KINDS.index(kind))).generate_state(n).tolist():
        if kind == KINDS[0]:
            yield random_standard_spec(np.random.default_rng(number)), number
        else:
            yield next(one.spec for one in standard_datasets(number) if one.name == kind), number


def check(ensemble: Ensemble, spec: ExperimentSpec, seed: int) -> Checked:
    simulated = simulate_experiment(spec, seed)
    images, truth = [], []
    for second, counts, mask in zip(simulated.seconds, simulated.images, simulated.masks, strict=True):
        prediction = ensemble.predict_image(counts.astype(np.float32), keep_members=True)
        maps = ice_maps(prediction, ensemble.manifest.threshold)
        images.append(measure_image(str(second), float(second), *maps, spec.pixel_size_nm))
        origin = images[-1].ensemble.centre_nm
        truth.append(measure(mask, 0.5, spec.pixel_size_nm, origin_nm=origin))
    experiment = ExperimentPhysics.from_images("simulated", images, pixel_size_nm=spec.pixel_size_nm)
    return Checked(experiment, truth, simulated.radii_nm)


def mean_with_interval(shares: Sequence[float]) -> str:
    """Mean over experiments in percent, and the t interval of that mean."""
    percent = 100.0 * np.asarray(shares)
    half = stats.t.ppf(0.975, len(percent) - 1) * percent.std(ddof=1) / np.sqrt(len(percent))
    return f"{percent.mean():.0f} ({max(percent.mean() - half, 0):.0f}-{min(percent.mean() + half, 100):.0f})"


def image_row(kind: str, name: str, checked: Sequence[Checked]) -> str:
    """Coverage by image, averaged over experiments; widths and errors in percent of the typical truth.

    The centre's are in percent of the equivalent radius.
    """
    inside, narrow, widths, errors, shares = [], [], [], [], []
    for one in checked:
        quantity, truth = one.measured(name), one.truth_of(name)
        low, high = quantity.interval()
        known = np.isfinite(low) & np.isfinite(truth)
        error = (quantity.values - truth)[known]
        inside.append(float(np.mean((low <= truth)[known] & (truth <= high)[known])))
        narrow.append(np.mean(np.abs(error) <= 1.96 * quantity.std[known]))
        half = (prediction_factor(quantity.members) * quantity.std)[known]
        widths.append(half)
        errors.append(error)
        shares.append(np.abs(error) / half)
    scale = "equivalent_radius" if name.startswith("centre") else name
    typical = float(np.nanmedian(np.concatenate([one.truth_of(scale) for one in checked])))
    width = 100.0 * np.median(np.concatenate(widths)) / typical
    error = np.concatenate(errors)
    numbers = (
        mean_with_interval(inside),
        f"{100 * np.mean(narrow):.0f}",
        f"{width:.0f}",
        f"{100 * np.median(np.abs(error)) / typical:.1f}",
        f"{100 * error.mean() / typical:+.1f}",
        f"{np.quantile(np.concatenate(shares), 0.95):.1f}",
    )
    return f"| {kind} | {name.replace('_', ' ')} | {' | '.join(numbers)} |"


def rate_row(kind: str, name: str, checked: Sequence[Checked]) -> str:
    inside, widths, errors, shares, truths = 0, [], [], [], []
    for one in checked:
        rate = one.experiment.rates[name].overall
        true = one.radii_nm if name == "equivalent_radius" else one.truth_of(name)
        # The straight line through the truth, over the images that the measured line goes through.
        exact = Quantity(name, "", true, np.empty((0, len(true))))
        present = one.experiment.quantities["area"].values > 0
        truth = float(rate_of(exact, one.experiment.times_s, present).overall.values)
        low, high = rate.interval()
        inside += int(low <= truth <= high)
        widths.append((high - low) / 2.0)
        errors.append(float(rate.values) - truth)
        shares.append(abs(errors[-1]) / widths[-1])
        truths.append(truth)
    typical = float(np.median(np.abs(truths)))
    return (
        f"| {kind} | {name.replace('_', ' ')} | {inside} of {len(checked)} | {np.median(truths):.3g} | "
        f"{100 * np.median(widths) / typical:.0f} | {100 * np.median(np.abs(errors)) / typical:.0f} "
        f"| {100 * np.mean(errors) / typical:+.0f} | {np.quantile(shares, 0.95):.1f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("ensemble", type=Path, help="folder of a saved ensemble")
    parser.add_argument("--experiments", type=int, default=24, help="fresh experiments of each kind")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    ensemble = Ensemble.load(arguments.ensemble)
    results: dict[str, list[Checked]] = {}
    for kind in KINDS:
        drawn = specs(kind, arguments.experiments, arguments.seed)
        tracked = track(drawn, kind, total=arguments.experiments, console=PROGRESS)
        results[kind] = [check(ensemble, spec, seed) for spec, seed in tracked]
    print(f"Command: `{shlex.join(['python', *sys.argv])}`, {datetime.now(UTC):%Y-%m-%d}.")
    print(f"{len(ensemble.manifest.members)} members, {arguments.experiments} experiments a kind.\n")
    print(
        "| kind | quantity | truth within the interval, % of images | within 1.96 std, % | half-width, % "
        "| median error, % | mean error, % | factor for 95 % |\n|---|---|---|---|---|---|---|---|"
    )
    for kind, checked in results.items():
        print("\n".join(image_row(kind, name, checked) for name in (*COMPARED, "front")))
    print(
        "\n| kind | rate of | truth within the interval | typical rate | half-width, % | median error, % "
        "| mean error, % | factor for 95 % |\n|---|---|---|---|---|---|---|---|"
    )
    for kind, checked in results.items():
        print(
            "\n".join(rate_row(kind, name, checked) for name in ("area", "equivalent_radius", "mean_front"))
        )


if __name__ == "__main__":
    main()
