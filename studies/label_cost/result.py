"""Dice against a person's seconds with every strategy, and everything that is said of it."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from icefloe.active.proposals import TILES_A_LAP, TILES_ALONG, RandomRegions
from icefloe.statistics.interval import Interval
from icefloe.statistics.repetitions import over_seeds
from studies.kit.keystrokes import DRAW_PX_PER_S, KEY_S, POINT_S, THINK_S
from studies.kit.study import Record, StudyResult
from studies.kit.tables import listed
from studies.label_cost import figures, savings
from studies.label_cost.annotation_time import GLANCE_PX, GLANCE_S, MEASURED_ON_PX, SCREEN_PX, TOLERANCE
from studies.label_cost.design import BASELINES
from studies.label_cost.replay import Outcome, Repetition
from studies.label_cost.savings import Comparison, CrossValidatedBest, Curves


class DatasetSummary(Record):
    """What one arriving dataset is, and what any strategy is up to.

    Attributes
    ----------
    dataset, standard
        Names of the dataset that arrived, and of those that the first version was trained on.
    is_simulated
        Whether it was simulated.
    n_pool, n_test
        Numbers of images to choose from and to test on, mean over seeds.
    whole_pool, baselines
        Dice with the whole pool labelled, seed by seed; by what takes no learning, mean over seeds.
    frames, picked
        Time indices of its images; strategy -> of each the share of the seeds with it in their pool in which
        it had a label by the last round, None where no seed has it there.
    """

    dataset: str
    standard: tuple[str, ...]
    is_simulated: bool
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
        last = [o for o in own if o.budget == max(o.budget for o in own)]
        frames = tuple(sample.index for sample in dataset.samples)
        baselines = [each.baseline_dice() for each in repetitions]
        offered = {frame: sum(frame in pool for pool in pools) for frame in frames}

        def share(strategy: str, frame: int) -> float | None:
            chosen = sum(frame in o.frames for o in last if o.strategy == strategy)
            return chosen / offered[frame] if offered[frame] else None

        return cls(
            dataset=dataset.name,
            standard=dataset.standard,
            is_simulated=dataset.is_simulated,
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


class Spent(Record):
    """What a strategy's labels were by the last round, mean over seeds and datasets.

    Attributes
    ----------
    strategy
        Its name.
    seconds, clicks, images, regions
        As in `Outcome`.
    """

    strategy: str
    seconds: float
    clicks: float
    images: float
    regions: float


class LabelCostResult(StudyResult):
    """What a label is worth.

    Attributes
    ----------
    preset, members, size, epochs, retraining_epochs, n_seeds, spread, default
        How versions were trained (of `params.yaml`: the encoders, side of the networks' input in px, epochs
        at most), how often, how far strategies keep apart in time (`SamplerConfig.spread`), and the strategy
        that the preset chooses images by.
    datasets, outcomes
        Every arriving dataset; every strategy on each of them with every seed and round.
    best, comparisons, best_cross_validated
        What follows from them: the strategy with the largest area, every strategy against every baseline, and
        what the best one gains on seeds that did not choose it.
    """

    name: ClassVar[str] = "label-cost"
    title: ClassVar[str] = "What a label costs"
    folder: ClassVar[str] = "label_cost"
    words: ClassVar[Mapping[str, Any]] = {
        "key": KEY_S,
        "point": POINT_S,
        "think": THINK_S,
        "draw": DRAW_PX_PER_S,
        "screen": SCREEN_PX,
        "glance": GLANCE_S,
        "glance_px": GLANCE_PX,
        "tolerance_px": MEASURED_ON_PX * TOLERANCE,
        "image_px": MEASURED_ON_PX,
        "along": TILES_ALONG,
        "lap": TILES_A_LAP,
        "draws": BASELINES,
    }

    preset: str
    members: tuple[str, ...]
    size: int
    epochs: int
    retraining_epochs: int
    n_seeds: int
    spread: float
    default: str
    datasets: tuple[DatasetSummary, ...]
    outcomes: tuple[Outcome, ...]
    best: str
    comparisons: tuple[Comparison, ...]
    best_cross_validated: tuple[CrossValidatedBest, ...]

    @classmethod
    def of(
        cls, datasets: Sequence[DatasetSummary], outcomes: Sequence[Outcome], *, default: str, **how: Any
    ) -> "LabelCostResult":
        """With what follows from the outcomes; `how` are the other attributes."""
        curves = [Curves.of(each.dataset, each.is_simulated, outcomes) for each in datasets]
        names = curves[0].strategies
        compared = [name for name in names if name not in BASELINES]
        baselines = _baselines(default)
        areas = dict(zip(names, savings.mean_areas(curves).mean(axis=1), strict=True))
        validated = (savings.cross_validated_best(curves, compared, name) for name in baselines)
        return cls(
            datasets=tuple(datasets),
            outcomes=tuple(outcomes),
            default=default,
            best=max(compared, key=areas.__getitem__),
            comparisons=savings.compare(curves, compared, baselines),
            best_cross_validated=tuple(each for each in validated if each),
            **how,
        )

    @cached_property
    def curves(self) -> tuple[Curves, ...]:
        """Of each dataset; strategies and seeds are the same in all."""
        return tuple(Curves.of(each.dataset, each.is_simulated, self.outcomes) for each in self.datasets)

    @property
    def strategies(self) -> tuple[str, ...]:
        """All names, the random draws of images first."""
        return self.curves[0].strategies

    @property
    def baselines(self) -> tuple[str, ...]:
        """Those that every other strategy is compared with."""
        return _baselines(self.default)

    @property
    def kinds(self) -> dict[str, str]:
        """Kind of data, `real` or `simulated` -> names of its datasets."""
        found = savings.kinds(self.curves)
        return {kind: listed(curves.dataset for curves in of_kind) for kind, of_kind in found.items()}

    @property
    def spent(self) -> list[Spent]:
        """What every strategy's labels were."""
        last = [o for o in self.outcomes if o.budget == self.seconds[-1]]
        return [
            Spent(
                strategy=name,
                **{
                    what: float(np.mean([getattr(o, what) for o in last if o.strategy == name]))
                    for what in ("seconds", "clicks", "images", "regions")
                },
            )
            for name in self.strategies
        ]

    @property
    def seconds(self) -> tuple[int, ...]:
        """When the rounds end, 0 first."""
        return tuple(sorted({outcome.budget for outcome in self.outcomes}))

    def against(self, baseline: str) -> dict[str, Comparison]:
        """Every other strategy against one baseline."""
        return {each.strategy: each for each in self.comparisons if each.baseline == baseline}

    def sentence(self) -> str:
        """Whether another strategy should choose what is labelled."""
        if not self.best_cross_validated:
            return "A single seed cannot tell which strategy is best."
        found = {each.baseline: each for each in self.best_cross_validated}
        better = [name for name in (BASELINES[0], self.default) if found[name].is_better]
        gains = "; ".join(
            f"less {name}'s "
            + ", ".join(f"{kind} {gain.text(signed=True)}" for kind, gain in found[name].gain_by_kind.items())
            for name in dict.fromkeys((BASELINES[0], self.default))
        )
        chosen = tuple(dict.fromkeys(found[self.default].chosen))
        if len(chosen) == 1 and set(better) == {BASELINES[0], self.default}:
            verdict = f"{chosen[0]} is better than {self.default} and {BASELINES[0]}: make it the default."
        else:
            verdict = (
                f"Nothing is shown better than {self.default} and {BASELINES[0]} on real and on simulated "
                "data: the default stays."
            )
        return f"{verdict} Best on the other seeds ({', '.join(chosen)}), area on the one left out, {gains}."

    @property
    def target(self) -> float:
        """Seconds of a baseline, on each dataset, whose Dice is to be reached."""
        return self.curves[0].target_seconds

    def area(self, strategy: str) -> Interval:
        """Area under a strategy's learning curves, mean over datasets, with its interval over seeds."""
        return over_seeds(savings.mean_areas(self.curves)[self.strategies.index(strategy)])

    def plot(self, ax: Axes) -> None:
        """Learning curves on the first dataset."""
        figures.draw_curves(ax, self.curves[0], self.datasets[0])

    def figures(self) -> dict[str, Figure]:
        """Curves, time saved, and which images were chosen."""
        return {
            "curves": figures.curves_figure(self),
            "saved": figures.saved_figure(self),
            "picked": figures.picked_figure(self),
        }


def _baselines(default: str) -> tuple[str, ...]:
    """Random draws of images, the preset's strategy, random regions: what any other is to be better than."""
    return tuple(dict.fromkeys((*BASELINES, default, RandomRegions.name)))
