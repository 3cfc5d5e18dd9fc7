"""Networks that were never trained: logits of a scene's truth, with errors that an architecture shares."""

from pathlib import Path

import numpy as np
import pytest

from icefloe.datasets.dataset import DatasetInfo, Sample
from icefloe.imaging.preprocess import Geometry
from icefloe.models.spec import MemberSpec
from icefloe.training.members import TrainedMember
from icefloe.training.records import MemberReceipt
from studies.ea_vs_er.design import Design
from studies.ea_vs_er.parts import Parts
from studies.ea_vs_er.scoring import Scenes, Seen
from studies.ea_vs_er.versions import Version

SIZE = 64


@pytest.fixture(scope="session")
def design() -> Design:
    members = [MemberSpec(encoder=encoder) for encoder in ("resnet18", "mobilenet_v2")]
    return Design.of(members, n_seeds=3)


def scenes(dataset: str, n: int, rng: np.random.Generator) -> Scenes:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    references = tuple(
        ((rows - 32) ** 2 + (columns - 32) ** 2 < radius**2).astype(np.uint8)
        for radius in rng.uniform(12, 24, n)
    )
    samples = tuple(Sample(dataset, f"image_{index}", index, Path()) for index in range(n))
    squares = np.stack(references).astype(np.float32)
    return Scenes(samples, squares, (Geometry.fit((SIZE, SIZE), SIZE),) * n, references)


def seen(shown: Scenes, design: Design, rng: np.random.Generator, sharpness: float = 4.0) -> Seen:
    truth = sharpness * (2.0 * np.stack(shown.references) - 1)
    logits = {}
    for architecture in design.architectures:
        shared = rng.normal(0, 3, truth.shape)
        for seed in design.seeds:
            own = rng.normal(0, 1, truth.shape)
            logits[design.network(architecture, seed)] = (truth + shared + own).astype(np.float32)
    return Seen(shown, logits)


@pytest.fixture(scope="session")
def validation(design: Design) -> Seen:
    rng = np.random.default_rng(1)
    return seen(scenes("D1", 2, rng), design, rng)


@pytest.fixture(scope="session")
def tests(design: Design) -> dict[str, Seen]:
    """A standard test set, and one on which networks are less sure."""
    rng = np.random.default_rng(2)
    return {
        "D1-D2": seen(scenes("D1", 3, rng), design, rng),
        "D3": seen(scenes("D3", 4, rng), design, rng, sharpness=2.0),
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


@pytest.fixture(scope="session")
def versions(design: Design) -> tuple[Version, ...]:
    """T1, of which one network is bad, and T2."""

    def trained(val_pca: dict[str, float]) -> dict[str, TrainedMember]:
        return {
            name: TrainedMember(receipt(spec, val_pca.get(name, 0.99)), (), np.empty(0), Path())
            for name, spec in design.specs.items()
        }

    drawn = {seed: ("D3/image_8", "D3/image_9") for seed in design.seeds}
    return (
        Version("T1", None, {}, trained({"resnet18-unet-s1": 0.9})),
        Version("T2", "D3", drawn, trained({})),
    )


@pytest.fixture(scope="session")
def parts(validation: Seen, tests: dict[str, Seen]) -> Parts:
    samples = {name: found.scenes.samples for name, found in tests.items()}
    keys = [sample.key for chosen in samples.values() for sample in chosen]
    groups = {key: number for number, key in enumerate(keys)}
    groups["D1/image_1"] = groups["D1/image_0"]
    shown = validation.scenes.samples
    return Parts(shown, shown, samples, {"D3": samples["D3"]}, groups)


@pytest.fixture(scope="session")
def infos() -> tuple[DatasetInfo, ...]:
    standard = DatasetInfo(name="D1", experiment="D1", source="a microscope")
    return standard, DatasetInfo(name="D3", experiment="D3", shifts={"dose": "half of it"})
