import shutil

import pytest

from icefloe.active.sampler import SamplerConfig
from icefloe.datasets.dataset import Sample
from icefloe.datasets.splits import SplitConfig
from icefloe.errors import IcefloeError
from studies.kit.data import StudyData
from studies.label_cost.design import (
    arriving_datasets,
    compared_strategies,
    hold_out,
    rising_seconds,
    standard_split,
)


def frames(count: int) -> list[Sample]:
    return [Sample("D3", f"s{index}", index, None) for index in range(count)]


def test_an_arriving_dataset_meets_the_standard_ones_before_it(data):
    loaded = StudyData.load(data, ["A", "B", "C"])
    first, second = arriving_datasets(loaded, ["A", "B"], ["B", "C"], 1)
    assert (first.name, first.standard) == ("B", ("A",))
    assert (second.name, second.standard) == ("C", ("A", "B"))
    assert len(second.samples) == 12


def test_the_first_standard_dataset_arrives_after_the_second(data):
    loaded = StudyData.load(data, ["A", "B"])
    (first,) = arriving_datasets(loaded, ["A", "B"], ["A"], 1)
    assert first.standard == ("B",)


def test_duplicates_arrive_once_and_not_at_all_where_a_standard_dataset_shows_them(data, tmp_path):
    shutil.copytree(data, tmp_path / "data")
    images = tmp_path / "data" / "C" / "images"
    shutil.copy(images / "composite_003.tif", images / "composite_007.tif")
    shutil.copy(tmp_path / "data" / "A" / "images" / "composite_002.tif", images / "composite_009.tif")
    loaded = StudyData.load(tmp_path / "data", ["A", "C"])
    (arrival,) = arriving_datasets(loaded, ["A"], ["C"], 1)
    assert [sample.index for sample in arrival.samples] == [0, 1, 2, 3, 4, 5, 6, 8, 10, 11]


@pytest.mark.parametrize("seed", range(5))
def test_test_images_stand_in_blocks_over_the_whole_time_with_a_guard_beside(seed):
    division = hold_out(frames(30), seed)
    pool, test = ({sample.index for sample in side} for side in (division.pool, division.test))
    assert len(test) == 9
    assert len(pool) in (15, 16)
    assert all(index + step not in pool for index in test for step in (-1, 0, 1))
    assert min(test) < 10
    assert max(test) >= 20


def test_few_images_are_held_out_without_guards_and_elsewhere_with_each_seed():
    divided = [hold_out(frames(7), seed) for seed in range(6)]
    assert {(len(division.pool), len(division.test)) for division in divided} == {(5, 2)}
    assert len({division.test for division in divided}) > 2


def test_standard_datasets_are_divided_without_a_test_side(data):
    loaded = StudyData.load(data, ["A", "B", "C"])
    split = standard_split(loaded, ["A", "B"], SplitConfig())
    assert split.test == ()
    assert len(split.train) + len(split.validation) == 14


@pytest.mark.parametrize(
    ("standard", "arriving", "message"),
    [
        (["A"], [], r"^No dataset arrives\. Name one with --arriving"),
        (["A"], ["A"], r"^A: no standard dataset but itself\. Name one with --standard\."),
    ],
)
def test_what_cannot_be_replayed_is_refused(data, standard, arriving, message):
    with pytest.raises(IcefloeError, match=message):
        arriving_datasets(StudyData.load(data, ["A", "B", "C"]), standard, arriving, 1)


def test_a_dataset_that_shows_too_few_different_things_is_refused(data, tmp_path):
    shutil.copytree(data, tmp_path / "data")
    images = tmp_path / "data" / "C" / "images"
    for index in range(3, 12):
        shutil.copy(images / "composite_000.tif", images / f"composite_{index:03d}.tif")
    loaded = StudyData.load(tmp_path / "data", ["A", "C"])
    with pytest.raises(
        IcefloeError, match=r"^C: shows 3 different things that A do not\. Name a dataset with 4"
    ):
        arriving_datasets(loaded, ["A"], ["C"], 1)


def test_standard_datasets_with_too_few_labels_are_refused(data):
    loaded = StudyData.load(data, ["A", "C"])
    with pytest.raises(IcefloeError, match=r"^C: too few labels to train and validate on\. Label 5 or more"):
        standard_split(loaded, ["C"], SplitConfig())


def test_seconds_are_whole_numbers_that_rise():
    assert rising_seconds("15,30,60") == (15, 30, 60)
    with pytest.raises(IcefloeError, match=r"--seconds 1;2: not whole numbers\. Write them like 15,30,60\."):
        rising_seconds("1;2")
    with pytest.raises(IcefloeError, match=r"^Seconds 2, 2: not rising from 1 or more\."):
        rising_seconds("2,2")


def test_images_are_drawn_or_chosen_as_today_and_regions_at_random_or_where_members_disagree():
    found = compared_strategies([], SamplerConfig(spread=0.4))
    assert [each.name for each in found] == [
        "random",
        "foreground-random",
        SamplerConfig().strategy,
        "random-regions",
        "uncertain-regions",
    ]
    assert [each.regions is None for each in found] == [True, True, True, False, False]
    assert [each.sampler.spread for each in found[:3]] == [0, 0, 0.4]


def test_named_strategies_stand_beside_the_default():
    found = compared_strategies(["entropy", "random"], SamplerConfig(strategy="mean-uq"))
    names = ["random", "foreground-random", "mean-uq", "entropy", "random-regions", "uncertain-regions"]
    assert [each.name for each in found] == names
    assert [each.sampler.strategy for each in found[:4]] == names[:4]


def test_an_unknown_strategy_is_refused():
    with pytest.raises(IcefloeError, match="'magic' is not a sampling strategy"):
        compared_strategies(["magic"], SamplerConfig())
