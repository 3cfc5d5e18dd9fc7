"""What a person reads on MLflow's pages: of versions, of the registered model, of runs and members."""

import re

import numpy as np
import pytest
from mlflow.tracking import MlflowClient

from icefloe.ensemble.guarantees import CalibrationExperiment, ExperimentScores, fit_guarantees
from icefloe.evaluation.compare import compare
from icefloe.evaluation.rule import PromotionRule
from icefloe.registry.description import origin
from icefloe.registry.history import current_user
from icefloe.registry.lineage import LabelledImage
from icefloe.registry.runs import RunRecord, list_runs

RULE = PromotionRule(n_resamples=1000)
NOTE = "mlflow.note.content"


@pytest.fixture
def client(settings):
    return MlflowClient(settings.tracking_uri)


@pytest.fixture
def description(client, settings):
    """What the page of EA-Tn says."""

    def read(number):
        return client.get_model_version(settings.registered_model, str(number)).description

    return read


def cells(table):
    """Heading and rows of a pipe table, without its rule."""
    heading, _, *rows = table.replace("&ensp;", "").splitlines()
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in (heading, *rows)]


def test_a_judged_version_tells_its_origin_verdict_and_dice_with_links(
    registry, retrain, description, client, settings
):
    version = retrain(2)
    report = registry.show("EA-T2").report
    gate, origin, sources, table, links = description(2).split("\n\n")
    assert origin == (
        "Trained from EA-T1 on 3 images of D1, D2, D3: 3 train, 0 validation. Labels: 3 by ada."
    )
    assert sources == (
        "Data version `md5-D1-D2-D3` (commit `rev-D1-D2-D3`), that of EA-T1 `md5-D1-D2`. Code `c0de`. "
        "Members: mobilenet_v2-unet-s0, resnet18-unet-s0."
    )
    assert gate == f"**Gate: pass.** {report.sentence()}"
    shown = {c.dataset: c.interval.text(signed=True) for c in report.comparisons if c.metric == "dice"}
    assert cells(table) == [
        ["dataset", "held-out images", "Dice", "less that of EA-T1"],
        *([d, "8", f"{version.metrics[d]['dice']:.3f}", shown[d]] for d in ("D1", "D2", "D3")),
    ]
    page = f"#/experiments/{client.get_run(version.run_id).info.experiment_id}/runs/{version.run_id}"
    training = "workflowType=machine_learning"
    assert links == (
        f"See [the gate's report]({page}/artifacts/gate/against-EA-T1.md?{training}), "
        f"[its files]({page}/artifacts/model?{training})."
    )
    assert client.get_run(version.run_id).data.tags[NOTE] == description(2)


def test_a_version_of_pretrained_members_tells_what_their_weights_saw(lineage_of, save_ensemble, tmp_path):
    ensemble = save_ensemble(tmp_path / "T1", 1)
    members = [
        {"encoder": "mobilenet_v2", "weights": "imagenet"},
        {"encoder": "resnet18"},
        {"encoder": "vgg19", "weights": "imagenet"},  # was pruned
    ]
    lineage = lineage_of(ensemble, ["D1"], parameters={"members": members})
    assert origin(lineage).split("\n\n")[2:] == [
        "mobilenet_v2-unet-s0 began with imagenet: trained on ImageNet-1k: 1.28 million photographs in 1000 "
        "classes (torchvision, BSD-3-Clause).",
        "resnet18-unet-s0 began with random weights.",
    ]


def test_a_version_of_simulated_images_tells_how_many(lineage_of, save_ensemble, tmp_path):
    lineage = lineage_of(save_ensemble(tmp_path / "T1", 1), ["D1"], parameters={"simulated_share": 0.5})
    assert "Simulated micrographs were 50% of every training batch." in origin(lineage).splitlines()[0]


