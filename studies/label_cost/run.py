"""Running the study: first versions, rounds and retrainings of every seed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from icefloe.active.sampler import SamplerConfig
from icefloe.datasets.dataset import Sample
from icefloe.datasets.splits import Split, SplitConfig
from icefloe.errors import IcefloeError
from icefloe.training.config import TrainingConfig
from icefloe.training.ray_session import connected
from icefloe.typing import WeightsMirror
from studies.label_cost.arrivals import arrivals, standard_split
from studies.label_cost.contenders import contenders
from studies.label_cost.curves import Curves
from studies.label_cost.desk import Desk
from studies.label_cost.replay import Outcome, replay
from studies.label_cost.study import LabelCostStudy, Setup
from studies.label_cost.trial import Trial
from studies.label_cost.versions import Versions
from studies.material import Material


@dataclass(frozen=True)
class Plan:
    """What is replayed.

    Attributes
    ----------
    standard, arriving
        Names of datasets; each arriving one meets a version trained on the standard ones before it.
    strategies
        Names; none: all.
    labels
        How many images are labelled after each round; an arrival stops where a seed's pool is exhausted.
    n_seeds
        Repetitions.
    """

    standard: tuple[str, ...]
    arriving: tuple[str, ...]
    strategies: tuple[str, ...]
    labels: tuple[int, ...]
    n_seeds: int

    @property
    def datasets(self) -> list[str]:
        """Names of all that are needed."""
        return list(dict.fromkeys([*self.standard, *self.arriving]))

    def __post_init__(self) -> None:
        if self.n_seeds < 1:
            raise IcefloeError(f"{self.n_seeds} seeds: nothing is replayed. Ask for one or more.")
        if not self.labels or min(self.labels) < 1 or list(self.labels) != sorted(set(self.labels)):
            raise IcefloeError(
                f"Labels {', '.join(map(str, self.labels))}: not rising from 1 or more. "
                "Name what is labelled after each round, such as 1,2,4."
            )


def run_label_cost(
    material: Material,
    plan: Plan,
    training: TrainingConfig,
    sampler: SamplerConfig,
    split: SplitConfig,
    *,
    preset: str,
    checkpoints: Path,
    ray_address: str | None = None,
    weights_dir: WeightsMirror | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> LabelCostStudy:
    """Replay the loop with each strategy and both random baselines.

    Killed and run again, it finds its finished trainings.

    Parameters
    ----------
    material
        The datasets.
    plan
        What is replayed on them.
    training, sampler, split, preset
        Sections of a preset, and its name.
    checkpoints, ray_address, weights_dir
        As in `Settings`.
    tell
        Called with a line when a seed begins.

    Raises
    ------
    IcefloeError
        If datasets, strategies or labels can't be used, or a training fails.
    """
    compared = contenders(plan.strategies, sampler)
    came = arrivals(material, plan.standard, plan.arriving)
    splits = {each.standard: standard_split(material, each.standard, split) for each in came}
    trials = [Trial.prepare(material, each, plan.labels, plan.n_seeds, split.guard_frames) for each in came]
    images = material.prepare(_trained_on(material, splits.values(), trials), training.preprocessing)
    desks: dict[Trial, list[Desk]] = {trial: [] for trial in trials}
    outcomes: list[Outcome] = []
    with connected(ray_address):
        for seed in range(plan.n_seeds):
            tell(f"Seed {seed + 1} of {plan.n_seeds}")
            versions = Versions(material, images, splits, training, seed, checkpoints, weights_dir)
            for trial, of_trial in desks.items():
                of_trial.append(Desk(trial, versions))
            outcomes += replay([of_trial[seed] for of_trial in desks.values()], compared)
    return LabelCostStudy(
        setup=Setup(
            preset=preset,
            members=tuple(spec.encoder for spec in training.members),
            size=training.preprocessing.size,
            epochs=training.epochs,
            retraining_epochs=training.retraining.epochs,
            n_seeds=plan.n_seeds,
            spread=sampler.spread,
        ),
        arrivals=tuple(
            Curves.of([each for each in outcomes if each.dataset == trial.arrival.dataset], of_trial)
            for trial, of_trial in desks.items()
        ),
        n_measured=sum(len(trial.measured) for trial in trials),
    )


def _trained_on(material: Material, splits: Iterable[Split], trials: Sequence[Trial]) -> list[Sample]:
    """Every image that some version trains on or is validated with."""
    keys = {key for split in splits for key in (*split.train, *split.validation)}
    keys |= {sample.key for trial in trials for sample in trial.arrival.samples}
    return [sample for sample in material.samples(*material.datasets) if sample.key in keys]
