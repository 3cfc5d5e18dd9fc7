"""How alike pairs of networks err: of different architectures, and of one."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from icefloe.scoring.diversity import ErrorCounts
from icefloe.statistics.repetitions import pseudo_values
from studies.ea_vs_er.design import Design, Seeds
from studies.ea_vs_er.results import Values

MEASURES = ("disagreement", "double_fault", "error_correlation", "q_statistic")
DIFFERENT = "different architectures"


def same(architecture: str) -> str:
    """How tables call pairs of an architecture's seeds."""
    return f"seeds of {architecture}"


def diversity(counts: ErrorCounts, design: Design) -> dict[str, dict[str, Values]]:
    """Kind of pair -> measure -> its mean over pairs, one number a seed (`intervals.pseudo_values`).

    Parameters
    ----------
    counts
        Errors of the design's networks, in their order.
    design
        The networks.
    """
    place = {name: index for index, name in enumerate(design.specs)}
    networks = {
        name: {seed: place[design.network(name, seed)] for seed in design.seeds}
        for name in design.architectures
    }
    by_kind: dict[str, dict[Seeds, list[tuple[int, int]]]] = {DIFFERENT: {}}
    for seed in design.seeds:
        of_seed = (networks[name][seed] for name in networks)
        by_kind[DIFFERENT][(seed,)] = list(itertools.combinations(of_seed, 2))
    for name, by_seed in networks.items():
        by_kind[same(name)] = {
            (one, other): [(by_seed[one], by_seed[other])]
            for one, other in itertools.combinations(design.seeds, 2)
        }
    return {
        kind: {measure: _over_pairs(getattr(counts, measure), pairs) for measure in MEASURES}
        for kind, pairs in by_kind.items()
    }


def _over_pairs(matrix: np.ndarray, pairs: Mapping[Seeds, Sequence[tuple[int, int]]]) -> Values:
    return pseudo_values(
        {seeds: float(np.mean([matrix[pair] for pair in chosen])) for seeds, chosen in pairs.items()}
    )
