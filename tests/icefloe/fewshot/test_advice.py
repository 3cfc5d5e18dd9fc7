"""Which chip to label next, and warnings."""

import numpy as np
import pytest

from icefloe.fewshot.advice import advise, label_next
from icefloe.fewshot.classifier import Classifier
from icefloe.fewshot.grid import Grid
from icefloe.fewshot.prototypes import distinct
from icefloe.fewshot.rule import Rule
from icefloe.fewshot.sets import SupportSets
from icefloe.fewshot.temperature import leave_one_out

GRID = Grid(height=60, width=60, edge=10)


@pytest.fixture
def embeddings(rng):
    """36 chips: 12 of each of three clouds that are far apart."""
    middles = np.repeat(np.array([[0, 0], [10, 0], [0, 10]]), 12, axis=0)
    return (rng.normal(0, 0.3, (36, 2)) + middles).astype(np.float32)


def notes(embeddings, chips, constant=(), far=(), is_support_image=True):
    sets = SupportSets()
    for name, of_set in chips.items():
        sets = sets.added(name, of_set)
    classifier = Classifier.fit(embeddings, sets, GRID, Rule(n_resamples=20))
    nearest = np.arange(36) // 12
    told = advise(
        sets.sets,
        classifier.left_out,
        nearest,
        np.isin(np.arange(36), constant),
        np.array(far, int),
        is_support_image=is_support_image,
    )
    return "\n".join(told)


def test_good_sets_get_no_warning(embeddings):
    assert notes(embeddings, {"a": [0, 1, 2], "b": [12, 13, 14], "c": [24, 25]}) == ""


def test_the_next_chips_are_uncertain_unlabelled_and_unlike_each_other():
    embeddings = np.array([[0.0], [0.1], [5.0], [5.1], [9.0], [20.0]], np.float32)
    likely = np.array([[0.5, 0.5], [0.5, 0.5], [0.5, 0.5], [0.6, 0.4], [0.6, 0.4], [0.99, 0.01]])

    chosen = label_next(embeddings, likely, labelled=[0], n=2)

    assert chosen == (5, 4)  # the farthest of the pool, then the farthest from both


def test_of_many_chips_only_the_most_uncertain_are_looked_at(rng):
    embeddings = rng.normal(size=(500, 3)).astype(np.float32)
    likely = np.linspace(0.5, 1, 500)
    chosen = label_next(embeddings, np.stack([likely, 1 - likely], axis=1), labelled=[0, 1])
    assert len(set(chosen)) == 5
    assert max(chosen) < 52
    assert not {0, 1} & set(chosen)


def test_where_everything_is_labelled_nothing_is_next():
    embeddings, likely = np.zeros((2, 1), np.float32), np.full((2, 2), 0.5)
    assert label_next(embeddings, likely, labelled=[0, 1]) == ()


def test_a_set_of_one_borrows_the_temperature_and_is_told(embeddings):
    told = notes(embeddings, {"a": [0, 1, 2], "b": [12]})
    assert told == "b: has one support and takes the others' temperature. Give each set 2 to 10 chips."


def test_sets_of_one_alone_cannot_be_checked(embeddings):
    told = notes(embeddings, {"a": [0], "b": [12]})
    assert "a, b: has one support, so no probability can be checked." in told


def test_more_than_ten_supports_are_told(embeddings):
    told = notes(embeddings, {"a": range(11), "b": [12, 13]})
    assert told.startswith("a: more than 10 supports, which rarely helps.")


def test_sets_of_one_kind_have_nearly_equal_prototypes(embeddings):
    embeddings[:8] = np.arange(8)[:, None] / 10
    told = notes(embeddings, {"a": [0, 2, 4, 6], "b": [1, 3, 5, 7], "c": [12, 13]})
    assert "a and b have nearly equal prototypes" in told
    assert "Join them, or choose chips that differ more." in told
    assert "c have" not in told


def test_a_support_on_the_wrong_side_is_named(embeddings):
    told = notes(embeddings, {"a": [0, 1, 2], "b": [12, 13, 3]})
    assert "Supports that are nearer to another set's prototype: 3 (b). Look at them again." in told


def test_chips_of_one_value_are_counted(embeddings):
    told = notes(embeddings, {"a": [0, 1, 2], "b": [12, 13, 14]}, constant=[5, 6])
    assert told.startswith("2 chips are of one value each, so their class means little.")


def test_an_image_unlike_the_supports_is_told_first(embeddings):
    told = notes(embeddings, {"a": [0, 1, 2], "b": [12]}, far=range(20, 34), is_support_image=False)
    assert told.startswith("39% of the chips resemble no prototype. Choose supports in this image, too.")


def test_chips_of_a_class_without_a_set_are_counted_and_named(embeddings):
    told = notes(embeddings, {"a": range(5), "b": range(12, 17)}, far=range(24, 36))
    assert told == (
        "12 chips (33%) lie far from every set; a class may be missing. Look at 24, 25, 26, 27, 28 ..., "
        "and give them a set."
    )


def test_a_few_far_chips_are_no_missing_class(embeddings):
    """Of four supports, the next chip lies farther than all with probability 1 / 5."""
    assert "missing" not in notes(embeddings, {"a": [0, 1], "b": [12, 13]}, far=range(7))
    assert "missing" in notes(embeddings, {"a": [0, 1], "b": [12, 13]}, far=range(8))


def test_the_result_has_the_chips_farther_than_any_support_left_out_from_its_own(embeddings):
    """The third of three clouds has no set."""
    sets = SupportSets().added("a", range(8)).added("b", range(12, 20))
    classifier = Classifier.fit(embeddings, sets, GRID, Rule(n_resamples=20))
    x = classifier.space.vectors(embeddings)
    own = [
        np.sum((x[chip] - x[[other for other in of_set if other != chip]].mean(axis=0)) ** 2)
        for of_set in (range(8), range(12, 20))
        for chip in of_set
    ]
    to_sets = np.stack(
        [np.sum((x - x[list(of_set)].mean(axis=0)) ** 2, axis=1) for of_set in (range(8), range(12, 20))]
    )

    result = classifier.classify(embeddings, GRID, np.zeros(36, bool), is_support_image=True)

    assert result.far_chips == tuple(np.flatnonzero(to_sets.min(axis=0) > max(own)).tolist())
    assert set(range(24, 36)) <= set(result.far_chips)
    assert result.far == len(result.far_chips) / 36
    assert "a class may be missing" in result.sentence()


def test_equal_supports_of_two_sets_are_nearly_equal_prototypes():
    embeddings = np.zeros((36, 2), np.float32)
    embeddings[2:] = np.random.default_rng(0).normal(size=(34, 2))
    left_out = leave_one_out([distinct(embeddings[[0]]), distinct(embeddings[[1]])])
    sets = SupportSets().added("a", [0]).added("b", [1])
    told = advise(
        sets.sets, left_out, np.zeros(36, int), np.zeros(36, bool), np.array([], int), is_support_image=False
    )
    assert told[0].startswith("a and b have nearly equal prototypes: 2 of 2 supports")
