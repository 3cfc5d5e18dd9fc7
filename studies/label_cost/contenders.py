"""Who is compared: two random baselines, and the strategies that claim to do better."""

from collections.abc import Sequence
from dataclasses import dataclass

from icefloe.active.sampler import SamplerConfig
from icefloe.active.strategies import STRATEGIES, ForegroundRandom, Random, strategy
from icefloe.errors import IcefloeError

BASELINES = (Random.name, ForegroundRandom.name)


@dataclass(frozen=True)
class Contender:
    """A way of choosing images: its name in tables, and how the sampler is set; `k` is set at each round."""

    name: str
    sampler: SamplerConfig


def contenders(names: Sequence[str], sampler: SamplerConfig) -> list[Contender]:
    """The two baselines, then the strategies of these names; none named: every other one.

    Baselines draw without keeping apart in time, as the paper's. Strategies keep the preset's `spread`, which
    alone may make a difference: so a random draw that keeps it is among them, called `random-spread`.

    Raises
    ------
    IcefloeError
        If there is no strategy of that name, or none but the baselines.
    """
    plain = [
        Contender(name, sampler.model_copy(update={"strategy": name, "spread": 0.0})) for name in BASELINES
    ]
    wanted = dict.fromkeys(names or [name for name in STRATEGIES if name != ForegroundRandom.name])
    keeping_apart = [
        Contender(
            f"{name}-spread" if name in BASELINES else name,
            sampler.model_copy(update={"strategy": strategy(name).name}),
        )
        for name in wanted
        # Without a spread to keep, a baseline would stand there twice.
        if name not in BASELINES or sampler.spread > 0
    ]
    if not keeping_apart:
        raise IcefloeError(
            "There is nothing to compare with the random baselines. Name another strategy with --strategy."
        )
    return [*plain, *keeping_apart]