def test_flat_numbers_are_metrics_of_the_run(settings, client):
    record = RunRecord.start(settings, "drift_check", "D3")
    record.write_metrics({"n_images": 30, "uncertainty.p_value": 0.01})
    assert client.get_run(record.run_id).data.metrics == {"n_images": 30.0, "uncertainty.p_value": 0.01}


def test_a_version_says_that_it_is_not_judged_until_a_report_is_attached(
    registry, tmp_path, evaluation_of, save_ensemble, lineage_of, description
):
    ensemble, evaluation = save_ensemble(tmp_path / "T1", 1), evaluation_of({"D1": (0.9, 8)})
    registry.register(ensemble, lineage_of(ensemble, ["D1"]), evaluation)
    assert description(1).startswith(
        "**Not judged yet.**\n\nTrained from scratch on 1 image of D1: 1 train, 0 validation. Labels"
    )
    registry.attach_report("EA-T1", compare(evaluation, None, RULE))
    assert "**Gate: pass.** EA-T1 passes: Dice on D1 is above that of Otsu (+0." in description(1)
    assert "| less that of the trivial baselines" in description(1)
    assert "/gate/against-baselines.md?workflowType=machine_learning)" in description(1)


def test_promotion_and_rollback_are_told_in_both_versions_descriptions(registry, retrain, description):
    retrain(2)
    registry.promote("EA-T2", by="lise")
    at = registry.history()[-1].at[:16].replace("T", " ")
    for number in (1, 2):
        assert f"- {at} UTC: lise promoted EA-T2, replacing EA-T1" in description(number)
    registry.rollback(by="ada", reason="It misses thin ice.")
    for number in (1, 2):
        assert "UTC: ada restored EA-T1, replacing EA-T2" in description(number)


def test_calibration_is_told_in_the_description(registry, first, description):
    scores = ExperimentScores(
        CalibrationExperiment(name="D7", origin="new", n_images=2), np.ones((2, 1)), np.ones(2)
    )
    registry.attach_guarantees("EA-T1", fit_guarantees([scores] * 12, ("background", "ice")))
    assert "Calibrated on 12 experiments (12 labelled, never trained on)." in description(1)


def test_the_registered_model_says_what_its_versions_are_and_which_is_in_use(
    registry, settings, retrain, client
):
    def text():
        return client.get_registered_model(settings.registered_model).description

    retrain(2)
    registry.promote("EA-T2", by="lise", reason="Looked at D3.")
    registry.rollback(by="ada", reason="It misses thin ice.")
    run_id = client.get_registered_model(settings.registered_model).tags["history.run"]
    experiment = client.get_run(run_id).info.experiment_id
    assert text() == (
        "Versions EA-Tn of this study: ensemble averaging.\n\n"
        "The champion is **EA-T1**. "
        f"Latest change: {registry.history()[-1].sentence()}\n\n"
        f"[Every promotion and rollback](#/experiments/{experiment}/runs/{run_id}"
        "?workflowType=machine_learning)"
    )
    assert client.get_run(run_id).data.tags[NOTE].count("\n") == 2


def test_a_registered_model_without_a_champion_says_so(
    registry, settings, client, tmp_path, evaluation_of, save_ensemble, lineage_of
):
    ensemble = save_ensemble(tmp_path / "T1", 1)
    registry.register(ensemble, lineage_of(ensemble, ["D1"]), evaluation_of({"D1": (0.9, 8)}))
    assert client.get_registered_model(settings.registered_model).description == (
        "Versions EA-Tn of this study: ensemble averaging.\n\nNone is the champion yet."
    )


def test_labels_are_counted_by_author_and_those_without_came_with_the_data(
    lineage_of, save_ensemble, tmp_path
):
    images = tuple(
        LabelledImage(key=f"D{n}/s", role=role, image_sha256="i", mask_sha256="m", author=author)
        for n, (role, author) in enumerate(
            [("train", None), ("train", "ana"), ("validation", "ben"), ("train", "ana")], 1
        )
    )
    lineage = lineage_of(save_ensemble(tmp_path / "T1", 1), ["D1"], images=images, git_sha="")
    assert origin(lineage).splitlines()[0] == (
        "Trained from scratch on 4 images of D1, D2, D3, D4: 3 train, 1 validation. "
        "Labels: 2 by ana, 1 by ben, 1 came with the data."
    )
    assert "Code `unknown`." in origin(lineage)


