"""Threshold, temperature and benchmark of a new ensemble."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import precision_recall_curve

from icefloe.ensemble import fit
from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.fit import TrainedNetwork, assemble, calibrate
from icefloe.ensemble.manifest import Provenance
from icefloe.ensemble.prediction import SCORES
from icefloe.errors import IcefloeError
from icefloe.imaging.preprocess import Preprocessing
from icefloe.scoring.calibration import fit_temperature
from icefloe.scoring.roc import DICE_SLACK


@pytest.fixture(scope="module")
def trained(member_weights, ensemble):
    specs = [member.spec for member in ensemble.manifest.members]
    return [TrainedNetwork(spec, path) for spec, path in zip(specs, member_weights(2), strict=True)]


def assembled(trained, validation, held_out=(), **keywords):
    return assemble(
        trained,
        validation,
        held_out,
        name="EA-T1",
        preprocessing=Preprocessing(size=64),
        classes=("background", "ice"),
        device="cpu",
        **keywords,
    )


def test_the_threshold_has_nearly_the_best_dice_of_the_validation_pixels(trained, samples):
    ensemble = assembled(trained, samples)
    mean = np.concatenate([p.mean.ravel() for p in ensemble.predict_images([s.pixels for s in samples])])
    truth = np.concatenate([sample.label.ravel() for sample in samples])
    precision, recall, thresholds = precision_recall_curve(truth, mean)
    dice = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    as_good = thresholds[dice[:-1] >= dice.max() - DICE_SLACK]
    assert ensemble.manifest.threshold == as_good[np.argmin(np.abs(as_good - 0.5))]


def test_the_temperature_calibrates_untrained_members(trained, samples):
    manifest = assembled(trained, samples).manifest
    assert manifest.calibration.brier_after < manifest.calibration.brier_before
    assert manifest.calibration.n_images == 4
    assert manifest.calibration.n_pixels == sum(sample.label.size for sample in samples)


def test_temperature_threshold_and_benchmark_are_those_of_all_views(trained, samples):
    plain, ensemble = assembled(trained, samples), assembled(trained, samples, samples[:1], views=4)
    assert ensemble.manifest.views == 4
    refitted = calibrate(plain.with_manifest(plain.manifest.model_copy(update={"views": 4})), samples)
    assert ensemble.manifest.threshold == refitted.threshold != plain.manifest.threshold
    assert ensemble.manifest.temperature == refitted.temperature != plain.manifest.temperature
    (row,) = ensemble.manifest.benchmark
    assert row.values["uq_mean"] == ensemble.predict_image(samples[0].pixels).scores()["uq_mean"]


def test_the_benchmark_has_a_row_for_every_held_out_image(trained, samples):
    held_out = [replace(sample, dataset="D2") for sample in samples]
    ensemble = assembled(trained, samples[:2], held_out)
    rows = ensemble.manifest.benchmark
    assert [(row.dataset, row.stem, row.index) for row in rows] == [
        (sample.dataset, sample.stem, sample.index) for sample in held_out
    ]
    expected = [p.scores() for p in ensemble.predict_images([s.pixels for s in held_out])]
    assert [{name: row.values[name] for name in SCORES} for row in rows] == expected


def test_provenance_and_calibration_survive_saving(trained, samples, tmp_path):
    provenance = Provenance(data_rev="abc", data_md5="def.dir", git_sha="123", parent="EA-T0")
    ensemble = assembled(trained, samples, samples[:1], provenance=provenance)
    ensemble.save(tmp_path / "EA-T1")
    assert Ensemble.load(tmp_path / "EA-T1", device="cpu").manifest == ensemble.manifest


def test_ignored_validation_pixels_do_not_count(trained, samples):
    half = [replace(sample, label=sample.label.copy()) for sample in samples]
    for sample in half:
        sample.label[:, :30] = 255
    assert assembled(trained, half).manifest.calibration.n_pixels == 4 * 80 * 30


def test_validation_masks_of_one_class_are_refused(trained, samples):
    empty = [replace(sample, label=np.zeros_like(sample.label)) for sample in samples]
    with pytest.raises(IcefloeError, match="the reference masks hold only background"):
        assembled(trained, empty)


def test_no_validation_image_is_refused(trained):
    with pytest.raises(IcefloeError, match="EA-T1: there is no validation image"):
        assembled(trained, [])


def test_a_single_member_is_refused(trained, samples):
    with pytest.raises(IcefloeError, match="An ensemble needs at least two members; there is one"):
        assembled(trained[:1], samples)


def test_missing_weights_are_refused_by_name(trained, samples, tmp_path):
    missing = [replace(trained[0], weights=tmp_path / "gone.safetensors"), trained[1]]
    with pytest.raises(
        IcefloeError, match=r"gone\.safetensors: the weights of mobilenet_v2-unet-s0 are missing"
    ):
        assembled(missing, samples)


def test_temperature_and_threshold_come_from_the_members_not_trained_on_an_image(trained, samples):
    keys = [sample.key for sample in samples]
    halves = (tuple(keys[:2]), tuple(keys[2:]))
    kept_apart = [
        replace(network, fold=fold, trained_on=halves[1 - fold]) for fold, network in enumerate(trained)
    ]
    fold_of = {key: fold for fold, half in enumerate(halves) for key in half}
    ensemble = assembled(kept_apart, samples, fold_of=fold_of)

    logits = np.stack(
        [
            members[fold_of[sample.key]]
            for sample, bands, _ in ensemble.logits_of_samples(samples)
            for _, members in bands
        ]
    )
    references = [
        geometry.place_mask(sample.label) for sample, _, geometry in ensemble.logits_of_samples(samples)
    ]
    expected = fit_temperature(logits.reshape(1, -1), np.stack(references).ravel())
    assert ensemble.manifest.temperature == pytest.approx(expected, rel=1e-4)
    assert ensemble.manifest.temperature != assembled(trained, samples).manifest.temperature
    assert ensemble.manifest.calibration.n_images == 4


def test_images_judged_by_different_numbers_of_members_are_calibrated_together(trained, samples):
    knows_two = [replace(trained[0], trained_on=tuple(s.key for s in samples[:2])), trained[1]]
    assert assembled(knows_two, samples).manifest.calibration.n_images == 4


def test_members_trained_on_every_validation_image_are_refused(trained, samples):
    keys = tuple(sample.key for sample in samples)
    with pytest.raises(IcefloeError, match="EA-T1: its members were trained on every validation image"):
        assembled([replace(network, trained_on=keys) for network in trained], samples)


def test_logits_that_are_not_kept_are_computed_again_to_the_same_end(trained, samples, monkeypatch):
    kept = assembled(trained, samples).manifest
    monkeypatch.setattr(fit, "KEPT_BYTES", 100_000)  # three of the four images
    assert assembled(trained, samples).manifest == kept


def test_of_very_many_pixels_a_part_spread_over_all_images_sets_the_threshold(trained, samples, monkeypatch):
    every = assembled(trained, samples).manifest
    monkeypatch.setattr(fit, "SCORED_PIXELS", 2000)
    part = assembled(trained, samples).manifest
    assert 1000 < part.calibration.n_pixels <= 2010
    assert part.calibration.brier_after == pytest.approx(every.calibration.brier_after, abs=0.02)
