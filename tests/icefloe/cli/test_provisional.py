"""A provisional champion: every command that shows it says so, and why."""

import csv
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile

from icefloe.evaluation.compare import compare
from icefloe.evaluation.rule import PromotionRule


@pytest.fixture
def provisional(tmp_path, ensemble, evaluation_of, workspace_with_version):
    """A workspace whose champion was judged on a single image, and the line on it."""
    workspace, registry = workspace_with_version(tmp_path, ensemble)
    report = compare(evaluation_of({"D1": (0.5, 1)}), None, PromotionRule(n_resamples=1000))
    registry.attach_report("EA-T1", report)
    return SimpleNamespace(
        workspace=workspace, registry=registry, line=f"EA-T1 is provisional: {report.provisional}"
    )


def words(text):
    return " ".join(text.split())


def test_it_is_told_from_the_promotion_to_the_masks(cli, provisional, tmp_path, rng):
    image = tmp_path / "a.tif"
    tifffile.imwrite(image, rng.integers(0, 60_000, (64, 64)).astype(np.uint16))
    at = ("-C", provisional.workspace)

    assert provisional.line in cli(*at, "models", "promote", "EA-T1").out
    listed = cli(*at, "models", "list").out
    table, line, _ = listed.partition(f"* {provisional.line}")
    assert line
    assert "*" in table
    assert "Label more of D1" in words(cli(*at, "models", "show", "champion").out.replace("│", " "))
    assert provisional.line in cli(*at, "predict", image, "--output", tmp_path / "out").out.splitlines()
    (row,) = csv.DictReader((tmp_path / "out" / "scores.csv").open())
    assert row["version"] == "EA-T1, provisional"


def test_a_version_that_is_not_provisional_stands_in_the_table_by_its_name(cli, with_version, tmp_path, rng):
    image = tmp_path / "a.tif"
    tifffile.imwrite(image, rng.integers(0, 60_000, (64, 64)).astype(np.uint16))
    command = ("predict", image, "--version", "EA-T1", "--output", tmp_path / "out")
    assert "provisional" not in cli("-C", with_version, *command).out
    (row,) = csv.DictReader((tmp_path / "out" / "scores.csv").open())
    assert row["version"] == "EA-T1"