def test_the_runs_of_a_versions_members_bear_its_name_and_those_of_pruned_members_do_not(
    settings, registry, client, tmp_path, evaluation_of, save_ensemble, lineage_of
):
    record = RunRecord.start(settings, "train")
    ensemble = save_ensemble(tmp_path / "T1", 1)
    lineage = lineage_of(ensemble, ["D1"])
    experiment = client.get_run(record.run_id).info.experiment_id
    weights = {**lineage.weights_sha256, "vgg19-unet-s0": "0" * 64}
    for member, digest in weights.items():
        tags = {"mlflow.parentRunId": record.run_id, "icefloe.weights_sha256": digest}
        client.create_run(experiment, tags=tags, run_name=member)
    registry.register(ensemble, lineage, evaluation_of({"D1": (0.9, 8)}), run_id=record.run_id)
    nested = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{record.run_id}'")
    assert {run.info.run_name for run in nested} == {
        *("EA-T1", "EA-T1 resnet18-unet-s0", "EA-T1 mobilenet_v2-unet-s0", "vgg19-unet-s0")
    }


@pytest.mark.parametrize(("about", "name"), [("D3", "drift_check D3 20"), ("", "drift_check 20")])
def test_a_run_has_a_readable_name_and_still_knows_its_pipeline(settings, client, about, name):
    record = RunRecord.start(settings, "drift_check", about)
    assert client.get_run(record.run_id).info.run_name.startswith(name)
    assert client.get_run(record.run_id).data.tags["mlflow.user"] == current_user()
    assert RunRecord(settings, record.run_id).name == "drift_check"
    assert list_runs(settings)[0]["pipeline"] == "drift_check"


def test_a_finished_run_tells_what_happened_in_the_order_of_time(settings, client):
    record = RunRecord.start(settings, "loop")
    record.tell("gate/D3", "D3 is noisy.")
    record.tell("selection/D3", "2 images of D3 were chosen.")
    record.tell("gate/D3", "D3 is shifted.")  # the step was tried again
    assert record.happened() == ["2 images of D3 were chosen.", "D3 is shifted."]
    record.finish()
    note = client.get_run(record.run_id).data.tags[NOTE]
    assert note.splitlines()[:-1] == ["- 2 images of D3 were chosen.", "- D3 is shifted.", ""]
    assert re.fullmatch(r"Done in \d+ s\.", note.splitlines()[-1])


def test_a_failed_run_tells_why_before_what_happened(settings, client):
    record = RunRecord.start(settings, "retrain", "D3")
    record.tell("labels/D3", "2 labels are in data version abc.")
    record.finish(succeeded=False, problem="None of 2 members passes pruning.\nname  pCA\nvgg19 0.9")
    run = client.get_run(record.run_id)
    assert run.info.status == "FAILED"
    assert re.sub(r"\d+ s", "5 s", run.data.tags[NOTE]) == (
        "**Failed after 5 s.** None of 2 members passes pruning.\n\n"
        "```\nname  pCA\nvgg19 0.9\n```\n\n"
        "- 2 labels are in data version abc."
    )


def test_a_result_is_kept_as_json_and_its_sentence_told(settings, evaluation_of):
    record = RunRecord.start(settings, "train")
    report = compare(evaluation_of({"D1": (0.9, 8)}), None, RULE, challenger_version="EA-T1")
    record.write_result("promotion/EA-T1.json", report)
    assert type(report).model_validate(record.read_json("promotion/EA-T1.json")) == report
    assert record.happened() == [report.sentence()]
