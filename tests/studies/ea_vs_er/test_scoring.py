"""Scores and fits against `icefloe.ensemble`'s own, on real networks with random weights."""

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import save_file

from icefloe.datasets.dataset import Dataset, DatasetInfo
from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.fit import calibrate
from icefloe.ensemble.manifest import Manifest, Member
from icefloe.evaluation.evaluate import evaluate
from icefloe.files import sha256_file
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.models.zoo import build
from icefloe.scoring.tally import mask_scores
from icefloe.training.members import TrainedMember
from studies.ea_vs_er.scoring import Fitted, GridImages, GridPredictions, PooledScores, predict

from .conftest import receipt

SPECS = [MemberSpec(encoder="mobilenet_v2", seed=seed, decoder_channels=(16, 8, 8)) for seed in (0, 1)]
PREPROCESSING = Preprocessing(size=64)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    """As high as the networks' square, so that nothing is resized, but narrower: there is padding."""
    folder = tmp_path_factory.mktemp("data") / "D1"
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:64, :48]
    for index in range(3):
        mask = ((rows - 30) ** 2 + (columns - 25) ** 2 < (8 + 4 * index) ** 2).astype(np.uint8)
        image = (150 - 60 * mask + rng.normal(0, 15, mask.shape)).clip(0, 255).astype(np.uint8)
        mask[:5] = 255
        Image.fromarray(image).save(folder / f"images/image_{index}.png")
        Image.fromarray(mask).save(folder / f"masks/image_{index}.png")
    DatasetInfo(name="D1", experiment="D1").save(folder)
    return Dataset.load(folder)


@pytest.fixture(scope="module")
def networks(tmp_path_factory) -> dict[str, TrainedMember]:
    folder = tmp_path_factory.mktemp("networks")
    trained = {}
    for spec in SPECS:
        weights = folder / f"{spec.name}.safetensors"
        save_file(build(spec, 2).state_dict(), weights)
        trained[spec.name] = TrainedMember(receipt(spec, 0.9), (), np.empty(0), weights)
    return trained


@pytest.fixture(scope="module")
def ensemble(networks) -> Ensemble:
    paths = [member.weights for member in networks.values()]
    members = tuple(Member(spec=s, sha256=sha256_file(p)) for s, p in zip(SPECS, paths, strict=True))
    manifest = Manifest(
        name="E", members=members, preprocessing=PREPROCESSING, classes=("background", "ice"), temperature=0.5
    )
    return Ensemble(manifest, paths, device="cpu")


@pytest.fixture(scope="module")
def predictions(dataset, networks) -> GridPredictions:
    (found,) = predict(networks, GridImages.of(dataset.samples, PREPROCESSING))
    return found


def test_scores_are_those_of_an_evaluation_of_the_same_ensemble(dataset, ensemble, predictions):
    threshold = float(np.median(ensemble.predict_image(dataset.samples[0].image()).mean))
    fixed = ensemble.with_manifest(ensemble.manifest.model_copy(update={"threshold": threshold}))
    expected = evaluate(fixed, dataset.samples).datasets["D1"]
    found = PooledScores.of(predictions, [spec.name for spec in SPECS], Fitted(0.5, threshold)).pooled
    assert 0.05 < expected.iou < 0.95
    for name in ("pca", "iou", "dice", "brier", "mae", "ece", "uq", "uq_boundary"):
        assert found[name] == pytest.approx(getattr(expected, name), abs=2e-3), name


def test_temperature_and_threshold_are_those_of_an_assembled_ensemble(dataset, ensemble, predictions):
    expected = calibrate(ensemble, dataset.samples)
    found = Fitted.on(predictions, [spec.name for spec in SPECS])
    assert found.temperature == pytest.approx(expected.temperature, rel=1e-2)
    assert found.threshold == pytest.approx(expected.threshold, abs=1e-3)


def test_baselines_are_those_of_an_evaluation(dataset, ensemble, predictions):
    expected = evaluate(ensemble, dataset.samples).baselines["D1"]
    found = predictions.images.baseline_scores()
    assert {name: mask_scores(scores) for name, scores in found.items()} == {
        name: pytest.approx(scores.model_dump()) for name, scores in expected.items()
    }


def test_the_members_mean_brier_is_the_ensembles_and_their_ambiguity(predictions):
    names, fitted = list(predictions.logits), Fitted(0.5, 0.5)
    together = PooledScores.of(predictions, names, fitted).pooled
    alone = [PooledScores.of(predictions, [name], fitted).pooled for name in names]
    assert together["ambiguity"] > 1e-4
    assert np.mean([scores["brier"] for scores in alone]) == pytest.approx(
        together["brier"] + together["ambiguity"], rel=1e-4
    )
    assert {scores["ambiguity"] for scores in alone} == {0.0}


def test_errors_are_counted_at_probability_one_half_on_labelled_pixels(dataset, predictions):
    name = SPECS[0].name
    wrong = 0
    for index, sample in enumerate(dataset.samples):
        square = 1 / (1 + np.exp(-predictions.logits[name][index].astype(np.float64)))
        truth = sample.mask()
        wrong += int(((square[:, 8:56] >= 0.5) != truth)[truth != 255].sum())
    counts = predictions.error_counts()
    assert counts.both_wrong[0, 0] == wrong
    assert counts.n_pixels == 3 * 59 * 48
