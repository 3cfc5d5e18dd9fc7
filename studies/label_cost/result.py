"""Dice against labels of every strategy and both baselines, and everything that is said of it."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import ClassVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pydantic import computed_field

from icefloe.statistics.interval import Interval
from icefloe.statistics.repetitions import Seeds, over_seeds, resampled_seeds
from icefloe.tables import Table
from studies.kit.study import Record, StudyResult
from studies.kit.tables import grid, in_words, listed
from studies.label_cost import figures, savings
from studies.label_cost.annotation_time import LOOK_MINUTES, MEASURED_ON_PX, SCRATCH_MINUTES, TOLERANCE
from studies.label_cost.design import BASELINES
from studies.label_cost.replay import Outcome, Repetition
from studies.label_cost.savings import Array, Comparison, CrossValidatedBest, Curves


class DatasetSummary(Record):
    """What one arriving dataset is, and what any strategy is up to.

    Attributes
    ----------
    dataset, standard
        What arrived, and what the first version was trained on.
    n_pool, n_test
        Images to choose from and to test on, mean over seeds.
    whole_pool, baselines
        Dice with the whole pool labelled, seed by seed; by what takes no learning, mean over seeds.
    frames, picked
        Time indices of its images; strategy -> of each the share of the seeds with it in their pool in which
        it was chosen, None where no seed has it there.
    """

    dataset: str
    standard: tuple[str, ...]
    n_pool: float
    n_test: float
    whole_pool: tuple[float, ...]
    baselines: dict[str, float]
    frames: tuple[int, ...]
    picked: dict[str, tuple[float | None, ...]]

    @classmethod
    def of(cls, repetitions: Sequence[Repetition], outcomes: Sequence[Outcome]) -> "DatasetSummary":
        """From the repetitions on one dataset, and the outcomes on all."""
        dataset = repetitions[0].dataset
        pools = [{sample.index for sample in each.division.pool} for each in repetitions]
        own = [o for o in outcomes if o.dataset == dataset.name]
        last = [o for o in own if o.labels == max(o.labels for o in own)]
        frames = tuple(sample.index for sample in dataset.samples)
        baselines = [each.baseline_dice() for each in repetitions]
        offered = {frame: sum(frame in pool for pool in pools) for frame in frames}

        def share(strategy: str, frame: int) -> float | None:
            chosen = sum(frame in o.frames for o in last if o.strategy == strategy)
            return chosen / offered[frame] if offered[frame] else None

        return cls(
            dataset=dataset.name,
            standard=dataset.standard,
            n_pool=float(np.mean([len(pool) for pool in pools])),
            n_test=float(np.mean([len(each.division.test) for each in repetitions])),
            whole_pool=tuple(each.scores(each.whole_pool).dice for each in repetitions),
            baselines={name: float(np.mean([each[name] for each in baselines])) for name in baselines[0]},
            frames=frames,
            picked={name: tuple(share(name, f) for f in frames) for name in {o.strategy: 0 for o in last}},
        )

    @property
    def ceiling(self) -> Interval:
        """Dice with the whole pool labelled."""
        return over_seeds(self.whole_pool)


class MinutesNeeded(Record):
    """Minutes to the Dice of uniform draws, all datasets: from scratch, and correcting."""

    strategy: str
    from_scratch: Interval
    correcting: Interval


class LabelCostResult(StudyResult):
    """What a label is worth.

    Attributes
    ----------
    preset, members, size, epochs, retraining_epochs, n_seeds, spread
        How versions were trained (of `params.yaml`: the encoders, side of the networks' input in px, epochs
        at most), how often, and how far strategies keep apart in time (`SamplerConfig.spread`).
    n_measured
        Images with a person's measured time.
    datasets, outcomes
        Every arriving dataset; every strategy on each of them with every seed and number of labels.
    """

    name: ClassVar[str] = "label-cost"
    title: ClassVar[str] = "What a label costs"
    folder: ClassVar[str] = "label_cost"
    said: ClassVar[Mapping[str, float | str]] = {
        "scratch": SCRATCH_MINUTES,
        "look": LOOK_MINUTES,
        "tolerance_px": MEASURED_ON_PX * TOLERANCE,
        "image_px": MEASURED_ON_PX,
        "uniform": BASELINES[0],
        "by_foreground": BASELINES[1],
    }

    preset: str
    members: tuple[str, ...]
    size: int
    epochs: int
    retraining_epochs: int
    n_seeds: int
    spread: float
    n_measured: int = 0
    datasets: tuple[DatasetSummary, ...]
    outcomes: tuple[Outcome, ...]

    @cached_property
    def curves(self) -> tuple[Curves, ...]:
        """Of each dataset; strategies and seeds are the same in all."""
        return tuple(Curves.of(each.dataset, self.outcomes) for each in self.datasets)

    @property
    def strategies(self) -> tuple[str, ...]:
        """All names, the baselines first."""
        return self.curves[0].strategies

    @property
    def compared(self) -> tuple[str, ...]:
        """Those that are compared with the baselines."""
        return tuple(name for name in self.strategies if name not in BASELINES)

    @cached_property
    def areas(self) -> dict[str, Array]:
        """Strategy -> areas under its curves averaged over datasets, shape (S,)."""
        return dict(zip(self.strategies, savings.mean_areas(self.curves), strict=True))

    @computed_field  # type: ignore[prop-decorator]
    @property
    def best(self) -> str:
        """The strategy with the largest area."""
        return max(self.compared, key=lambda name: float(self.areas[name].mean()))

    @computed_field  # type: ignore[prop-decorator]
    @cached_property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Every strategy against every baseline."""
        return savings.compare(self.curves, self.compared)

    @computed_field  # type: ignore[prop-decorator]
    @cached_property
    def best_cross_validated(self) -> tuple[CrossValidatedBest, ...]:
        """Against each baseline, what the best strategy gains on seeds that did not choose it."""
        found = (savings.cross_validated_best(self.curves, self.compared, name) for name in BASELINES)
        return tuple(each for each in found if each)

    @computed_field  # type: ignore[prop-decorator]
    @cached_property
    def minutes(self) -> tuple[MinutesNeeded, ...]:
        """Of every strategy."""

        def needed(strategy: str, minutes_a_label: float | None) -> Interval:
            def total(seeds: Seeds) -> float:
                return sum(
                    savings.minutes_needed(curves, strategy, BASELINES[0], seeds, minutes_a_label)
                    for curves in self.curves
                )

            return resampled_seeds(total, self.n_seeds)

        return tuple(
            MinutesNeeded(
                strategy=name, from_scratch=needed(name, SCRATCH_MINUTES), correcting=needed(name, None)
            )
            for name in self.strategies
        )

    @property
    def minutes_an_image(self) -> tuple[float, float]:
        """Mean minutes to correct an image of the first round, and of the last."""
        by_round = [np.diff(c.minutes.mean(axis=(0, 1))) / np.diff(c.labels) for c in self.curves]
        first, last = (float(np.mean([minutes[end] for minutes in by_round])) for end in (0, -1))
        return first, last

    def against(self, baseline: str) -> dict[str, Comparison]:
        """Every strategy against one baseline."""
        return {each.strategy: each for each in self.comparisons if each.baseline == baseline}

    def sentence(self) -> str:
        """The best strategy against uniform draws."""
        return self._best_in_words(BASELINES[0])

    def findings(self) -> list[str]:
        """Against each baseline: the best strategy, and labels saved."""
        lines = []
        for baseline in BASELINES:
            by_verdict: dict[str, list[str]] = {}
            for name, each in self.against(baseline).items():
                saved = f"{name} {each.saved.text(1, signed=True)}"
                by_verdict.setdefault(each.verdict, []).append(saved)
            said = "; ".join(f"{verdict}: {', '.join(names)}" for verdict, names in by_verdict.items())
            lines.append(self._best_in_words(baseline))
            lines.append(f"Labels saved against {baseline}, of {self.n_target_labels}: {said}.")
        return lines

    def _best_in_words(self, baseline: str) -> str:
        gain = self.against(baseline)[self.best].gain
        text = (
            f"Best strategy against {baseline}: {self.best}, area under the learning curve "
            f"{gain.text(signed=True)}. It is the best of {len(self.compared)} on these very seeds, "
            "which favours it. "
        )
        for met in self.best_cross_validated:
            if met.baseline == baseline:
                verdict = in_words(met.gain, "better than the baseline", "worse than the baseline")
                return text + (
                    "Chosen on the other seeds and measured on the one left out "
                    f"({', '.join(dict.fromkeys(met.chosen))}): {met.gain.text(signed=True)}, {verdict}."
                )
        return text + "With a single seed nothing more can be said."

    @property
    def n_target_labels(self) -> int:
        """Labels that savings are out of, all datasets together."""
        return sum(curves.target_labels for curves in self.curves)

    @property
    def targets(self) -> str:
        """Labels of a baseline that are to be reached, by dataset."""
        return listed(f"{curves.target_labels} ({curves.dataset})" for curves in self.curves)

    @property
    def _emphasised(self) -> dict[str, str]:
        """Names, the best one's in bold -> names."""
        return {f"**{name}**" if name == self.best else name: name for name in self.strategies}

    def table(self) -> Table:
        """Areas under the learning curves, and differences to both baselines."""

        def cell(name: str, baseline: str | None) -> str:
            if baseline is None:
                return str(over_seeds(self.areas[name]))
            return "" if name in BASELINES else self.against(baseline)[name].gain.text(signed=True)

        columns = {f"less {baseline}'s": baseline for baseline in BASELINES}
        return grid("strategy", self._emphasised, {"area": None, **columns}, cell)

    def saved_table(self, baseline: str) -> Table:
        """Labels saved against one baseline."""
        against = self.against(baseline)

        def cell(name: str, dataset: str | None) -> str:
            if dataset is None:
                return f"{against[name].saved.text(1, signed=True)}: {against[name].verdict}"
            return against[name].saved_by_dataset[dataset].text(1, signed=True)

        rows = {shown: name for shown, name in self._emphasised.items() if name in against}
        columns = {each.dataset: each.dataset for each in self.datasets}
        together = f"together, of {self.n_target_labels}"
        return grid(f"against {baseline}", rows, {**columns, together: None}, cell)

    def minutes_table(self) -> Table:
        """Minutes of every strategy."""
        found = {each.strategy: each for each in self.minutes}
        columns = {"from scratch, min": "from_scratch", "correcting, min": "correcting"}
        return grid(
            "strategy", self._emphasised, columns, lambda name, how: getattr(found[name], how).text(1)
        )

    def scores_table(self, curves: Curves, measure: str) -> Table:
        """Dice or IoU by strategy and number of labels."""
        values = getattr(curves, measure.lower())
        rows = {name: curves.row(name) for name in curves.strategies}
        columns = {f"{n:g} label{'' if n == 1 else 's'}": column for column, n in enumerate(curves.labels)}
        return grid(measure, rows, columns, lambda row, column: over_seeds(values[row, :, column]))

    def plot(self, ax: Axes) -> None:
        """Learning curves on the first dataset."""
        figures.draw_curves(ax, self.curves[0], self.datasets[0], self.best)

    def figures(self) -> dict[str, Figure]:
        """Curves, labels saved, minutes, and which images were chosen."""
        return {
            "curves": figures.curves_figure(self.curves, self.datasets, self.best),
            "saved": figures.saved_figure(self.comparisons, self.n_target_labels),
            "minutes": figures.minutes_figure(self.curves, self.best),
            "picked": figures.picked_figure(self.datasets, self.curves),
        }
