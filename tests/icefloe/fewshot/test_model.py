"""A session as a segmentation model: saved, loaded, and in the hands of evaluation, gate and sampler."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from icefloe.active.sampler import SamplerConfig, select
from icefloe.drift.benchmark import Benchmark, predicted_rows
from icefloe.drift.gate import check
from icefloe.ensemble.prediction import SCORES
from icefloe.ensemble.predictions import predict_dataset
from icefloe.errors import IcefloeError
from icefloe.evaluation.evaluate import evaluate
from icefloe.fewshot.embedding import VERSION, embed
from icefloe.fewshot.model import FewShotModel
from icefloe.fewshot.model_folder import MANIFEST, SESSION, VECTORS
from icefloe.fewshot.prototypes import probabilities, prototypes, squared_distances
from icefloe.fewshot.session import Session
from icefloe.fewshot.sets import SupportSets
from icefloe.fewshot.source import ImageReference, Picture, image_hash
from icefloe.typing import IGNORE
from tests.icefloe.conftest import ArraySample

SETS = SupportSets().added("blobs", [5, 30, 46]).added("stripes", [0, 17, 41])


def picture_of(image, name="a.tif"):
    height, width = image.shape
    return Picture(image, ImageReference(name=name, sha256=image_hash(image), height=height, width=width))


@pytest.fixture
def model(mosaic, encoder):
    """Of the mosaic, classified."""
    image, grid, _ = mosaic
    picture = picture_of(image)
    session = Session(image=picture.reference, grid=grid, sets=SETS)
    fitted = FewShotModel.fit(session, image, encoder)
    return fitted.with_result(fitted.classify(picture))


@pytest.fixture
def saved(model, tmp_path):
    model.save(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def wider(rng):
    """120 x 150 px, stripes left and blobs right of column 70, with margins beyond the chips."""
    y, x = np.mgrid[:120, :150]
    stripes, blobs = np.sin(2 * np.pi * (x + y) / 6), np.sin(2 * np.pi * x / 12) * np.sin(2 * np.pi * y / 12)
    label = (x < 70).astype(np.uint8)
    image = np.where(label, stripes / stripes.std(), blobs / blobs.std()) + rng.normal(0, 0.5, x.shape)
    return image.astype(np.float32), label


def sample_of(image, label, index=0, dataset="D1"):
    return ArraySample(dataset, f"t{index}", index, image, label)


def test_a_loaded_model_gives_the_same_classification(model, saved, mosaic, wider):
    loaded = FewShotModel.load(saved)
    assert {path.name for path in saved.iterdir()} == {
        MANIFEST,
        SESSION,
        VECTORS,
        "efficientnet-lite0.safetensors",
    }
    assert loaded.classes == ("blobs", "stripes")
    assert loaded.session == model.session
    assert loaded.classify(picture_of(mosaic[0])) == model.session.result
    other = picture_of(wider[0], "b.tif")
    assert loaded.classify(other) == model.classify(other)
    assert not loaded.classify(other).is_support_image


def test_pixels_are_as_their_chip_and_the_margin_as_the_nearest_one(model, wider):
    image, label = wider
    result = model.classify(picture_of(image))
    ((_, prediction),) = model.predict([sample_of(image, label)], uncalibrated=True)

    mask = result.mask()
    sure = mask != IGNORE
    assert_array_equal(prediction.mask[sure], mask[sure])
    likely = result.grid.painted(result.probability_array()[:, 1].astype(np.float32), np.nan)
    assert_allclose(prediction.mean[:112, :144], likely[:112, :144], atol=2e-6)
    assert np.isnan(likely[112:]).all()
    assert np.isnan(likely[:, 144:]).all()
    for of_pixels in (prediction.mean, prediction.std, prediction.mask):
        assert_array_equal(of_pixels[112:], of_pixels[[111]].repeat(8, axis=0))
        assert_array_equal(of_pixels[:, 144:], of_pixels[:, [143]].repeat(6, axis=1))
    assert np.mean(prediction.mask == label) > 0.9
    vectors = model.classifier.space.vectors(
        embed(image, result.grid, model.encoder, model.session.embedding)
    )
    plain = probabilities(squared_distances(vectors, prototypes(model.classifier.supports)), 1.0)[:, 1]
    assert_allclose(prediction.uncalibrated[8::16, 8::16].ravel(), plain.astype(np.float32))


def test_disagreement_is_that_of_supports_drawn_anew(model, wider, mosaic, encoder):
    ((_, prediction),) = model.predict([sample_of(*wider)], keep_members=True)
    members = prediction.member_probabilities
    assert members.shape == (20, *wider[0].shape)
    assert_allclose(prediction.std, members.std(axis=0), atol=1e-6)
    assert prediction.std.max() > 0
    assert (prediction.mutual_information <= prediction.entropy).all()
    assert all(np.isfinite(prediction.scores()[name]) for name in SCORES)

    image, grid, _ = mosaic
    ones = SupportSets().added("blobs", [5]).added("stripes", [0])
    single = FewShotModel.fit(
        Session(image=picture_of(image).reference, grid=grid, sets=ones), image, encoder
    )
    ((_, alone),) = single.predict([sample_of(*wider)])
    assert alone.std.max() == 0  # one support can't be drawn otherwise
    assert alone.member_probabilities is None


def test_three_classes_have_a_probability_map_each(mosaic, encoder, wider):
    image, grid, _ = mosaic
    three = SupportSets().added("blobs", [5, 30]).added("stripes", [0, 17]).added("rim", [3, 11])
    model = FewShotModel.fit(
        Session(image=picture_of(image).reference, grid=grid, sets=three), image, encoder
    )
    ((_, prediction),) = model.predict([sample_of(*wider)])
    assert prediction.mean.shape == (3, *wider[0].shape)
    assert_allclose(prediction.mean.sum(axis=0), 1, atol=1e-6)
    assert_array_equal(prediction.mask, prediction.mean.argmax(axis=0))


def test_evaluation_scores_it_and_leaves_ignored_pixels_out(model, wider):
    image, label = wider
    reference = label.copy()
    reference[:, 64:80] = IGNORE  # the chips that the boundary cuts
    found = evaluate(model, [sample_of(image, reference)])
    assert found.classes == model.classes
    assert found.temperature == model.temperature
    assert found.datasets["D1"].dice > 0.95
    assert found.datasets["D1"].confusion[0][0] + found.datasets["D1"].confusion[0][1] == 70 * 120
    assert found.images[0].n_members is None
    assert found.images[0].uq > 0


def test_gate_and_sampler_take_its_predictions(model, wider, rng, tmp_path):
    def experiment(name, n, noise):
        return [
            sample_of(
                wider[0] + rng.normal(0, noise, wider[0].shape).astype(np.float32), wider[1], index, name
            )
            for index in range(n)
        ]

    benchmark = Benchmark(
        tuple(row for name in "ABC" for row in predicted_rows(model.predict(experiment(name, 6, 0.1))))
    )
    report = check(benchmark, predicted_rows(model.predict(experiment("D", 6, 4.0))))
    assert report.outcome in ("shifted", "noisy")

    predicted = predict_dataset(model, experiment("E", 4, 0.1), tmp_path / "predicted", "FS-T1")
    assert predicted.features.shape == (4, model.classifier.space.centre.size)
    chosen = select(predicted, SamplerConfig(k=2), np.random.default_rng(0))
    assert len(chosen.items) == 2


def test_an_image_smaller_than_a_chip_is_refused_by_name(model):
    small = np.arange(100, dtype=np.float32).reshape(10, 10)
    with pytest.raises(IcefloeError, match=r"^D1/t0: Chips of 16 px don't fit"):
        list(model.predict([sample_of(small, np.zeros((10, 10), np.uint8))]))
    with pytest.raises(IcefloeError, match=r"^a.tif: Chips of 16 px don't fit"):
        model.classify(picture_of(small))


@pytest.mark.parametrize("name", [SESSION, VECTORS, "efficientnet-lite0.safetensors"])
def test_a_file_that_was_changed_is_refused(saved, name):
    path = saved / name
    path.write_bytes(path.read_bytes()[:-1] + b" ")
    with pytest.raises(IcefloeError) as error:
        FewShotModel.load(saved)
    assert str(error.value) == (
        f"{path}: not the file that fewshot.yaml names. Copy the model's whole folder again."
    )


def test_files_outside_the_folder_are_refused(saved):
    manifest = saved / MANIFEST
    manifest.write_text(manifest.read_text() + f"  ../secret: {'a' * 64}\n")
    with pytest.raises(IcefloeError, match=r"not the file that fewshot\.yaml names"):
        FewShotModel.load(saved)


def test_vectors_of_another_kind_are_refused(saved):
    manifest = saved / MANIFEST
    manifest.write_text(manifest.read_text().replace(f"embedding: '{VERSION}'", "embedding: '0'"))
    with pytest.raises(IcefloeError, match="its vectors are of version 0, and this Icefloe makes version"):
        FewShotModel.load(saved)


def test_a_folder_without_a_model_or_with_something_is_refused(model, saved, tmp_path):
    with pytest.raises(IcefloeError, match=r"no fewshot\.yaml here, so this is no few-shot model"):
        FewShotModel.load(tmp_path)
    with pytest.raises(IcefloeError, match="the folder exists already"):
        model.save(saved)
