"""Directions from the support image's mean."""

import numpy as np

from icefloe.fewshot.classifier import Classifier
from icefloe.fewshot.grid import Grid
from icefloe.fewshot.rule import Rule
from icefloe.fewshot.sets import SupportSets
from icefloe.fewshot.space import Space


def test_vectors_have_length_1_but_for_a_chip_at_the_centre():
    embeddings = np.array([[1, 2], [3, 2], [2, 0], [2, 2]], np.float32)
    vectors = Space(np.array([2.0, 2.0])).vectors(embeddings)
    np.testing.assert_allclose(vectors, [[-1, 0], [1, 0], [0, -1], [0, 0]])


def test_another_image_is_measured_from_the_support_images_mean(rng):
    embeddings = rng.normal(size=(20, 3)).astype(np.float32)
    space = Space.of(embeddings)
    np.testing.assert_array_equal(space.vectors(embeddings[:4]), space.vectors(embeddings)[:4])


def test_bright_particles_of_any_brightness_leave_a_dark_background_sure(rng):
    """Features grow with brightness, which differs from particle to particle by a factor of ten."""
    particle = np.array([1.0, 2.0, 0.5])
    brightness = rng.uniform(1, 10, 20)
    embeddings = np.concatenate([brightness[:, None] * particle, np.zeros((80, 3))])
    embeddings = (embeddings + rng.normal(0, 0.05, (100, 3))).astype(np.float32)
    grid = Grid(height=100, width=100, edge=10)
    sets = SupportSets().added("particle", range(6)).added("background", [30, 31, 32])

    classifier = Classifier.fit(embeddings, sets, grid, Rule())
    result = classifier.classify(embeddings, grid, np.zeros(100, bool), is_support_image=True)

    assert (result.outcomes[20:] == 1).mean() > 0.95
    assert (result.outcomes[:20] == 0).mean() > 0.8
