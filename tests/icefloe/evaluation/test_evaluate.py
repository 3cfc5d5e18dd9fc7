"""Evaluations against scikit-learn on the predictions themselves."""

import json
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.metrics import brier_score_loss, confusion_matrix, jaccard_score, log_loss, roc_auc_score

from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.judges import UnseenBy
from icefloe.errors import IcefloeError
from icefloe.evaluation.evaluate import Evaluation, evaluate
from icefloe.evaluation.scores import Baseline


@pytest.fixture
def datasets(samples):
    return [*samples[:2], *(replace(sample, dataset="D2") for sample in samples[2:])]


@pytest.fixture
def evaluation(ensemble, datasets):
    return evaluate(ensemble, datasets)


def test_image_rows_equal_sklearn_on_the_prediction(ensemble, datasets, evaluation):
    for sample, row in zip(datasets, evaluation.images, strict=True):
        prediction = ensemble.predict_image(sample.pixels)
        truth, mean = sample.label.ravel(), prediction.mean.ravel()
        assert (row.dataset, row.stem, row.index) == (sample.dataset, sample.stem, sample.index)
        assert row.iou == pytest.approx(jaccard_score(truth, prediction.mask.ravel()), abs=1e-3)
        assert row.brier == pytest.approx(brier_score_loss(truth, mean), abs=1e-5)
        assert row.mae == pytest.approx(np.abs(mean - truth).mean(), abs=1e-5)
        assert row.uq == pytest.approx(prediction.std.mean(), abs=1e-5)
        assert row.uq_boundary == pytest.approx(prediction.uncertainty.uq_boundary, rel=1e-2)


def test_dataset_scores_pool_pixels_and_average_uncertainty(ensemble, datasets, evaluation):
    predictions = [ensemble.predict_image(sample.pixels) for sample in datasets[2:]]
    truth = np.concatenate([sample.label.ravel() for sample in datasets[2:]])
    mask = np.concatenate([prediction.mask.ravel() for prediction in predictions])
    mean = np.concatenate([prediction.mean.ravel() for prediction in predictions])
    scores = evaluation.datasets["D2"]
    assert scores.n_images == 2
    assert scores.iou == pytest.approx(jaccard_score(truth, mask), abs=1e-3)
    assert np.allclose(scores.confusion, confusion_matrix(truth, mask), atol=10)
    assert scores.brier == pytest.approx(brier_score_loss(truth, mean), abs=1e-5)
    assert scores.roc.area == pytest.approx(roc_auc_score(truth, mean), abs=1e-4)
    assert scores.uq == pytest.approx(
        np.mean([prediction.std.mean() for prediction in predictions]), abs=1e-5
    )


def test_scores_at_temperature_one_are_those_of_the_ensemble_without_its_temperature(make_ensemble, datasets):
    evaluation = evaluate(make_ensemble(temperature=2.5), datasets)
    plain = make_ensemble(temperature=1.0)
    without = evaluate(plain, datasets)
    assert (evaluation.temperature, without.temperature) == (2.5, 1.0)
    for ours, theirs, sample in zip(evaluation.images, without.images, datasets, strict=True):
        assert ours.nll_uncalibrated == pytest.approx(theirs.nll)
        assert ours.ece_uncalibrated == pytest.approx(theirs.ece)
        assert ours.nll != pytest.approx(theirs.nll)
        expected = log_loss(sample.label.ravel(), plain.predict_image(sample.pixels).mean.ravel())
        assert theirs.nll == pytest.approx(expected, abs=1e-4)
    ours, theirs = evaluation.datasets["D1"], without.datasets["D1"]
    assert ours.nll_uncalibrated == pytest.approx(theirs.nll)
    assert ours.ece_uncalibrated == pytest.approx(theirs.ece)
    assert ours.uncalibrated == theirs.calibration


def test_an_evaluation_of_an_earlier_version_still_loads(evaluation):
    content = evaluation.model_dump(mode="json")
    new = {"nll", "nll_uncalibrated", "ece_uncalibrated", "uncalibrated"}
    del content["temperature"]
    for scores in (*content["images"], *content["datasets"].values()):
        for name in new & set(scores):
            del scores[name]
    loaded = Evaluation.model_validate(content)
    assert loaded.temperature is None
    assert loaded.datasets["D1"].nll is None
    assert loaded.datasets["D1"].dice == evaluation.datasets["D1"].dice


