"""Running the study: first versions, rounds and retrainings of every seed."""

from collections.abc import Sequence

from icefloe.errors import IcefloeError
from icefloe.params import load_params
from icefloe.progress import SILENT, Progress
from icefloe.settings import Settings
from icefloe.training.ray_session import connected
from studies.kit.data import StudyData, labelled_and_held_back
from studies.kit.training import Trainer
from studies.label_cost.design import arriving_datasets, compared_strategies, rising_seconds, standard_split
from studies.label_cost.replay import Repetition, replay
from studies.label_cost.result import DatasetSummary, LabelCostResult


def run_label_cost(
    settings: Settings,
    progress: Progress = SILENT,
    *,
    standard: Sequence[str] = (),
    arriving: Sequence[str] = (),
    strategies: Sequence[str] = (),
    seconds: str = "15,30,60",
    n_seeds: int = 4,
    preset: str = "light",
) -> LabelCostResult:
    """Replay the loop with each strategy, of whole images and of regions, at equal seconds of a person.

    Killed and run again, it finds its finished trainings.

    Parameters
    ----------
    settings
        Paths and services of the workspace.
    progress
        Told how far the study is.
    standard
        Datasets that first versions know; empty: those with labels.
    arriving
        Datasets that arrive, each after the standard ones before it; empty: those whose labels are held back,
        and each labelled one where there are several.
    strategies
        Names of further strategies to choose images by.
    seconds
        How long a person has labelled a dataset by the end of each round, such as `15,30,60`.
    n_seeds
        Number of repetitions.
    preset
        Name of a preset of `params.yaml`.

    Raises
    ------
    IcefloeError
        If datasets, strategies or seconds can't be used, or a training fails.
    """
    if n_seeds < 1:
        raise IcefloeError(f"{n_seeds} seeds: nothing is replayed. Ask for one or more.")
    params = load_params(settings.workspace / "params.yaml", preset)
    budgets = rising_seconds(seconds)
    compared = compared_strategies(strategies, params.sampling)
    labelled, held_back = labelled_and_held_back(settings.data)
    standard, arriving = (
        standard or labelled,
        arriving or [*(labelled if len(labelled) > 1 else ()), *held_back],
    )
    data = StudyData.load(settings.data, [*standard, *arriving])
    arrivals = arriving_datasets(data, standard, arriving, n_seeds, params.split.guard_frames)
    splits = {each.standard: standard_split(data, each.standard, params.split) for each in arrivals}
    trainer, outcomes = Trainer(data, settings, progress), []
    repetitions: dict[str, list[Repetition]] = {each.name: [] for each in arrivals}
    with connected(settings.ray_address, settings.worker_niceness):
        for seed in range(n_seeds):
            progress.tell(f"Seed {seed + 1} of {n_seeds}")
            of_seed = [
                Repetition(each, seed, trainer, splits[each.standard], params.training) for each in arrivals
            ]
            outcomes += replay(trainer, of_seed, compared, budgets)
            for each in of_seed:
                repetitions[each.dataset.name].append(each)
        datasets = [DatasetSummary.of(each, outcomes) for each in repetitions.values()]
    return LabelCostResult.of(
        datasets,
        outcomes,
        preset=preset,
        members=tuple(spec.encoder for spec in params.training.members),
        size=params.training.preprocessing.size,
        epochs=params.training.epochs,
        retraining_epochs=params.training.retraining.epochs,
        n_seeds=n_seeds,
        spread=params.sampling.spread,
        default=params.sampling.strategy,
    )
