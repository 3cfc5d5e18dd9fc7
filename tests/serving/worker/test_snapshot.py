"""The snapshot of a real registry: what web processes read is what is there."""

import pytest

from icefloe.registry.runs import RunRecord
from icefloe.settings import load_settings
from serving.snapshot import read_snapshot, snapshot_file
from serving.worker.snapshot import SnapshotWriter
from tests.icefloe.conftest import evaluation_of  # noqa: F401
from tests.icefloe.registry.conftest import (  # noqa: F401
    STUDIES,
    first,
    lineage_of,
    registry,
    retrain,
    save_ensemble,
    store,
)


@pytest.fixture
def settings(store, tmp_path):  # noqa: F811
    folder = tmp_path / "workspace"
    folder.mkdir()
    names = store | {"registered_model": f"study-{next(STUDIES)}", "experiment": f"runs-{next(STUDIES)}"}
    (folder / "icefloe.toml").write_text("".join(f'{name} = "{value}"\n' for name, value in names.items()))
    return load_settings(folder)


def test_an_empty_registry_says_so(settings):
    snapshot = SnapshotWriter(settings).update()
    assert (snapshot.models.champion, snapshot.models.versions, snapshot.runs) == (None, (), ())
    assert snapshot.models.sentence == "There is no champion yet."
    assert read_snapshot(settings) == snapshot


def test_versions_are_there_with_lineage_scores_and_the_gates_words(settings, registry, retrain):  # noqa: F811
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
    assert len(two.gate.findings) == len(details.report.comparisons)
    (change,) = models.history
    assert (change.action, change.champion, change.replaced, change.by) == ("promote", "EA-T1", None, "ada")


def test_what_the_gate_objects_to_is_said_before_anybody_tries(settings, registry, retrain):  # noqa: F811
    retrain(2, dice_on_d3=0.6)
    two = SnapshotWriter(settings).update().models.version("EA-T2")
    assert two.objection == registry.objection("EA-T2")
    assert "overrule the gate" in two.objection


def test_a_promotion_elsewhere_changes_the_revision_and_a_look_alone_changes_nothing(
    settings,
    registry,  # noqa: F811
    retrain,  # noqa: F811
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