def test_the_total_confusion_counts_every_pixel(datasets, evaluation):
    assert np.sum(evaluation.confusion) == sum(sample.label.size for sample in datasets)


def test_trivial_baselines_stand_beside(samples, evaluation):
    baselines = evaluation.baselines["D2"]
    background = np.mean([sample.label == 0 for sample in samples[2:]])
    assert baselines["all background"].pca == pytest.approx(background)
    assert baselines["all background"].dice == 0
    assert baselines["Otsu, foreground dark"].dice > 0.8 > baselines["Otsu, foreground bright"].dice


def test_an_evaluation_survives_its_file(evaluation, tmp_path):
    evaluation.save(tmp_path / "evaluation.json")
    assert Evaluation.load(tmp_path / "evaluation.json") == evaluation
    assert Evaluation.model_validate_json(evaluation.model_dump_json()) == evaluation


def test_a_file_that_is_no_evaluation_is_refused(tmp_path):
    (tmp_path / "evaluation.json").write_text("{}")
    with pytest.raises(
        IcefloeError, match=r"evaluation\.json: ensemble: Field required\. Evaluate the ensemble again\."
    ):
        Evaluation.load(tmp_path / "evaluation.json")


def test_the_table_shows_ensemble_and_baselines_of_every_dataset(evaluation):
    table = evaluation.table()
    assert table.columns[:6] == ("dataset", "images", "version", "IoU", "Dice", "pCA")
    assert len(table.rows) == 2 * (1 + 3)
    scores = evaluation.datasets["D1"]
    assert table.rows[0][:4] == ("D1", "2", "EA-T1", f"{scores.iou:.3f}")
    assert table.rows[0][6] == f"{scores.brier:.4f}"
    assert table.rows[1][:3] == ("D1", "2", "all background")
    assert table.rows[1][6:] == ("–",) * 5
    assert {len(row) for row in table.rows} == {11}
    assert table.markdown() in evaluation.to_markdown()


def scored(evaluation, **dice):
    """The evaluation as if its Dice on each dataset were another."""
    datasets = {
        name: evaluation.datasets["D1"].model_copy(update={"dice": value}) for name, value in dice.items()
    }
    baselines = {"Otsu": Baseline(pca=0.9, iou=0.5, dice=0.6)}
    update = {"datasets": datasets, "baselines": dict.fromkeys(dice, baselines)}
    return evaluation.model_copy(update=update)


@pytest.mark.parametrize(
    ("dice", "sentence"),
    [
        (
            {"D1": 0.98, "D2": 0.912, "D3": 0.95},
            "EA-T1: Dice is 0.912 (D2) to 0.980 (D1), above every trivial baseline. "
            "To raise it, label more of D2.",
        ),
        (
            {"D1": 0.98},
            "EA-T1: Dice is 0.980 on D1, above every trivial baseline. To raise it, label more of D1.",
        ),
        (
            {"D1": 0.58, "D2": 0.4, "D3": 0.95},
            "EA-T1: Dice on D2 is 0.400, no better than that of Otsu (0.600). "
            "Train longer, or label more of D2.",
        ),
        ({}, "EA-T1: nothing was evaluated. Label some held-out images."),
    ],
    ids=["several", "one", "no better than a baseline", "none"],
)
def test_the_sentence_names_the_dataset_that_needs_labels(evaluation, dice, sentence):
    assert scored(evaluation, **dice).sentence() == sentence


def test_curves_are_drawn_for_every_dataset(evaluation):
    for plot in (evaluation.plot, evaluation.plot_roc):
        axes = Figure().subplots()
        plot(axes)
        assert [text.get_text()[:2] for text in axes.get_legend().get_texts()] == ["D1", "D2"]


def test_the_figure_has_calibration_and_roc(evaluation):
    labels = [axes.get_ylabel() for axes in evaluation.figure().axes]
    assert labels == ["observed frequency", "true positive rate"]


