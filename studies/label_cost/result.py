"""Dice against labels of every strategy and both baselines, and everything that is said of it."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from icefloe.statistics.interval import Interval
from icefloe.statistics.repetitions import over_seeds
from studies.kit.study import Record, StudyResult
from studies.kit.tables import in_words, listed
from studies.label_cost import figures, savings
from studies.label_cost.annotation_time import LOOK_MINUTES, MEASURED_ON_PX, SCRATCH_MINUTES, TOLERANCE
from studies.label_cost.design import BASELINES
from studies.label_cost.replay import Outcome, Repetition
from studies.label_cost.savings import Comparison, CrossValidatedBest, Curves, MinutesNeeded


class DatasetSummary(Record):
    """What one arriving dataset is, and what any strategy is up to.

    Attributes
    ----------
    dataset, standard
        Names of the dataset that arrived, and of those that the first version was trained on.
    n_pool, n_test
        Numbers of images to choose from and to test on, mean over seeds.
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


class LabelCostResult(StudyResult):
    """What a label is worth.

    Attributes
    ----------
    preset, members, size, epochs, retraining_epochs, n_seeds, spread
        How versions were trained (of `params.yaml`: the encoders, side of the networks' input in px, epochs
        at most), how often, and how far strategies keep apart in time (`SamplerConfig.spread`).
    n_measured
        Number of images with a person's measured time.
    datasets, outcomes
        Every arriving dataset; every strategy on each of them with every seed and number of labels.
    best, comparisons, best_cross_validated, minutes
        What follows from them: the strategy with the largest area, every strategy against every baseline,
        what the best one gains on seeds that did not choose it, and a person's minutes with every strategy.
    """

    name: ClassVar[str] = "label-cost"
    title: ClassVar[str] = "What a label costs"
    folder: ClassVar[str] = "label_cost"
    words: ClassVar[Mapping[str, Any]] = {
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
    best: str
    comparisons: tuple[Comparison, ...]
    best_cross_validated: tuple[CrossValidatedBest, ...]
    minutes: tuple[MinutesNeeded, ...]

    @classmethod
    def of(
        cls, datasets: Sequence[DatasetSummary], outcomes: Sequence[Outcome], **how: Any
    ) -> "LabelCostResult":
        """With what follows from the outcomes; `how` are the other attributes."""
        curves = [Curves.of(each.dataset, outcomes) for each in datasets]
        compared = [name for name in curves[0].strategies if name not in BASELINES]
        areas = dict(zip(curves[0].strategies, savings.mean_areas(curves).mean(axis=1), strict=True))
        validated = (savings.cross_validated_best(curves, compared, name) for name in BASELINES)
        return cls(
            datasets=tuple(datasets),
            outcomes=tuple(outcomes),
            best=max(compared, key=areas.__getitem__),
            comparisons=savings.compare(curves, compared),
            best_cross_validated=tuple(each for each in validated if each),
            minutes=tuple(savings.minutes_to_target(curves, name) for name in curves[0].strategies),
            **how,
        )

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
        return self.best_in_words(BASELINES[0])

    def best_in_words(self, baseline: str) -> str:
        """The best strategy against a baseline, on the seeds that chose it and on others."""
        gain = self.against(baseline)[self.best].gain
        text = (
            f"Best strategy against {baseline}: {self.best}, area under the learning curve "
            f"{gain.text(signed=True)}. It is the best of {len(self.compared)} on these very seeds, "
            "which favours it. "
        )
        for found in self.best_cross_validated:
            if found.baseline == baseline:
                verdict = in_words(found.gain, "better than the baseline", "worse than the baseline")
                return text + (
                    "Chosen on the other seeds and measured on the one left out "
                    f"({', '.join(dict.fromkeys(found.chosen))}): {found.gain.text(signed=True)}, {verdict}."
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

    def area(self, strategy: str) -> Interval:
        """Area under a strategy's learning curves, mean over datasets, with its interval over seeds."""
        return over_seeds(savings.mean_areas(self.curves)[self.strategies.index(strategy)])

    def plot(self, ax: Axes) -> None:
        """Learning curves on the first dataset."""
        figures.draw_curves(ax, self.curves[0], self.datasets[0], self.best)

    def figures(self) -> dict[str, Figure]:
        """Curves, labels saved, minutes, and which images were chosen."""
        return {
            "curves": figures.curves_figure(self),
            "saved": figures.saved_figure(self),
            "minutes": figures.minutes_figure(self),
            "picked": figures.picked_figure(self),
        }
