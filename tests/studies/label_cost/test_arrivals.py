import shutil

import pytest

from icefloe.datasets.dataset import Sample
from icefloe.datasets.splits import SplitConfig
from icefloe.errors import IcefloeError
from studies.label_cost.arrivals import arrivals, hold_out, standard_split
from studies.material import Material


def frames(count: int) -> list[Sample]:
    return [Sample("D3", f"s{index}", index, None) for index in range(count)]


def test_an_arriving_dataset_meets_the_standard_ones_before_it(data):
    material = Material.load(data, ["A", "B", "C"])
    first, second = arrivals(material, ["A", "B"], ["B", "C"])
    assert (first.dataset, first.standard) == ("B", ("A",))
    assert (second.dataset, second.standard) == ("C", ("A", "B"))
    assert len(second.samples) == 12


def test_duplicates_arrive_once_and_not_at_all_where_a_standard_dataset_shows_them(data, tmp_path):
    shutil.copytree(data, tmp_path / "data")
    images = tmp_path / "data" / "C" / "images"
    shutil.copy(images / "composite_003.tif", images / "composite_007.tif")
    shutil.copy(tmp_path / "data" / "A" / "images" / "composite_002.tif", images / "composite_009.tif")
    material = Material.load(tmp_path / "data", ["A", "C"])
    (arrival,) = arrivals(material, ["A"], ["C"])
    assert [sample.index for sample in arrival.samples] == [0, 1, 2, 3, 4, 5, 6, 8, 10, 11]


@pytest.mark.parametrize("seed", range(5))
def test_test_images_stand_in_blocks_over_the_whole_time_with_a_guard_beside(seed):
    sides = hold_out(frames(30), seed)
    pool, test = ({sample.index for sample in side} for side in (sides.pool, sides.test))
    assert len(test) == 9
    assert len(pool) in (15, 16)
    assert all(index + step not in pool for index in test for step in (-1, 0, 1))
    assert min(test) < 10
    assert max(test) >= 20


def test_few_images_are_held_out_without_guards_and_elsewhere_with_each_seed():
    divided = [hold_out(frames(7), seed) for seed in range(6)]
    assert {(len(sides.pool), len(sides.test)) for sides in divided} == {(5, 2)}
    assert len({sides.test for sides in divided}) > 2


def test_standard_datasets_are_divided_without_a_test_side(data):
    material = Material.load(data, ["A", "B", "C"])
    split = standard_split(material, ["A", "B"], SplitConfig())
    assert split.test == ()
    assert len(split.train) + len(split.validation) == 14


@pytest.mark.parametrize(
    ("standard", "arriving", "message"),
    [
        (["A"], [], r"^No dataset arrives\. Name one with --arriving"),
        (["A", "B"], ["A"], r"^A: no standard dataset comes before it\. Name one with --standard\."),
    ],
)
def test_what_cannot_be_replayed_is_refused(data, standard, arriving, message):
    with pytest.raises(IcefloeError, match=message):
        arrivals(Material.load(data, ["A", "B", "C"]), standard, arriving)


def test_a_dataset_that_shows_too_few_different_things_is_refused(data, tmp_path):
    shutil.copytree(data, tmp_path / "data")
    images = tmp_path / "data" / "C" / "images"
    for index in range(3, 12):
        shutil.copy(images / "composite_000.tif", images / f"composite_{index:03d}.tif")
    material = Material.load(tmp_path / "data", ["A", "C"])
    with pytest.raises(
        IcefloeError, match=r"^C: shows 3 different things that A don't\. Name a dataset with 4"
    ):
        arrivals(material, ["A"], ["C"])


def test_standard_datasets_with_too_few_labels_are_refused(data):
    material = Material.load(data, ["A", "C"])
    with pytest.raises(IcefloeError, match=r"^C: too few labels to train and validate on\. Label 5 or more"):
        standard_split(material, ["C"], SplitConfig())
