"""A few clicked chips to an ensemble: weak labels, committed, trained on by the pipeline as it is, scored."""

import os
import subprocess
import sys

import numpy as np
import pytest
import tifffile
import yaml

from icefloe.datasets.dataset import load_datasets
from icefloe.fewshot.grid import Grid
from icefloe.fewshot.session import Session
from icefloe.fewshot.sets import SupportSets
from icefloe.fewshot.source import read_picture
from icefloe.registry.registry import Registry
from icefloe.settings import load_settings
from icefloe.typing import IGNORE

pytestmark = [pytest.mark.integration, pytest.mark.timeout(3600)]

TINY = {
    "training": {
        "members": [
            {"encoder": "mobilenet_v2", "decoder_channels": [16, 16, 8, 8, 8], "seed": seed}
            for seed in (0, 1)
        ],
        "preprocessing": {"size": 64},
        "epochs": 6,
        "draws_per_epoch": 24,
        "learning_rate": 3e-3,
        "precision": "fp32",
    },
    "pruning": {"min_accuracy": 0.5},
    "promotion": {"n_resamples": 1000},
}


def succeed(*arguments):
    ended = subprocess.run(
        [sys.executable, "-c", "from icefloe.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_an_ensemble_is_trained_and_scored_on_weak_labels(tmp_path):
    y, x = np.mgrid[:100, :100]
    images = []
    for number in range(8):
        rng = np.random.default_rng(number)
        bright = np.hypot(x - rng.uniform(35, 65), y - rng.uniform(35, 65)) < rng.uniform(25, 32)
        images.append(tmp_path / f"series/t{number}.tif")
        images[-1].parent.mkdir(exist_ok=True)
        noisy = 400 + 500 * bright + rng.normal(0, 60, x.shape)
        tifffile.imwrite(images[-1], noisy.clip(0).astype(np.uint16))
    grid = Grid(height=100, width=100, edge=12)
    sets = SupportSets().added("background", [0, 7, 56, 63]).added("particle", [27, 28, 35, 36])
    session = tmp_path / "series/t0.session.json"
    Session(image=read_picture(images[0]).reference, grid=grid, sets=sets).save(session)

    workspace = tmp_path / "workspace"
    succeed("init", workspace)
    (workspace / "params.yaml").write_text(yaml.safe_dump({"presets": {"tiny": TINY}}))
    told = succeed("-C", workspace, "fewshot", "to-dataset", session, *images, "--name", "D7")
    assert "D7: 8 images with weak labels (background, particle)" in told
    succeed("-C", workspace, "data", "commit", "-m", "weak labels")
    succeed("-C", workspace, "pipeline", "run", "train", "--preset", "tiny", "-d", "D7")

    settings = load_settings(workspace)
    details = Registry(settings).show("EA-T1")
    assert {image.source for image in details.lineage.images} == {"few-shot"}
    assert all(image.made_from.startswith("few-shot t0.session.json ") for image in details.lineage.images)
    evaluation = Registry(settings).evaluation("EA-T1")
    assert evaluation.classes == ("background", "particle")
    samples = {sample.stem: sample for sample in load_datasets(settings.data)["D7"].samples}
    masks = [samples[image.stem].mask() for image in evaluation.images]
    assert all((mask == IGNORE).any() for mask in masks)
    assert np.sum(evaluation.confusion) == sum(np.count_nonzero(mask != IGNORE) for mask in masks)
