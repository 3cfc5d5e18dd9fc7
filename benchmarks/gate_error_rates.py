"""False alarms and detections of the drift gate, measured on simulated experiments.

    python benchmarks/gate_error_rates.py ENSEMBLE --data data --tables gate.json

ENSEMBLE is a saved ensemble that was trained on D1 and D2 of the simulated workspace; its benchmark is the
reference. Fresh experiments of the same distribution give false alarms; D3-D5 and graded departures give
detections. Simulating and predicting takes minutes on two cores; `--tables` keeps the per-image numbers, so
that the statistics alone can be run again. Prints Markdown, writes a figure.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from scipy import stats

from icefloe.datasets.dataset import Dataset
from icefloe.drift.benchmark import Benchmark, image_records, with_evidence
from icefloe.drift.config import GateConfig
from icefloe.drift.gate import check
from icefloe.drift.quantities import UNCERTAINTY_WORDS, Quantity, deciding_quantities
from icefloe.drift.statistics import Predictive, experiment_means, holm
from icefloe.ensemble.ensemble import Ensemble
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.spec import ExperimentSpec
from icefloe.simulate.standard import Cause, random_standard_spec, shifted_spec

STRENGTHS = (0.1, 0.25, 0.5, 1.0)
NEW = ("D3", "D4", "D5", "noisy")
REFERENCE_SIZES = (1, 2, 3, 5, 10)
PROGRESS = Console(stderr=True)

Rows = list[dict[str, Any]]
Values = dict[str, NDArray[np.float64]]  # quantity name -> per-image values, (n, L)


def score(ensemble: Ensemble, name: str, images: Sequence[Any], indices: Iterable[int]) -> Rows:
    """Scores and input evidence of one experiment's images."""
    pixels = [np.asarray(image, np.float32) for image in images]
    rows = [
        {"dataset": name, "stem": f"{name}_{index}", "index": index, **prediction.scores()}
        for index, prediction in zip(indices, ensemble.predict_batch(pixels), strict=True)
    ]
    return with_evidence(rows, pixels)


