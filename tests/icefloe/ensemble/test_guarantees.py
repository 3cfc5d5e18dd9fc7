"""Guarantees: from predictions of a real ensemble to numbers in its manifest, and back."""

from dataclasses import replace

import numpy as np
import pytest

from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.guarantees import (
    CalibrationExperiment,
    ExperimentSamples,
    ExperimentScores,
    fit_guarantees,
    score_experiment,
)
from icefloe.ensemble.manifest import Manifest
from icefloe.errors import IcefloeError
from icefloe.scoring.conformal import class_areas

CLASSES = ("background", "ice")


def scores_of(areas, safe_doubts, origin="new"):
    """One experiment a row, its frames in columns."""
    return [
        ExperimentScores(
            CalibrationExperiment(name=f"E{k}", origin=origin, n_images=len(row)),
            np.array(row, float)[:, None],
            np.array(safe, float),
        )
        for k, (row, safe) in enumerate(zip(areas, safe_doubts, strict=True))
    ]


@pytest.fixture
def guarantees(rng):
    return fit_guarantees(scores_of(rng.random((12, 4)), 0.3 + 0.1 * rng.random((12, 4))), CLASSES)


def test_an_interval_is_the_expected_area_give_or_take_quantile_times_uncertainty(
    ensemble, samples, guarantees
):
    prediction = ensemble.predict_image(samples[0].pixels)
    (interval,) = guarantees.area_intervals(prediction, 0.8)
    (expected,), (uncertainty,) = class_areas(prediction.mean)
    half = guarantees.quantile("ice", 0.8) * uncertainty
    assert (interval.name, interval.level, interval.expected) == ("ice", 0.8, expected)
    assert interval.low == pytest.approx(max(expected - half, 0))
    assert interval.high == pytest.approx(min(expected + half, 1))


def test_a_level_that_twelve_experiments_cannot_promise_gives_the_whole_image(ensemble, samples, guarantees):
    (interval,) = guarantees.area_intervals(ensemble.predict_image(samples[0].pixels), 0.95)
    assert (interval.low, interval.high) == (0.0, 1.0)
    assert "A 95% interval needs at least 19 experiments" in " ".join(guarantees.sentences(0.95))
    assert "needs at least" not in " ".join(guarantees.sentences(0.9))


def test_a_level_that_was_not_calibrated_is_refused(ensemble, samples, guarantees):
    with pytest.raises(IcefloeError, match=r"Level 0\.7: intervals were calibrated for 0\.5, 0\.68, 0\.8"):
        guarantees.area_intervals(ensemble.predict_image(samples[0].pixels), 0.7)


def test_pixels_are_abstained_from_where_doubt_reaches_the_threshold(ensemble, samples, guarantees):
    prediction = ensemble.predict_image(samples[0].pixels)
    threshold = float(np.median(prediction.doubt))
    declined = guarantees.model_copy(update={"max_doubt": threshold}).abstained(prediction)
    assert np.array_equal(declined, prediction.doubt >= np.float32(threshold))
    assert not guarantees.model_copy(update={"max_doubt": None}).abstained(prediction).any()
    assert guarantees.model_copy(update={"max_doubt": 0.0}).abstained(prediction).all()


def test_the_threshold_is_the_safe_doubt_that_nine_of_ten_experiments_allow():
    safe = np.linspace(0.1, 0.6, 9)
    found = fit_guarantees(scores_of(np.ones((9, 1)), safe[:, None]), CLASSES)
    assert found.max_doubt == safe[0]


def test_too_few_experiments_abstain_from_everything_and_say_so():
    found = fit_guarantees(scores_of(np.ones((8, 1)), np.full((8, 1), 0.4)), CLASSES)
    assert found.max_doubt == 0.0
    assert "Every pixel is abstained from: nothing can be promised for a smaller share." in found.sentences()


def test_images_without_tolerable_errors_need_no_abstaining():
    found = fit_guarantees(scores_of(np.ones((9, 1)), np.full((9, 1), np.inf)), CLASSES)
    assert found.max_doubt is None


def test_nothing_to_calibrate_on_is_refused():
    with pytest.raises(IcefloeError, match="no experiment to calibrate on"):
        fit_guarantees([], CLASSES)


def test_frames_of_familiar_experiments_are_told_apart(guarantees):
    familiar = fit_guarantees(scores_of(np.ones((9, 1)), np.ones((9, 1)), "trained on"), CLASSES)
    assert familiar.sentences()[0].startswith(
        "Calibrated on 9 experiments (9 held-out frames of experiments trained on)."
    )
    assert "intervals may be too narrow" in familiar.sentences()[-1]
    assert "intervals may be too narrow" not in " ".join(guarantees.sentences())


def test_a_calibrated_experiment_is_covered_by_its_own_worst_score(ensemble, samples):
    scores = score_experiment(ensemble, ExperimentSamples("D1", "new", samples))
    assert scores.experiment.n_images == len(samples)
    assert scores.areas.shape == (len(samples), 1)
    # In one batch, as when they were scored: another batch size may change the last digits.
    predicted = ensemble.predict(samples)
    for (sample, prediction), score, safe in zip(
        predicted, scores.areas[:, 0], scores.safe_doubts, strict=True
    ):
        (expected,), (uncertainty,) = class_areas(prediction.mean)
        assert abs(sample.label.mean() - expected) == pytest.approx(score * uncertainty, rel=1e-3)
        silent = (prediction.mask != sample.label) & (prediction.doubt < safe)
        assert silent.mean() <= 0.005


def test_each_class_has_its_own_quantiles(make_ensemble, samples):
    ensemble = make_ensemble(n_classes=3)
    scores = [score_experiment(ensemble, ExperimentSamples(f"E{k}", "new", samples[:1])) for k in range(4)]
    found = fit_guarantees(scores, ensemble.manifest.classes)
    assert list(found.areas) == ["ice", "gas"]
    assert len(found.area_intervals(ensemble.predict_image(samples[0].pixels), 0.8)) == 2


def test_a_mask_that_does_not_fit_is_refused_by_the_samples_name(ensemble, samples):
    wrong = [replace(samples[0], label=samples[0].label[:, :-1])]
    with pytest.raises(IcefloeError, match="D1/stack_0: Reference mask is 80x59"):
        score_experiment(ensemble, ExperimentSamples("D1", "new", wrong))


def test_guarantees_are_saved_with_the_ensemble_and_older_manifests_have_none(
    make_ensemble, guarantees, tmp_path
):
    make_ensemble(guarantees=guarantees).save(tmp_path / "new")
    assert Ensemble.load(tmp_path / "new").manifest.guarantees == guarantees
    text = (tmp_path / "new" / "ensemble.yaml").read_text()
    (tmp_path / "new" / "ensemble.yaml").write_text(text[: text.index("guarantees:")])
    assert Manifest.load(tmp_path / "new").guarantees is None
