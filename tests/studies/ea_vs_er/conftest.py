"""Networks that were never trained: logits of a scene's truth, with errors that an architecture shares."""

from pathlib import Path

import numpy as np
import pytest

from icefloe.datasets.dataset import Sample
from icefloe.imaging.geometry import Geometry
from icefloe.models.spec import MemberSpec
from icefloe.training.records import MemberReceipt
from studies.ea_vs_er.design import Design
from studies.ea_vs_er.scoring import GridImages, GridPredictions

SIZE = 64


@pytest.fixture(scope="session")
def design() -> Design:
    members = [MemberSpec(encoder=encoder) for encoder in ("resnet18", "mobilenet_v2")]
    return Design.of(members, n_seeds=3)


def disks(dataset: str, n: int, rng: np.random.Generator) -> GridImages:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    references = tuple(
        ((rows - 32) ** 2 + (columns - 32) ** 2 < radius**2).astype(np.uint8)
        for radius in rng.uniform(12, 24, n)
    )
    samples = tuple(Sample(dataset, f"image_{index}", index, Path()) for index in range(n))
    squares = np.stack(references).astype(np.float32)
    return GridImages(samples, squares, (Geometry.fit((SIZE, SIZE), SIZE),) * n, references)


def predicted(
    images: GridImages, design: Design, rng: np.random.Generator, sharpness: float = 4.0
) -> GridPredictions:
    truth = sharpness * (2.0 * np.stack(images.references) - 1)
    logits = {}
    for architecture in design.architectures:
        shared = rng.normal(0, 3, truth.shape)
        for seed in design.seeds:
            own = rng.normal(0, 1, truth.shape)
            logits[design.network(architecture, seed)] = (truth + shared + own).astype(np.float32)
    return GridPredictions(images, logits)


@pytest.fixture(scope="session")
def validation(design: Design) -> GridPredictions:
    rng = np.random.default_rng(1)
    return predicted(disks("D1", 2, rng), design, rng)


@pytest.fixture(scope="session")
def tests(design: Design) -> dict[str, GridPredictions]:
    """A standard test set, and one on which networks are less sure."""
    rng = np.random.default_rng(2)
    return {
        "D1-D2": predicted(disks("D1", 3, rng), design, rng),
        "D3": predicted(disks("D3", 4, rng), design, rng, sharpness=2.0),
    }


def receipt(spec: MemberSpec, val_pca: float) -> MemberReceipt:
    return MemberReceipt(
        name=spec.name,
        spec=spec.model_dump(mode="json"),
        **dict.fromkeys(("val_iou", "val_dice", "val_brier", "val_ece", "val_loss"), 0.5),
        val_pca=val_pca,
        **dict.fromkeys(("best_epoch", "epochs", "n_parameters", "threads"), 1),
        seconds=1.0,
        started_from=None,
        **dict.fromkeys(("init_sha256", "weights_sha256"), ""),
        device="cpu",
        precision="fp32",
    )