def measure(ensemble: Ensemble, data: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Per-image tables: held-out images, new datasets, null experiments, graded shifts."""

    def simulated(name: str, spec: ExperimentSpec, seed: int) -> Rows:
        seconds = np.linspace(1, spec.n_composites - 1, arguments.composites).round().astype(int).tolist()
        return score(ensemble, name, list(simulate_experiment(spec, seed, seconds).images), seconds)

    def from_disk(name: str, stems: set[str] | None) -> Rows:
        samples = [s for s in Dataset.load(data / name).samples if stems is None or s.stem in stems]
        return score(ensemble, name, [s.image() for s in samples], [s.index for s in samples])

    held_out: dict[str, set[str]] = {}
    for row in ensemble.manifest.benchmark:
        held_out.setdefault(str(row["dataset"]), set()).add(str(row["stem"]))
    seeds = iter(np.random.SeedSequence(arguments.seed).generate_state(10_000).tolist())
    null = []
    for i in track(range(arguments.experiments), "null experiments", console=PROGRESS):
        seed = next(seeds)
        null.append(simulated(f"null{i}", random_standard_spec(np.random.default_rng(seed)), seed))
    shifts = []
    for cause in track(get_args(Cause), "shifts", console=PROGRESS):
        for strength in STRENGTHS:
            for i in range(arguments.repeats):
                seed = next(seeds)
                spec = shifted_spec(cause, strength, np.random.default_rng(seed))
                shifts.append([cause, strength, simulated(f"{cause}-{strength}-{i}", spec, seed)])
    return {
        "reference": [row for name, stems in held_out.items() for row in from_disk(name, stems)],
        "new": {name: from_disk(name, None) for name in NEW},
        "null": null,
        "shifts": shifts,
    }


def values_of(rows: Rows, quantities: Sequence[Quantity]) -> Values:
    records = image_records(rows)
    return {quantity.name: quantity.values(records) for quantity in quantities}


def adjusted_p_values(reference: Sequence[Values], new: Values, config: GateConfig) -> dict[str, float]:
    """What `check` computes, without its intervals and figures, which cost most of its time."""
    p = {}
    for quantity in deciding_quantities(config):
        known = experiment_means([values[quantity.name] for values in reference])
        mean = experiment_means([*(values[quantity.name] for values in reference), new[quantity.name]])[-1]
        predictive = Predictive(
            [k.mean for k in known], [k.squared_error for k in known], config.prior(quantity.spread)
        )
        p[quantity.name] = float(predictive.p_value(mean.mean, mean.squared_error, quantity.alternative))
    return dict(zip(p, holm(list(p.values())), strict=True))


def spreads(null: Sequence[Values], reference: Sequence[Values], config: GateConfig) -> list[str]:
    """How null experiments vary, the source of `GateConfig`'s spreads."""
    lines = [
        "| quantity | SD between null experiments | dimensions | SD that predicts them from the "
        "benchmark | in use |",
        "|---|---|---|---|---|",
    ]
    for quantity in deciding_quantities(config):
        estimates = experiment_means([v[quantity.name] for v in null])
        means = np.array([m.mean for m in estimates])
        known = np.array([m.mean for m in experiment_means([v[quantity.name] for v in reference])])
        covariance = np.atleast_2d(np.cov(means.T))
        error2 = float(np.mean([m.squared_error for m in estimates]))
        between = np.sqrt(max(float(np.trace(covariance)) - error2, 0.0))
        dimensions = float(np.trace(covariance) ** 2 / np.trace(covariance @ covariance))
        # Training experiments are familiar to the ensemble; this one includes the step from them to new ones.
        distance2 = ((means - known.mean(axis=0)) ** 2).sum(axis=1).mean() / (1 + 1 / len(known)) - error2
        lines.append(
            f"| {quantity.words} | {between:.3f} | {dimensions:.1f} | {np.sqrt(max(distance2, 0.0)):.3f} "
            f"| {quantity.spread.scale:g}, {quantity.spread.dimensions:g} |"
        )
    return lines


def separation(tables: dict[str, Any]) -> list[str]:
    """AUC of each uncertainty score, experiment means of null experiments against departures."""

    def mean(rows: Rows, column: str) -> float:
        return float(np.mean([np.log(max(row[column], 1e-9)) for row in rows]))

    groups = {name: [tables["new"][name]] for name in NEW}
    for cause in get_args(Cause):
        groups[cause] = [rows for c, strength, rows in tables["shifts"] if c == cause and strength >= 0.5]
    lines = [
        "| departure | " + " | ".join(UNCERTAINTY_WORDS.values()) + " |",
        "|---|" + "---|" * len(UNCERTAINTY_WORDS),
    ]
    totals = []
    for name, experiments in groups.items():
        areas = []
        for column in UNCERTAINTY_WORDS:
            null = np.array([mean(rows, column) for rows in tables["null"]])
            areas.append(float(np.mean([(mean(rows, column) > null).mean() for rows in experiments])))
        totals.append(areas)
        lines.append(f"| {name} | " + " | ".join(f"{area:.2f}" for area in areas) + " |")
    lines.append("| mean | " + " | ".join(f"{area:.2f}" for area in np.mean(totals, axis=0)) + " |")
    return lines


def rate(hits: int, n: int) -> str:
    interval = stats.binomtest(hits, n).proportion_ci()
    return f"{hits / n:.1%} ({interval.low:.1%}–{interval.high:.1%})"


def resampled(values: Values, rng: np.random.Generator) -> Values:
    """The experiment with its images drawn anew with replacement, in time order."""
    n = len(next(iter(values.values())))
    chosen = np.sort(rng.integers(n, size=n))
    return {name: v[chosen] for name, v in values.items()}


def false_alarms(
    null: Sequence[Values], reference: Sequence[Values], config: GateConfig, n: int, rng: np.random.Generator
) -> tuple[list[str], dict[int, float]]:
    """Rates against this benchmark, and against benchmarks of K other null experiments."""
    lines = ["| benchmark | datasets | called anything but accepted |", "|---|---|---|"]
    p = [adjusted_p_values(reference, values, config) for values in null]
    alarms = np.array([[value < config.alpha for value in each.values()] for each in p])
    any_alarm = alarms.any(axis=1)
    label = f"held-out images of the {len(reference)} training experiments"
    lines.append(f"| {label} | {len(null)} null experiments | {rate(int(any_alarm.sum()), len(null))} |")
    # Datasets resampled from one experiment are not independent, so experiments are resampled for the
    # interval.
    drawn = rng.integers(len(null), size=n)
    wrong = np.array(
        [
            min(adjusted_p_values(reference, resampled(null[i], rng), config).values()) < config.alpha
            for i in track(drawn, "resampled datasets", console=PROGRESS)
        ]
    )
    per_experiment = np.array([wrong[drawn == i].mean() for i in range(len(null)) if (drawn == i).any()])
    bootstrap = rng.choice(per_experiment, (2000, len(per_experiment))).mean(axis=1)
    low, high = np.quantile(bootstrap, [0.025, 0.975])
    lines.append(f"| the same | {n} resampled from them | {wrong.mean():.1%} ({low:.1%}–{high:.1%}) |")
    by_size = {}
    for size in REFERENCE_SIZES:
        hits, draws = 0, n // len(REFERENCE_SIZES)
        for _ in track(range(draws), f"benchmarks of {size}", console=PROGRESS):
            *known, new = rng.choice(len(null), size + 1, replace=False)
            new_values = resampled(null[new], rng)
            hits += (
                min(adjusted_p_values([null[k] for k in known], new_values, config).values()) < config.alpha
            )
        by_size[size] = hits / draws
        lines.append(f"| {size} random null experiments | {draws} | {hits / draws:.1%} |")
    names = list(p[0])
    shares = ", ".join(f"{name} {share:.1%}" for name, share in zip(names, alarms.mean(axis=0), strict=True))
    return [*lines, "", f"By quantity, against the ensemble's own benchmark: {shares}."], by_size


def detections(
    tables: dict[str, Any], benchmark: Benchmark, config: GateConfig
) -> tuple[list[str], dict[str, list[float]]]:
    """Outcomes on the new datasets and the share not accepted of each cause and strength."""
    lines = [
        "| dataset | outcome | decided by | p (Holm) of uncertainty, smallest of all |",
        "|---|---|---|---|",
    ]
    for name in NEW:
        report = check(benchmark, tables["new"][name], config)
        p = {r.name: r.adjusted_p_value for r in report.evidence if r.adjusted_p_value is not None}
        lines.append(
            f"| {name} | {report.outcome} | {', '.join(report.decided_by)} "
            f"| {p['uncertainty']:.2g}, {min(p.values()):.2g} |"
        )
    curves: dict[str, list[float]] = {}
    lines += [
        "",
        "| cause | " + " | ".join(f"strength {s:g}" for s in STRENGTHS) + " | decided at the strongest |",
        "|---|" + "---|" * (len(STRENGTHS) + 1),
    ]
    for cause in get_args(Cause):
        curve, deciders = [], set()
        for strength in STRENGTHS:
            reports = [
                check(benchmark, rows, config)
                for c, s, rows in tables["shifts"]
                if c == cause and s == strength
            ]
            curve.append(float(np.mean([report.outcome != "accept" for report in reports])))
            deciders = {name for report in reports for name in report.decided_by}
        curves[cause] = curve
        found = " | ".join(f"{share:.0%}" for share in curve)
        lines.append(f"| {cause} | {found} | {', '.join(sorted(deciders))} |")
    return lines, curves


def draw(curves: dict[str, list[float]], by_size: dict[int, float], alpha: float) -> Figure:
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for cause, curve in curves.items():
        left.plot([0, *STRENGTHS], [by_size[2], *curve], "o-", label=cause, markersize=4)
    left.axhline(alpha, color="black", linestyle=":", label=f"stated rate {alpha:.0%}")
    left.set(xlabel="strength of the departure", ylabel="share not accepted", ylim=(-0.03, 1.03))
    left.legend(fontsize=7)
    right.plot(list(by_size), list(by_size.values()), "o-")
    right.axhline(alpha, color="black", linestyle=":")
    right.set(
        xlabel="experiments in the benchmark", ylabel="false alarms", ylim=(0, max(0.1, *by_size.values()))
    )
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ensemble", type=Path)
    parser.add_argument("--data", type=Path, default=Path("data"), help="the workspace's datasets")
    parser.add_argument("--tables", type=Path, help="JSON file of per-image numbers; read when it exists")
    parser.add_argument("--experiments", type=int, default=200, help="null experiments")
    parser.add_argument("--composites", type=int, default=5, help="images an experiment")
    parser.add_argument("--repeats", type=int, default=3, help="experiments a cause and strength")
    parser.add_argument("--resamples", type=int, default=10_000, help="resampled datasets")
    parser.add_argument("--seed", type=int, default=20_000)
    parser.add_argument("--figure", type=Path, default=Path("docs/figures/gate-error-rates.png"))
    arguments = parser.parse_args()

    if arguments.tables and arguments.tables.exists():
        tables = json.loads(arguments.tables.read_text())
    else:
        tables = measure(Ensemble.load(arguments.ensemble), arguments.data, arguments)
        if arguments.tables:
            arguments.tables.write_text(json.dumps(tables))
    config = GateConfig()
    quantities = deciding_quantities(config)
    benchmark = Benchmark.from_tables(tables["reference"])
    reference = [
        values_of([row for row in tables["reference"] if row["dataset"] == name], quantities)
        for name in benchmark.experiments
    ]
    null = [values_of(rows, quantities) for rows in tables["null"]]
    alarms, by_size = false_alarms(
        null, reference, config, arguments.resamples, np.random.default_rng(arguments.seed)
    )
    found, curves = detections(tables, benchmark, config)
    arguments.figure.parent.mkdir(parents=True, exist_ok=True)
    draw(curves, by_size, config.alpha).savefig(arguments.figure, dpi=120)

    command = shlex.join(["python", "benchmarks/gate_error_rates.py", *sys.argv[1:]])
    sections = {
        "Which uncertainty separates (AUC against null experiments)": separation(tables),
        "How experiments vary": spreads(null, reference, config),
        "False alarms": alarms,
        "Detections": found,
    }
    print(f"{datetime.now(UTC):%Y-%m-%d}, `{command}`")
    for title, lines in sections.items():
        print(f"\n### {title}\n", *lines, sep="\n")


if __name__ == "__main__":
    main()
