"""Versions in a real MLflow registry on SQLite."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mlflow
import numpy as np
import pytest
from mlflow.tracking import MlflowClient

from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.guarantees import CalibrationExperiment, ExperimentScores, fit_guarantees
from icefloe.errors import IcefloeError
from icefloe.evaluation.compare import compare
from icefloe.evaluation.rule import PromotionRule
from icefloe.registry.lineage import DataState, LabelledImage
from icefloe.registry.registry import Registry
from icefloe.registry.version import VersionDetails

RULE = PromotionRule(n_resamples=1000)


def test_versions_are_numbered_from_one_and_the_newest_is_challenger(registry, retrain):
    retrain(2)
    retrain(3)
    assert [(v.name, v.aliases) for v in registry.list()] == [
        ("EA-T1", ("champion",)),
        ("EA-T2", ()),
        ("EA-T3", ("challenger",)),
    ]


def test_the_newest_version_is_the_last_registered_also_if_it_was_refused(registry, retrain):
    retrain(2, dice_on_d3=0.5)
    assert registry.newest().name == "EA-T2"
    assert registry.champion().name == "EA-T1"


def test_a_version_carries_its_tags_in_mlflow(registry, settings, retrain):
    retrain(2)
    version = MlflowClient(settings.tracking_uri).get_model_version(settings.registered_model, "2")
    expected = {
        "ensemble_version": "EA-T2",
        "dvc.rev": "rev-D1-D2-D3",
        "dvc.md5": "md5-D1-D2-D3",
        "git.sha": "c0de",
        "parent": "EA-T1",
        "gate.verdict": "pass",
        "gate.report": "gate/against-EA-T1.json",
    }
    assert expected.items() <= version.tags.items()


def test_the_lineage_of_t2_names_both_data_versions_and_the_weights_it_started_from(registry, first, retrain):
    retrain(2)
    lineage = registry.show("EA-T2").lineage
    assert lineage.data.rev == "rev-D1-D2-D3"
    assert lineage.parent.name == "EA-T1"
    assert lineage.parent.data.rev == "rev-D1-D2"
    assert lineage.data != lineage.parent.data
    assert lineage.start_sha256 == registry.show("EA-T1").lineage.weights_sha256


def test_show_answers_which_images_and_labels_by_whom_and_when(registry, retrain):
    retrain(2)
    registry.promote("EA-T2", by="lise")
    details = registry.show("champion")
    sections = details.sections()
    images = sections["Images and labels"]
    assert images.columns[:6] == ("image", "role", "sha256", "label", "by", "when")
    assert images.columns[6:] == ("s", "made from", "with", "also by", "Dice of the two")
    assert [row[:6] for row in images.rows] == [
        (f"{d}/train_0", "train", "i", "m", "ada", "2026-01-01") for d in ("D1", "D2", "D3")
    ]
    assert [row[0] for row in sections["Held-out images"].rows] == ["D1", "D2", "D3"]
    assert sections["Members"].columns[2] == "started from"
    assert sections["Members"].rows[0][2] != "scratch"
    assert [entry.by for entry in details.history] == ["lise"]
    assert VersionDetails.model_validate_json(details.model_dump_json()) == details


def test_the_metrics_of_a_version_are_means_over_its_held_out_images(registry, retrain):
    metrics = retrain(2).metrics
    assert metrics["D3"]["dice"] == pytest.approx(0.92, abs=0.01)
    assert metrics["D1"].keys() == {"dice", "pca", "ece", "uq"}


def test_the_evaluation_comes_back_as_it_was(registry, retrain, evaluation_of):
    retrain(2)
    expected = evaluation_of({"D1": (0.95, 8), "D2": (0.94, 8), "D3": (0.92, 8)}, seed=2)
    assert registry.evaluation("EA-T2") == expected


def test_promotion_moves_the_champion_to_previous(registry, retrain):
    retrain(2)
    entry = registry.promote("challenger", by="lise")
    assert (entry.champion, entry.replaced, entry.verdict, entry.forced) == ("EA-T2", "EA-T1", "pass", False)
    assert [v.aliases for v in registry.list()] == [("previous",), ("champion",)]


def test_promoting_the_champion_again_changes_nothing(registry, retrain):
    retrain(2)
    registry.promote("EA-T2")
    before = registry.history()
    assert registry.promote("EA-T2") is None
    assert registry.history() == before
    assert [v.aliases for v in registry.list()] == [("previous",), ("champion",)]


def test_a_version_that_the_gate_refused_is_promoted_only_by_force_and_with_a_reason(registry, retrain):
    retrain(2, dice_on_d3=0.5)
    with pytest.raises(IcefloeError) as refused:
        registry.promote("EA-T2")
    (dice,) = (
        c for c in registry.show("EA-T2").report.comparisons if (c.dataset, c.metric) == ("D3", "dice")
    )
    assert str(refused.value) == (
        f"EA-T2 stays a challenger: Dice on D3 is worse by more than 0.02 "
        f"({dice.interval.text(signed=True)}). Label more of D3 and retrain. "
        "To promote it anyway, overrule the gate with --force --reason."
    )
    with pytest.raises(IcefloeError, match="EA-T2: overruling the promotion gate needs a reason"):
        registry.promote("EA-T2", force=True, reason=" ")
    assert registry.champion().name == "EA-T1"
    registry.promote("EA-T2", force=True, reason="The labels of D3 are wrong.", by="lise")
    last = registry.history()[-1]
    assert (last.forced, last.reason, last.by, last.verdict) == (
        True,
        "The labels of D3 are wrong.",
        "lise",
        "fail",
    )


def test_a_verdict_against_another_champion_does_not_count(registry, retrain):
    retrain(2)
    retrain(3)
    registry.promote("EA-T2")
    with pytest.raises(
        IcefloeError, match="EA-T3: it was judged against EA-T1, but the champion is now EA-T2"
    ):
        registry.promote("EA-T3")


def test_a_new_report_replaces_the_old_verdict(registry, retrain, evaluation_of):
    retrain(2)
    retrain(3)
    registry.promote("EA-T2")
    better, worse = evaluation_of({"D1": (0.9, 8)}, seed=1), evaluation_of({"D1": (0.8, 8)})
    registry.attach_report("EA-T3", compare(better, worse, RULE, champion_version="EA-T2"))
    registry.promote("EA-T3")
    assert registry.champion().name == "EA-T3"


def test_an_unjudged_version_is_not_promoted(registry, tmp_path, evaluation_of, save_ensemble, lineage_of):
    ensemble = save_ensemble(tmp_path / "T1", 1)
    registry.register(ensemble, lineage_of(ensemble, ["D1"]), evaluation_of({"D1": (0.9, 8)}))
    with pytest.raises(IcefloeError, match="EA-T1: the promotion gate has not judged it"):
        registry.promote("EA-T1")


def test_rollback_goes_back_one_champion_at_a_time(registry, retrain):
    for seed, against in ((2, "EA-T1"), (3, "EA-T2")):
        retrain(seed, against=against)
        registry.promote("challenger")
    assert registry.rollback(reason="It misses thin ice.").champion == "EA-T2"
    assert [v.aliases for v in registry.list()] == [("previous",), ("champion",), ()]
    registry.rollback()
    assert [v.aliases for v in registry.list()] == [("champion",), (), ()]
    assert [(e.action, e.champion) for e in registry.history()] == [
        ("promote", "EA-T1"),
        ("promote", "EA-T2"),
        ("promote", "EA-T3"),
        ("rollback", "EA-T2"),
        ("rollback", "EA-T1"),
    ]
    with pytest.raises(IcefloeError, match="EA-T1: there is no champion before it to go back to"):
        registry.rollback()


def test_an_empty_registry_lists_nothing_and_says_so(registry):
    assert registry.list() == []
    assert registry.champion() is None
    with pytest.raises(IcefloeError, match=r"there is no champion yet\. No version is registered"):
        registry.rollback()
    with pytest.raises(IcefloeError, match=r"there is no version yet\. No version is registered"):
        registry.newest()


def test_no_champion_yet_names_the_versions_there_are(
    registry, tmp_path, evaluation_of, save_ensemble, lineage_of
):
    ensemble = save_ensemble(tmp_path / "T1", 1)
    registry.register(ensemble, lineage_of(ensemble, ["D1"]), evaluation_of({"D1": (0.9, 8)}))
    with pytest.raises(IcefloeError, match=r"there is no champion yet\. There are EA-T1; promote one with"):
        registry.get("champion")


def test_without_a_champion_the_reason_why_the_newest_version_was_refused_is_told(
    registry, tmp_path, evaluation_of, save_ensemble, lineage_of
):
    ensemble = save_ensemble(tmp_path / "T1", 1)
    evaluation = evaluation_of({"D1": (0.1, 8)})
    report = compare(evaluation, None, RULE)
    registry.register(ensemble, lineage_of(ensemble, ["D1"]), evaluation, report)
    assert report.verdict == "fail"

    for needs_one in (registry.get, lambda name: registry.download(name, tmp_path / "champion")):
        with pytest.raises(IcefloeError) as error:
            needs_one("champion")
        assert str(error.value) == (
            "There is no champion yet. EA-T1 stays a challenger: Dice on D1 is below that of Otsu "
            f"({report.comparisons[0].interval.text(signed=True)}). Train longer, or label more of D1. "
            "To use it anyway: `icefloe models promote EA-T1 --force --reason ...`."
        )
    assert not (tmp_path / "champion").exists()


@pytest.mark.parametrize("name", ["EA-T9", "1", "EA-T", "EA-Tx", "EA-T0", "EA-T1 "])
def test_an_unknown_version_is_refused_with_those_there_are(registry, first, name):
    with pytest.raises(IcefloeError, match=rf"{name}: study-\d+ has no such version\. There are EA-T1;"):
        registry.show(name)


def test_registering_the_same_files_again_makes_no_second_version(
    registry, retrain, tmp_path, evaluation_of, first, lineage_of
):
    made = retrain(2)
    again = registry.register(
        tmp_path / "retrained-2",
        lineage_of(tmp_path / "retrained-2", ["D1", "D2", "D3"], first, "EA-T1"),
        evaluation_of({"D1": (0.95, 8)}),
    )
    assert again.name == made.name
    assert len(registry.list()) == 2


def test_trainings_that_end_together_get_different_numbers(
    settings, tmp_path, evaluation_of, save_ensemble, lineage_of
):
    evaluation = evaluation_of({"D1": (0.9, 2)})

    def register(seed):
        ensemble = save_ensemble(tmp_path / f"E{seed}", seed)
        return Registry(settings).register(ensemble, lineage_of(ensemble, ["D1"]), evaluation).number

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(register, range(4))) == [1, 2, 3, 4]


def test_weights_that_the_lineage_does_not_name_are_refused(
    registry, tmp_path, evaluation_of, save_ensemble, lineage_of
):
    ensemble = save_ensemble(tmp_path / "T1", 1)
    lineage = lineage_of(ensemble, ["D1"])
    (ensemble / "resnet18-unet-s0.safetensors").write_bytes(b"other")
    with pytest.raises(
        IcefloeError, match=r"resnet18-unet-s0\.safetensors: the weights are not those of the lineage"
    ):
        registry.register(ensemble, lineage, evaluation_of({"D1": (0.9, 2)}))
    assert registry.list() == []


def test_a_folder_without_weights_is_refused(registry, first, tmp_path, evaluation_of):
    (tmp_path / "empty").mkdir()
    with pytest.raises(IcefloeError, match="empty: there are no member weights here"):
        registry.register(tmp_path / "empty", first, evaluation_of({"D1": (0.9, 2)}))


def test_scores_on_images_it_was_trained_on_are_refused(
    registry, tmp_path, evaluation_of, save_ensemble, lineage_of
):
    ensemble = save_ensemble(tmp_path / "T1", 1)
    seen = LabelledImage(key="D1/frame_1", role="validation", image_sha256="i", mask_sha256="m")
    lineage = lineage_of(ensemble, ["D1"], images=(seen,))
    with pytest.raises(
        IcefloeError, match="D1/frame_1: the version was evaluated on an image it was trained on"
    ):
        registry.register(ensemble, lineage, evaluation_of({"D1": (0.9, 2)}))


def test_a_parent_other_than_the_registered_one_is_refused(retrain, first):
    changed = first.model_copy(update={"data": DataState(rev="else", md5="else")})
    with pytest.raises(IcefloeError, match="EA-T1: the lineage names other data or weights for it"):
        retrain(2, parent=changed.as_parent("EA-T1"))


def test_downloading_gives_the_same_bytes_and_a_second_time_does_nothing(registry, retrain, tmp_path):
    retrain(2)
    folder = registry.download("challenger", tmp_path / "copy")
    original = {path.name: path.read_bytes() for path in (tmp_path / "retrained-2").iterdir()}
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == original
    stamp = (folder / "ensemble.yaml").stat().st_mtime_ns
    registry.download("EA-T2", tmp_path / "copy")
    assert (folder / "ensemble.yaml").stat().st_mtime_ns == stamp
    with pytest.raises(IcefloeError, match=r"copy: the folder exists and does not hold EA-T1\. Remove it"):
        registry.download("EA-T1", tmp_path / "copy")


def test_a_broken_lineage_in_the_store_is_named(registry, settings, retrain):
    client, run_id = MlflowClient(settings.tracking_uri), retrain(2).run_id
    broken = registry.show("EA-T2").lineage.model_dump(mode="json")
    del broken["data"]["md5"]
    client.log_dict(run_id, broken, "lineage.json")
    with pytest.raises(IcefloeError) as error:
        registry.show("EA-T2")
    assert str(error.value) == (
        "EA-T2/lineage.json: data.md5: Field required. "
        "Restore the artifact store from its backup, or register the version again."
    )


def test_a_damaged_file_in_the_store_is_noticed_and_nothing_is_written(registry, settings, retrain, tmp_path):
    run = MlflowClient(settings.tracking_uri).get_run(retrain(2).run_id)
    stored = Path(run.info.artifact_uri.removeprefix("file://"), "model/artifacts/ensemble/ensemble.yaml")
    with stored.open("a") as file:
        file.write("x")
    with pytest.raises(
        IcefloeError, match=r"EA-T2/ensemble\.yaml: the file in the artifact store is missing or damaged"
    ):
        registry.download("EA-T2", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_promotion_cut_off_after_its_note_is_completed_by_the_same_command(registry, settings, retrain):
    retrain(2)
    entry = registry.promote("EA-T2")
    client, model = MlflowClient(settings.tracking_uri), settings.registered_model
    client.set_registered_model_alias(model, "champion", "1")  # the state a killed process leaves
    client.set_registered_model_alias(model, "previous", "1")
    with pytest.raises(IcefloeError, match="there is no champion before it"):
        registry.rollback()
    registry.promote("EA-T2")
    assert entry.champion == registry.champion().name == "EA-T2"
    assert registry.rollback().champion == "EA-T1"
    assert registry.get("EA-T1").aliases == ("champion",)


def test_a_registered_ensemble_predicts_the_same_from_a_download_and_through_mlflow(
    registry, settings, real_ensemble, tmp_path, evaluation_of, rng, lineage_of
):
    image = rng.normal(100, 20, (48, 64)).astype(np.float32)
    expected = real_ensemble.predict_image(image).mean
    registry.register(
        tmp_path / "EA-T1", lineage_of(tmp_path / "EA-T1", ["D1"]), evaluation_of({"D1": (0.9, 2)})
    )
    downloaded = Ensemble.load(registry.download("challenger", tmp_path / "copy"))
    assert np.array_equal(downloaded.predict_image(image).mean, expected)

    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(settings.tracking_uri)
    try:
        served = mlflow.pyfunc.load_model(f"models:/{settings.registered_model}@challenger")
    finally:
        mlflow.set_tracking_uri(before)
    assert np.array_equal(served.predict(image[None])["mean"][0], expected)


def test_guarantees_are_kept_with_a_version_shown_and_replaced_by_later_ones(registry, first):
    def guarantees(n):
        scores = ExperimentScores(
            CalibrationExperiment(name="D7", origin="new", n_images=2), np.ones((2, 1)), np.ones(2)
        )
        return fit_guarantees([scores] * n, ("background", "ice"))

    assert registry.guarantees("EA-T1") is None
    assert registry.show("EA-T1").guarantees is None
    for n in (3, 12):
        registry.attach_guarantees("champion", guarantees(n))
        assert registry.guarantees("EA-T1") == guarantees(n)
    shown = registry.show("EA-T1").sections()["Guarantees"]
    assert shown.rows[0][0].startswith("Calibrated on 12 experiments (12 labelled, never trained on).")