def test_a_perfect_reference_scores_fully(ensemble, samples):
    perfect = [replace(sample, label=ensemble.predict_image(sample.pixels).mask) for sample in samples]
    truth = evaluate(ensemble, perfect)
    assert min(row.dice for row in truth.images) > 0.99


def test_ignored_pixels_are_left_out(ensemble, samples):
    half = [replace(sample, label=sample.label.copy()) for sample in samples[:1]]
    half[0].label[40:] = 255
    evaluation = evaluate(ensemble, half)
    assert np.sum(evaluation.confusion) == 40 * 60


def test_images_without_foreground_are_scored_without_a_roc(ensemble, samples):
    empty = [replace(sample, label=np.zeros_like(sample.label)) for sample in samples]
    scores = evaluate(ensemble, empty).datasets["D1"]
    assert scores.roc is None
    assert 0 <= scores.brier <= 1


def test_several_classes_are_scored(make_ensemble, samples):
    scores = evaluate(make_ensemble(n_classes=3), samples).datasets["D1"]
    assert np.shape(scores.confusion) == (3, 3)
    assert (scores.roc, scores.accuracy) == (None, None)
    assert 0 <= scores.brier <= 2


def test_a_mask_of_another_size_is_refused_by_the_samples_name(ensemble, samples):
    wrong = [replace(samples[0], label=samples[0].label[:, :-1])]
    with pytest.raises(IcefloeError, match="D1/stack_0: Reference mask is 80x59 but the prediction is 80x60"):
        evaluate(ensemble, wrong)


def test_evaluating_nothing_is_refused(ensemble):
    with pytest.raises(IcefloeError, match="EA-T1: there is no image to evaluate on"):
        evaluate(ensemble, [])


@pytest.fixture
def folded(ensemble, member_weights, datasets):
    """The ensemble, its members trained on one image each; both may judge the others."""
    members = tuple(
        member.model_copy(update={"fold": 1 - number, "trained_on": (datasets[number].key,)})
        for number, member in enumerate(ensemble.manifest.members)
    )
    manifest = ensemble.manifest.model_copy(update={"members": members})
    fold_of = {datasets[number].key: number for number in (0, 1)}
    return UnseenBy(Ensemble(manifest, member_weights(2), device="cpu"), fold_of)


def test_images_that_members_were_trained_on_are_judged_by_the_others(ensemble, folded, datasets, evaluation):
    found = evaluate(folded, datasets)
    assert [(image.n_members, image.n_left_out) for image in found.images] == [(1, 1), (1, 1), (2, 0), (2, 0)]
    for number in (0, 1):
        alone = ensemble.predict_image(datasets[number].pixels, keep_members=True).member_probabilities
        truth = datasets[number].label.ravel()
        row = found.images[number]
        assert row.brier == pytest.approx(brier_score_loss(truth, alone[1 - number].ravel()), abs=1e-5)
        assert (row.uq, row.uq_boundary, row.uq_foreground) == (None, None, None)
    assert found.datasets["D1"].uq is None
    assert found.datasets["D2"] == evaluation.datasets["D2"]
    assert Evaluation.model_validate_json(found.model_dump_json()) == found
    assert "D1.uq" not in found.numbers()
    assert "D2.uq" in found.numbers()


def test_the_table_says_that_a_part_of_the_members_judged(folded, datasets, evaluation):
    found = evaluate(folded, datasets).to_markdown()
    assert "2 of the 4 images are judged by 1 of the 2 members, those that were not trained on them." in found
    assert "conservative" in found
    assert evaluation.judges_note() == ""
    assert "conservative" not in evaluation.to_markdown()


def test_a_datasets_uncertainty_is_that_of_the_images_that_have_one(folded, datasets):
    found = evaluate(folded, [*datasets[:2], replace(datasets[2], dataset="D1")])
    assert found.datasets["D1"].uq == pytest.approx(found.images[2].uq)


def test_an_evaluation_of_before_members_were_counted_loads(evaluation):
    content = json.loads(evaluation.model_dump_json())
    for image in content["images"]:
        del image["n_members"], image["n_left_out"]
    loaded = Evaluation.model_validate(content)
    assert {(image.n_members, image.n_left_out) for image in loaded.images} == {(None, 0)}
