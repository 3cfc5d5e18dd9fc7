"""Running the study: first versions, rounds and retrainings of every seed."""

from collections.abc import Sequence

from icefloe.errors import IcefloeError
from icefloe.params import load_params
from icefloe.progress import SILENT, Progress
from icefloe.settings import Settings
from icefloe.training.ray_session import connected
from studies.kit.data import StudyData, labelled_and_held_back
from studies.kit.training import Trainer
from studies.label_cost.design import arriving_datasets, compared_strategies, rising_labels, standard_split
from studies.label_cost.replay import Repetition, replay
from studies.label_cost.result import DatasetSummary, LabelCostResult


def run_label_cost(
    settings: Settings,
    progress: Progress = SILENT,
    *,
    standard: Sequence[str] = (),
    arriving: Sequence[str] = (),
    strategies: Sequence[str] = (),
    labels: str = "1,2,4",
    n_seeds: int = 4,
    preset: str = "light",
) -> LabelCostResult:
    """Replay the loop with each strategy and both random baselines.

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
        and each labelled one but the first.
    strategies
        Names of sampling strategies; empty: all.
    labels
        How many images are labelled after each round, such as `1,2,4`; on a dataset with smaller pools the
        largest numbers are left out.
    n_seeds
        Number of repetitions.
    preset
        Name of a preset of `params.yaml`.

    Raises
    ------
    IcefloeError
        If datasets, strategies or labels can't be used, or a training fails.
    """
    if n_seeds < 1:
        raise IcefloeError(f"{n_seeds} seeds: nothing is replayed. Ask for one or more.")
    params = load_params(settings.workspace / "params.yaml", preset)
    counts = rising_labels(labels)
    compared = compared_strategies(strategies, params.sampling)
    labelled, held_back = labelled_and_held_back(settings.data)
    standard, arriving = standard or labelled, arriving or [*labelled[1:], *held_back]
    data = StudyData.load(settings.data, [*standard, *arriving])
    arrivals = arriving_datasets(data, standard, arriving, counts, n_seeds, params.split.guard_frames)
    splits = {each.standard: standard_split(data, each.standard, params.split) for each in arrivals}
    trainer, outcomes = Trainer(data, settings, progress), []
    repetitions: dict[str, list[Repetition]] = {each.name: [] for each in arrivals}
    with connected(settings.ray_address, settings.worker_niceness):
        for seed in range(n_seeds):
            progress.tell(f"Seed {seed + 1} of {n_seeds}")
            of_seed = [
                Repetition(each, seed, trainer, splits[each.standard], params.training) for each in arrivals
            ]
            outcomes += replay(trainer, of_seed, compared)
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
        n_measured=sum(len(each.measured) for each in arrivals),
    )
