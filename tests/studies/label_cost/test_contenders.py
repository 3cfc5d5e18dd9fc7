import pytest

from icefloe.active.sampler import SamplerConfig
from icefloe.active.strategies import STRATEGIES
from icefloe.errors import IcefloeError
from studies.label_cost.contenders import contenders


def test_both_baselines_draw_freely_and_every_strategy_keeps_apart():
    spread = {each.name: each.sampler.spread for each in contenders([], SamplerConfig(spread=0.4))}
    assert list(spread)[:2] == ["random", "foreground-random"]
    others = set(STRATEGIES) - {"random", "foreground-random"} | {"random-spread"}
    assert spread == {"random": 0, "foreground-random": 0} | dict.fromkeys(others, 0.4)


def test_named_strategies_stand_beside_the_baselines():
    found = contenders(["entropy", "random"], SamplerConfig())
    assert [each.name for each in found] == ["random", "foreground-random", "entropy", "random-spread"]
    assert [each.sampler.strategy for each in found] == ["random", "foreground-random", "entropy", "random"]


def test_without_a_spread_the_baselines_stand_there_once():
    names = [each.name for each in contenders(["random", "mean-uq"], SamplerConfig(spread=0))]
    assert names == ["random", "foreground-random", "mean-uq"]


def test_an_unknown_strategy_is_refused():
    with pytest.raises(IcefloeError, match="'magic' is not a sampling strategy"):
        contenders(["magic"], SamplerConfig())


def test_nothing_to_compare_is_refused():
    with pytest.raises(IcefloeError, match="nothing to compare"):
        contenders(["random"], SamplerConfig(spread=0))
