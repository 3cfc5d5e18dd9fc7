"""Evaluations with chosen scores."""

import numpy as np
import pytest

from icefloe.ensemble.evaluate import Baseline, Evaluation, ImageScores


@pytest.fixture
def evaluation_of():
    """Build an evaluation: dataset -> (mean Dice, number of images), scattering about the means."""

    def build(dice, seed=0, spread=0.005, uq=0.01, baseline=0.3):
        rng = np.random.default_rng(seed)
        images = [
            ImageScores(
                dataset=dataset,
                stem=f"frame_{index}",
                index=index,
                dice=float(np.clip(mean + spread * rng.normal(), 0, 1)),
                pca=0.98 + 0.001 * rng.normal(),
                ece=0.01 + 0.001 * rng.normal(),
                uq=uq + 0.0001 * rng.normal(),
                iou=0.9,
                brier=0.01,
                mae=0.02,
                uq_boundary=0.1,
                uq_foreground=0.05,
            )
            for dataset, (mean, n_images) in dice.items()
            for index in range(n_images)
        ]
        trivial = {
            "all background": Baseline(pca=0.9, iou=0.0, dice=0.0),
            "Otsu": Baseline(pca=0.9, iou=baseline / (2 - baseline), dice=baseline),
        }
        return Evaluation(
            ensemble="EA",
            classes=("background", "ice"),
            threshold=0.4,
            images=tuple(images),
            datasets={},
            baselines=dict.fromkeys(dice, trivial),
        )

    return build
