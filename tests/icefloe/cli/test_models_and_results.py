"""Before the first version: what every command that needs one says."""

import numpy as np
import pytest
import tifffile

NO_CHAMPION = (
    "icefloe-ea: there is no champion yet. "
    "No version is registered; train one with `icefloe pipeline run train`."
)


def test_listing_says_how_to_get_a_first_version(cli, empty_workspace):
    outcome = cli("-C", empty_workspace, "models", "list")

    assert outcome.code == 0
    assert outcome.out == "No version yet. Train one with icefloe pipeline run train.\n"


@pytest.mark.parametrize(
    "command",
    [
        ("models", "show", "champion"),
        ("models", "promote", "champion"),
        ("models", "rollback"),
        ("models", "download", "champion", "out"),
        ("models", "calibrate", "--simulated", "9"),
    ],
    ids=" ".join,
)
def test_without_a_champion(cli, empty_workspace, files_in, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    before = files_in(empty_workspace)

    assert cli("-C", empty_workspace, *command).refusal == NO_CHAMPION
    assert files_in(empty_workspace) == before
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_version(cli, empty_workspace):
    assert cli("-C", empty_workspace, "models", "promote", "EA-T1").refusal.startswith(
        "EA-T1: icefloe-ea has no such version. "
    )


def test_predicting_without_a_champion_writes_nothing(cli, empty_workspace, tmp_path, rng):
    image = tmp_path / "a.tif"
    tifffile.imwrite(image, rng.integers(0, 60_000, (64, 64)).astype(np.uint16))

    command = ("predict", image, "--output", tmp_path / "out")
    assert cli("-C", empty_workspace, *command).refusal == NO_CHAMPION
    assert not (tmp_path / "out").exists()


def test_a_report_before_any_run(cli, empty_workspace, tmp_path):
    command = ("report", "--output", tmp_path / "report.html")

    assert cli("-C", empty_workspace, *command).refusal == (
        f"{empty_workspace}: no pipeline has run here. Run one with `icefloe pipeline run`."
    )
    assert "no such run" in cli("-C", empty_workspace, "report", "nope").refusal
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("direction", ["import", "export"])
def test_an_unknown_exchange_format(cli, workspace, tmp_path, direction):
    assert cli("-C", workspace, "queue", direction, "voc", tmp_path / "out").refusal == (
        "'voc' is not an exchange format. There are: coco, coco-rle, label-studio, label-studio-polygons, "
        "labelme, ome-tiff, png."
    )
    assert not (tmp_path / "out").exists()


def test_exporting_when_nothing_waits(cli, workspace, tmp_path):
    assert cli("-C", workspace, "queue", "export", "png", tmp_path / "out").refusal.endswith(
        "nothing waits to be labelled. Sample a dataset first."
    )
    assert not (tmp_path / "out").exists()


def test_an_empty_queue_is_listed_in_words(cli, workspace):
    outcome = cli("-C", workspace, "queue", "list")

    assert outcome.code == 0
    assert "0 waiting, 0 being labelled, 0 labelled" in outcome.out
