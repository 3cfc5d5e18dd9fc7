"""The promotion gate measured on simulated arrivals."""

import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path

from icefloe.files import write_text_atomic
from icefloe.progress import SILENT, Progress
from icefloe.settings import Settings
from icefloe.workflow.planning import PROMOTION
from studies.promotion.arrivals import FirstVersion, Judged
from studies.promotion.design import PURPOSE, TRAINING, Arrival, World, plan
from studies.promotion.result import PromotionStudyResult
from studies.promotion.verdicts import decide


def run_promotion(
    settings: Settings,
    progress: Progress = SILENT,
    *,
    worlds: int = 12,
    arrivals: int = 20,
    processes: int = 2,
    seed: int = 0,
) -> PromotionStudyResult:
    """Let simulated experiments arrive, label two images of each, retrain, and ask the gate.

    What was measured is kept in the workspace: an interrupted study goes on from it.

    Parameters
    ----------
    settings
        Paths of the workspace; its datasets are not used.
    progress
        Told how many arrivals are measured.
    worlds, arrivals
        Number of first versions, each of its own standard experiments, and of arrivals at each.
    processes
        Number of arrivals trained at once.
    seed
        Draws the experiments; none of them is one that the gate's priors were chosen on.
    """
    planned = plan(PURPOSE, seed, worlds, arrivals)
    judged = measure(planned, settings.state / "promotion", processes, progress)
    return PromotionStudyResult(
        rule=PROMOTION,
        encoders=tuple(spec.encoder for spec in TRAINING.members),
        size=TRAINING.preprocessing.size,
        arrivals=tuple(decide(judged, PROMOTION)),
    )


def measure(
    planned: Sequence[Arrival], folder: Path, processes: int, progress: Progress = SILENT
) -> Mapping[Arrival, Judged]:
    """Every arrival's scores; what `folder` holds is read."""
    paths = {arrival: folder / f"{arrival.name}.json" for arrival in planned}
    missing = [arrival for arrival, path in paths.items() if not path.is_file()]
    first = len(planned) - len(missing) + 1
    for done, (arrival, found) in enumerate(_judge(missing, folder, processes), first):
        write_text_atomic(paths[arrival], found.model_dump_json())
        progress.advance("Simulated arrivals", done, len(planned))
    return {
        arrival: Judged.model_validate_json(path.read_text(encoding="utf-8"))
        for arrival, path in paths.items()
    }


def _judge(arrivals: Sequence[Arrival], folder: Path, processes: int) -> Iterator[tuple[Arrival, Judged]]:
    # Forked, torch's threads would hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _use_one_thread) as pool:
        worlds = dict.fromkeys(arrival.world for arrival in arrivals)
        list(pool.map(partial(_first_version, folder), worlds))
        futures = {pool.submit(_judge_one, folder, arrival): arrival for arrival in arrivals}
        for future in as_completed(futures):
            yield futures[future], future.result()


def _use_one_thread() -> None:
    import torch

    torch.set_num_threads(1)  # the processes share the cores already


def _first_version(folder: Path, world: World) -> FirstVersion:
    return FirstVersion.of(world, folder / f"world-{world.seed:x}")


def _judge_one(folder: Path, arrival: Arrival) -> Judged:
    return _first_version(folder, arrival.world).judge(arrival)
