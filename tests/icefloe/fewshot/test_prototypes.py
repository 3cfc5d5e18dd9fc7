"""Prototypes, probabilities and labels, against scipy and scikit-learn."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.special import softmax
from sklearn.neighbors import NearestCentroid

from icefloe.fewshot.classifier import Classifier
from icefloe.fewshot.grid import Grid
from icefloe.fewshot.rule import Rule
from icefloe.fewshot.sets import SupportSets

GRID = Grid(height=60, width=60, edge=10)
NONE_CONSTANT = np.zeros(36, bool)
RULE = Rule(n_resamples=20)


@st.composite
def labelled(draw):
    """Embeddings of 36 chips in three clouds, and the sets of some."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    embeddings = rng.normal(size=(36, 5)) + np.repeat(rng.normal(0, 2, (3, 5)), 12, axis=0)
    sets = SupportSets()
    for index, name in enumerate("abc"):
        n = draw(st.integers(1, 6))
        sets = sets.added(name, [12 * index + chip for chip in range(n)])
    return embeddings.astype(np.float32), sets


def classified(embeddings, sets):
    classifier = Classifier.fit(embeddings, sets, GRID, RULE)
    return classifier, classifier.classify(embeddings, GRID, NONE_CONSTANT, is_support_image=True)


@settings(max_examples=25, deadline=None)
@given(labelled())
def test_probabilities_equal_scipy_and_labels_equal_the_nearest_centroid(case):
    embeddings, sets = case
    classifier, result = classified(embeddings, sets)
    chips = [chip for one in sets.sets for chip in one.chips]
    owners = [index for index, one in enumerate(sets.sets) for _ in one.chips]
    away = embeddings.astype(np.float64) - embeddings.astype(np.float64).mean(axis=0)
    x = away / np.linalg.norm(away, axis=1, keepdims=True)
    peer = NearestCentroid().fit(x[chips], owners)

    expected = softmax(-(cdist(x, peer.centroids_) ** 2) / classifier.temperature, axis=1)
    np.testing.assert_allclose(result.probability_array(), expected, atol=1e-6)
    np.testing.assert_allclose(result.probability_array().sum(axis=1), 1, atol=3e-6)
    np.testing.assert_array_equal(result.nearest, peer.predict(x))


@settings(max_examples=25, deadline=None)
@given(labelled(), st.randoms())
def test_the_order_of_supports_does_not_matter(case, random):
    embeddings, sets = case
    shuffled = SupportSets(
        sets=tuple(
            one.model_copy(update={"chips": tuple(random.sample(one.chips, len(one.chips)))})
            for one in sets.sets
        )
    )

    assert (
        classified(embeddings, shuffled)[1].model_dump_json()
        == classified(embeddings, sets)[1].model_dump_json()
    )


@settings(max_examples=25, deadline=None)
@given(labelled(), st.integers(0, 2))
def test_one_more_identical_support_changes_no_label(case, index):
    embeddings, sets = case
    one = sets.sets[index]
    copy = 12 * index + 11  # no set has it
    embeddings[copy] = embeddings[one.chips[0]]
    before = classified(embeddings, sets)[1]

    after = classified(embeddings, sets.assigned(one.name, [copy], GRID))[1]

    assert after.nearest == before.nearest
    assert after.probabilities == before.probabilities
    assert after.temperature == before.temperature
