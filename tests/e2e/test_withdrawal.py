"""A label is withdrawn after a version was trained on it: the next one is trained as if it had never been."""

import pytest

from icefloe.registry.registry import Registry
from icefloe.settings import load_settings
from tests.e2e.test_loop import make_workspace, succeed

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """After `loop`: EA-T2, trained on two labels of D3 beside D1 and D2, is the champion."""
    folder = make_workspace(tmp_path_factory.mktemp("withdrawal") / "workspace")
    succeed("-C", folder, "pipeline", "run", "loop", "--preset", "tiny")
    if Registry(load_settings(folder)).champion().name != "EA-T2":
        succeed("-C", folder, "models", "promote", "EA-T2", "--force", "--reason", "for what follows")
    return folder


def withdraw(workspace, *labels):
    return succeed("-C", workspace, "labels", "withdraw", *labels, "--reason", "drawn wrong", "--by", "Ben")


def retrained(workspace):
    """The next version, trained in a pipeline."""
    registry = Registry(load_settings(workspace))
    before = len(registry.list())
    succeed("-C", workspace, "pipeline", "run", "retrain", "-d", "D3", "--preset", "tiny")
    (new,) = registry.list()[before:]
    return registry.show(new.name)


def test_the_next_version_knows_nothing_of_a_withdrawn_label(workspace):
    registry = Registry(load_settings(workspace))
    used = registry.show("EA-T2").lineage.images
    gone, kept = [image.key for image in used if image.key.startswith("D3/")]

    said = " ".join(withdraw(workspace, gone).split())
    assert "Trained by them: EA-T2." in said
    assert "EA-T2 stays the champion until another is promoted; the next training starts from EA-T1." in said
    found = retrained(workspace)

    assert found.version.parent == "EA-T1"
    assert found.lineage.start_sha256.items() <= registry.show("EA-T1").lineage.weights_sha256.items()
    assert found.report.champion == "EA-T2"
    assert [image.key for image in found.lineage.images if image.key in (gone, kept)] == [kept]
    assert all(gone not in keys for keys in found.lineage.trained_on.values())
    assert "EA-T2" in succeed("-C", workspace, "labels", "withdrawn")

    # One that the first version knows: no version is left to start from.
    first = registry.show("EA-T1").lineage.keys("train")[0]
    assert "starts from scratch" in " ".join(withdraw(workspace, first).split())
    afresh = retrained(workspace)
    assert afresh.version.parent is None
    assert not afresh.lineage.start_sha256
    assert first not in [image.key for image in afresh.lineage.images]
    assert afresh.report.champion == "EA-T2"
    newest = max((workspace / "reports").glob("*.html"), key=lambda path: path.stat().st_mtime)
    assert "EA-T4" in newest.read_text()
