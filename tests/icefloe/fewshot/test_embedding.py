"""Both ways to vectors, with a real encoder."""

import numpy as np
import pytest
import torch

from icefloe.errors import IcefloeError
from icefloe.fewshot.brightness import N_NUMBERS
from icefloe.fewshot.cache import Cache
from icefloe.fewshot.classifier import Classifier
from icefloe.fewshot.embedding import WAYS, embed
from icefloe.fewshot.embedding_spec import EmbeddingSpec, EncoderSpec
from icefloe.fewshot.encoder import Encoder
from icefloe.fewshot.grid import Grid
from icefloe.fewshot.rule import Rule
from icefloe.fewshot.sets import SupportSets


@pytest.mark.parametrize("way", list(WAYS))
def test_a_mosaic_of_two_textures_is_told_apart_by_three_supports_each(mosaic, encoder, way):
    image, grid, classes = mosaic
    embeddings = embed(image, grid, encoder, EmbeddingSpec(way=way))
    sets = SupportSets().added("stripes", [0, 25, 50]).added("blobs", [5, 30, 63])

    classifier = Classifier.fit(embeddings, sets, grid, Rule())
    result = classifier.classify(embeddings, grid, np.zeros(64, bool), is_support_image=True)

    assert np.mean(np.array(result.nearest) == classes) >= 0.95
    assert not (result.probability_array().max(axis=1) > 0.999).all()


@pytest.mark.parametrize("way", list(WAYS))
@pytest.mark.parametrize("surroundings", [False, True])
def test_exposure_changes_no_embedding_and_surroundings_add_to_it(mosaic, encoder, way, surroundings):
    image, grid, _ = mosaic
    spec = EmbeddingSpec(way=way, surroundings=surroundings)
    once = embed(image, grid, encoder, spec)
    brighter = embed(3 * image + 100, grid, encoder, spec)
    n_features = embed(image, grid, encoder, EmbeddingSpec(way=way)).shape[1]

    assert once.dtype == np.float32
    n_of_encoder = n_features - N_NUMBERS
    assert once.shape == (64, n_features + n_of_encoder * surroundings)
    np.testing.assert_allclose(brighter, once, atol=2e-3 * np.abs(once).max())


def test_dense_features_are_means_over_each_chips_own_area(mosaic, encoder):
    image, _, _ = mosaic
    grid = Grid(height=128, width=128, edge=32)  # brought to 64 px: 256 px in all, chips of 8 x 8 cells
    found = embed(image, grid, encoder, EmbeddingSpec())

    standard = torch.from_numpy((image - image.mean()) / image.std())[None, None]
    larger = torch.nn.functional.interpolate(standard, (256, 256), mode="bilinear", antialias=True)
    fine, coarse = (one[0].numpy() for one in encoder.maps(larger))
    chip = 6  # row 1, column 2
    expected = [fine[:, 16:32, 32:48].mean((1, 2)), coarse[:, 8:16, 16:24].mean((1, 2))]
    features = np.concatenate(expected)
    np.testing.assert_allclose(found[chip, : len(features)], features, rtol=1e-3, atol=1e-4)


def test_brightness_comes_with_an_encoders_features_and_in_their_unit(mosaic, encoder):
    image, grid, _ = mosaic
    found = embed(image, grid, encoder, EmbeddingSpec())
    features, numbers = found[:, :-N_NUMBERS], found[:, -N_NUMBERS:]
    chips = grid.chips((image - image.mean()) / image.std()).reshape(64, -1)
    own = [chips.mean(axis=1), chips.std(axis=1), *np.quantile(chips, (0.1, 0.5, 0.9), axis=1)]
    spread = np.sqrt(((features - features.mean(axis=0)) ** 2).sum(axis=1).mean())
    np.testing.assert_allclose(numbers, 0.5 * spread * np.stack(own, axis=1), rtol=1e-3, atol=1e-3)


