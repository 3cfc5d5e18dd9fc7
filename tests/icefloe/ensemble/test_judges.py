"""Images that some members were trained on, judged by the others."""

import numpy as np
import pytest

from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.judges import UnseenBy
from icefloe.ensemble.manifest import Manifest


@pytest.fixture
def seen_by(ensemble, member_weights):
    """The ensemble, each member held out from a fold and trained on the images named."""

    def make(*members):
        told = tuple(
            member.model_copy(update={"trained_on": keys, "fold": fold})
            for member, (fold, keys) in zip(ensemble.manifest.members, members, strict=True)
        )
        manifest = ensemble.manifest.model_copy(update={"members": told})
        return Ensemble(manifest, member_weights(2), device="cpu")

    return make


def test_each_image_is_judged_by_the_members_not_trained_on_it(ensemble, seen_by, samples):
    first, second, third, fourth = samples
    split = seen_by((0, (second.key, fourth.key)), (1, (first.key, fourth.key)))
    unseen_by = UnseenBy(split, {first.key: 0, second.key: 1})
    judged = [sample for sample in samples if unseen_by.judges(sample)]
    assert judged == [first, second, third]
    found = [prediction for _, prediction in unseen_by.predict(judged, keep_members=True)]
    alone = [p.member_probabilities for _, p in ensemble.predict(judged, keep_members=True)]
    np.testing.assert_allclose(found[0].mean, alone[0][0], atol=1e-6)
    np.testing.assert_allclose(found[1].mean, alone[1][1], atol=1e-6)
    np.testing.assert_allclose(found[2].mean, alone[2].mean(axis=0), atol=1e-6)
    assert [(p.n_members, p.n_left_out) for p in found] == [(1, 1), (1, 1), (2, 0)]
    assert np.array_equal(found[0].mask, found[0].mean >= ensemble.threshold)


def test_a_single_judge_has_no_disagreement(seen_by, samples):
    split = seen_by((0, ()), (1, (samples[0].key,)))
    ((_, prediction),) = UnseenBy(split, {samples[0].key: 0}).predict(samples[:1])
    scores = prediction.scores()
    assert {name for name, value in scores.items() if np.isnan(value)} >= {"uq_mean", "mutual_information"}
    assert np.isfinite([scores["entropy"], scores["foreground_fraction"]]).all()


def test_an_image_labelled_since_is_judged_by_its_fold_as_the_next_version_judges_it(seen_by):
    before = seen_by((0, ("D1/b",)), (1, ("D1/a",))).manifest
    assert before.judges("D2/new", 1) == (1,)
    assert before.judges("D2/new") == (0, 1)
    assert before.judges("D2/new", 2) == (0, 1)  # a fold that no member is left of


def test_members_that_say_nothing_judge_what_is_in_no_fold(ensemble):
    assert ensemble.manifest.judges("D1/a") == (0, 1)
    assert ensemble.manifest.judges("D1/a", 0) == ()


def test_what_an_earlier_training_saw_stays_seen_in_another_fold(seen_by):
    manifest = seen_by((0, ("D1/a", "D1/b")), (1, ("D1/a",))).manifest
    assert manifest.judges("D1/b", 0) == (1,)
    assert manifest.judges("D1/a", 0) == ()


def test_a_manifest_without_folds_loads_and_one_with_folds_comes_back(ensemble, seen_by, tmp_path):
    split = seen_by((0, ("D1/b",)), (1, ("D1/a",)))
    split.save(tmp_path / "folds")
    assert Ensemble.load(tmp_path / "folds", device="cpu").manifest == split.manifest
    text = ensemble.manifest.to_yaml().replace("  fold: null\n", "").replace("  trained_on: null\n", "")
    assert "trained_on" not in text
    (tmp_path / "ensemble.yaml").write_text(text)
    assert Manifest.load(tmp_path) == ensemble.manifest


@pytest.mark.parametrize(
    "name", ["name", "classes", "threshold", "temperature", "preprocessing", "guarantees"]
)
def test_it_is_described_as_its_ensemble(ensemble, name):
    assert getattr(UnseenBy(ensemble, {}), name) == getattr(ensemble, name)
