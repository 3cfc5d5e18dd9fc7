"""The snapshot of a real registry: what web processes read is what is there."""

from icefloe.drift.predicted_dice import DiceEstimate, PredictedDice
from icefloe.drift.report import GateReport
from icefloe.registry.runs import RunRecord
from serving.snapshot import read_snapshot, snapshot_file
from serving.worker.snapshot import SnapshotWriter
from tests.serving.studies import *  # noqa: F403


def test_an_empty_registry_says_so(settings):
    snapshot = SnapshotWriter(settings).update()
    assert (snapshot.models.champion, snapshot.models.versions, snapshot.runs) == (None, (), ())
    assert snapshot.models.sentence == "There is no champion yet."
    assert read_snapshot(settings) == snapshot


def test_versions_are_there_with_lineage_scores_and_the_gates_words(settings, registry, retrain):
    retrain(2)
    models = SnapshotWriter(settings).update().models

    one, two = models.versions
    assert (models.champion, models.previous) == ("EA-T1", None)
    assert (one.aliases, two.aliases, two.parent) == (("champion",), ("challenger",), "EA-T1")
    assert two.members == ("mobilenet_v2-unet-s0", "resnet18-unet-s0")
    assert [(on.dataset, on.n_images, on.labelers) for on in two.images] == [
        (name, 1, {"ada": 1}) for name in ("D1", "D2", "D3")
    ]
    details = registry.show("EA-T2")
    assert two.scores == details.version.metrics
    assert two.gate.sentence == details.report.sentence()
    assert (two.gate.verdict, two.objection) == ("pass", "")
    assert [(found.better, found.worse) for found in two.gate.findings] == [
        (found.better, found.worse) for found in details.report.comparisons
    ]
    assert None not in {found.better for found in two.gate.findings}
    (change,) = models.history
    assert (change.action, change.champion, change.replaced, change.by) == ("promote", "EA-T1", None, "ada")


def test_what_the_gate_objects_to_is_said_before_anybody_tries(settings, registry, retrain):
    retrain(2, dice_on_d3=0.6)
    two = SnapshotWriter(settings).update().models.version("EA-T2")
    assert two.objection == registry.objection("EA-T2")
    assert "overrule the gate" in two.objection


def test_a_promotion_elsewhere_changes_the_revision_and_a_look_alone_changes_nothing(
    settings,
    registry,
    retrain,
):
    retrain(2)
    writer = SnapshotWriter(settings)
    before = writer.update().models
    written = snapshot_file(settings).stat().st_mtime_ns
    assert SnapshotWriter(settings).update().models.revision == before.revision
    assert snapshot_file(settings).stat().st_mtime_ns == written

    registry.promote("EA-T2", reason="better on D3", by="ben")

    after = writer.update().models
    assert after.revision != before.revision
    assert (after.champion, after.previous, after.history[0].reason) == ("EA-T2", "EA-T1", "better on D3")
    assert read_snapshot(settings).models == after


def test_runs_are_listed_with_what_they_found_and_how_they_ended(settings):
    writer = SnapshotWriter(settings)
    going, over, failed = (RunRecord.start(settings, name) for name in ("train", "retrain", "train"))
    over.tell("version/EA-T2", "EA-T2 may replace EA-T1.")
    over.finish()
    failed.finish(succeeded=False, problem="the disk is full")

    runs = {run.id: run for run in writer.update().runs}

    assert [runs[record.run_id].state for record in (going, over, failed)] == ["running", "done", "failed"]
    assert runs[over.run_id].headline == "EA-T2 may replace EA-T1."
    assert runs[over.run_id].ended >= runs[over.run_id].started
    assert runs[going.run_id].ended is None
    going.finish()
    assert {run.id: run for run in writer.update().runs}[going.run_id].state == "done"


def test_drift_verdicts_are_listed_newest_first_with_run_version_and_sentence(settings):
    report = GateReport(
        outcome="inconclusive",
        dataset="D3",
        decided_by=(),
        evidence=(),
        noise=None,
        n_images=3,
        reference_experiments=("melting",),
        alpha=0.05,
        reason="it has 3 images, and 5 are needed",
        version="EA-T1",
        predicted=PredictedDice(
            dataset=DiceEstimate(mean=0.8, low=0.7, high=0.9),
            images={"s0": DiceEstimate(mean=0.81, low=0.7, high=0.93), "s1": None},
        ),
    )
    earlier, later = (RunRecord.start(settings, "drift_check", "D3") for _ in range(2))
    for record in (earlier, later):
        record.write_result("gate/D3.json", report)
        record.finish()

    verdicts = SnapshotWriter(settings).update().drift

    assert [verdict.run for verdict in verdicts] == [later.run_id, earlier.run_id]
    newest = verdicts[0]
    assert (newest.dataset, newest.outcome, newest.version, newest.n_images) == (
        "D3",
        "inconclusive",
        "EA-T1",
        3,
    )
    assert newest.sentence == "D3 cannot be judged: it has 3 images, and 5 are needed."
    assert newest.time >= verdicts[1].time
    assert newest.predicted.startswith("Predicted Dice of its masks: 0.80 (0.70–0.90)")
    assert newest.predicted_images == {"s0": "0.81 (0.70–0.93)"}