def test_phases_that_differ_in_grey_alone_are_told_apart_by_two_supports_each(encoder, rng):
    """Even noise at every level has no contours; an encoder sees levels but dimly."""
    grid = Grid(height=128, width=128, edge=16)
    classes = rng.integers(2, size=64)
    image = grid.painted(classes.astype(np.float32), 0) + rng.normal(0, 1, (128, 128))
    sets = SupportSets()
    for name, one in (("dark", 0), ("bright", 1)):
        sets = sets.added(name, np.flatnonzero(classes == one)[:2].tolist())
    embeddings = embed(image.astype(np.float32), grid, encoder, EmbeddingSpec())

    result = Classifier.fit(embeddings, sets, grid, Rule()).classify(
        embeddings, grid, np.zeros(64, bool), is_support_image=True
    )

    assert np.mean(np.array(result.nearest) == classes) >= 0.95


def test_chips_at_the_rim_of_an_even_image_are_like_those_within(encoder, rng):
    """On a dark ground the zeros with which an encoder pads would look like a bright rim."""
    image = rng.normal(0, 0.01, (160, 160)).astype(np.float32)
    image[64:96, 64:96] += 10
    grid = Grid(height=160, width=160, edge=32)
    embeddings = embed(image, grid, encoder, EmbeddingSpec()).reshape(5, 5, -1)

    particle = np.linalg.norm(embeddings[2, 2] - embeddings[1, 3])
    assert np.linalg.norm(embeddings[0, 0] - embeddings[0, 2]) < 0.05 * particle


def test_vectors_are_made_once_for_an_image_grid_and_encoder(mosaic, encoder, tmp_path, monkeypatch):
    image, grid, _ = mosaic
    cache = Cache(tmp_path)
    made = embed(image, grid, encoder, EmbeddingSpec(), cache)
    monkeypatch.setattr(encoder, "maps", None)  # a second pass would fail

    np.testing.assert_array_equal(embed(image, grid, encoder, EmbeddingSpec(), cache), made)
    with pytest.raises(TypeError):
        embed(image, Grid(height=128, width=128, edge=32), encoder, EmbeddingSpec(), cache)
    with pytest.raises(TypeError):
        embed(image[::-1], grid, encoder, EmbeddingSpec(), cache)
    with pytest.raises(TypeError):
        embed(image, grid, encoder, EmbeddingSpec(surroundings=True), cache)


def test_untrained_encoders_say_so_and_differ_from_trained_ones(encoder):
    untrained = Encoder(EncoderSpec(weights="none"), device="cpu")
    assert "efficientnet-lite0 is untrained" in untrained.notes[0]
    assert encoder.notes == ()
    assert untrained.sha256 != encoder.sha256


def test_weights_trained_on_simulated_images_serve_too(mosaic):
    image, grid, _ = mosaic
    simulated = Encoder(EncoderSpec(encoder="mobilenet_v2", weights="sim"), device="cpu")
    assert np.isfinite(embed(image, grid, simulated, EmbeddingSpec())).all()


def test_an_unknown_encoder_is_refused_with_those_there_are():
    with pytest.raises(IcefloeError, match="resnet99: no such encoder"):
        Encoder(EncoderSpec(encoder="resnet99"))


def test_an_image_of_nan_is_refused(encoder):
    image = np.full((64, 64), np.nan, np.float32)
    with pytest.raises(IcefloeError, match="4096 pixels of the image are NaN"):
        embed(image, Grid(height=64, width=64, edge=16), encoder, EmbeddingSpec())


@pytest.mark.parametrize("edge", [1, 7, 64])
@pytest.mark.parametrize("way", list(WAYS))
def test_chips_of_any_edge_are_embedded(encoder, rng, edge, way):
    image = rng.normal(size=(9 * edge if edge < 64 else 64, 8 * edge if edge < 64 else 65)).astype(np.float32)
    grid = Grid(height=image.shape[0], width=image.shape[1], edge=edge)
    found = embed(image, grid, encoder, EmbeddingSpec(way=way, surroundings=True))
    assert len(found) == grid.n_chips
    assert np.isfinite(found).all()


def test_the_cache_keeps_within_its_size_and_survives_damage(tmp_path):
    cache = Cache(tmp_path, most_bytes=3000)
    arrays = [np.full((10, 10), number, np.float32) for number in range(12)]
    for number, array in enumerate(arrays):
        cache.put(array, str(number))

    assert sum(path.stat().st_size for path in tmp_path.glob("*.npy")) <= 3000
    np.testing.assert_array_equal(cache.get("11"), arrays[11])
    for path in tmp_path.glob("*.npy"):
        path.write_bytes(path.read_bytes()[:50])
    assert cache.get("11") is None
