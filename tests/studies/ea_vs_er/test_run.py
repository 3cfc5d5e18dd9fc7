"""From datasets to a page, with real training; and what is refused before it."""

import dataclasses
import json
import re

import pytest

from icefloe.datasets.dataset import DatasetInfo
from icefloe.datasets.splits import SplitConfig
from icefloe.errors import IcefloeError
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.spec import ExperimentSpec
from icefloe.simulate.workspace import write_dataset
from icefloe.training.config import RetrainingConfig, TrainingConfig
from icefloe.training.pruning import PruningRule
from studies.ea_vs_er.study import run_ea_vs_er
from studies.ea_vs_er.versions import Where
from studies.material import Material
from studies.writing import Circumstances, write_study

TINY = ExperimentSpec(size_px=64, pixel_size_nm=7.5, n_composites=10)
CONFIG = TrainingConfig(
    members=tuple(
        MemberSpec(encoder=encoder, decoder_channels=(8, 8, 8)) for encoder in ("mobilenet_v2", "resnet18")
    ),
    preprocessing=Preprocessing(size=64),
    epochs=2,
    batch_size=4,
    learning_rate=3e-3,
    retraining=RetrainingConfig(epochs=1),
)


@pytest.fixture
def material(tmp_path):
    for seed, (name, labelled) in enumerate({"A": True, "B": False}.items()):
        info = DatasetInfo(name=name, experiment=name, pixel_size_nm=7.5)
        write_dataset(simulate_experiment(TINY, seed), tmp_path / name, info, labelled=labelled)
    return Material.load(tmp_path, ["A", "B"])


def run(material, checkpoints, standard=("A",), arriving=("B",), tell=lambda _: None):
    return run_ea_vs_er(
        material,
        standard,
        arriving,
        CONFIG,
        split=SplitConfig(),
        pruning=PruningRule(),
        n_labels=2,
        n_seeds=3,
        where=Where(checkpoints),
        tell=tell,
    )


@pytest.mark.parametrize(
    ("standard", "arriving", "message"),
    [
        ((), ("B",), r"^There is no dataset to train on\. Name one with --standard\.$"),
        (("A",), (), r"^There is no dataset that arrives\. Name one with --arriving\.$"),
        (("A",), ("A",), r"^A: named as standard and as arriving\. Name it once\.$"),
    ],
)
def test_datasets_that_make_no_study_are_refused(material, tmp_path, standard, arriving, message):
    with pytest.raises(IcefloeError, match=message):
        run(material, tmp_path / "checkpoints", standard, arriving)
    assert not (tmp_path / "checkpoints").exists()


def test_more_than_two_classes_are_refused(material, tmp_path):
    info = material.datasets["B"].info.model_copy(update={"classes": ["background", "ice", "grid"]})
    datasets = material.datasets | {"B": dataclasses.replace(material.datasets["B"], info=info)}
    with pytest.raises(IcefloeError, match=r"^B: has 3 classes \(background, ice, grid\)"):
        run(dataclasses.replace(material, datasets=datasets), tmp_path)


@pytest.mark.integration
def test_a_study_trains_every_network_twice_and_a_second_run_only_scores(material, tmp_path):
    told = []
    study = run(material, tmp_path / "checkpoints", tell=told.append)
    assert told[:2] == ["T1: 6 networks on 6 images", "T2: all of them again, with 2 images of B"]
    for name, network in study.versions[1].networks.items():
        before = study.versions[0].networks[name].receipt
        assert network.receipt.init_sha256 == before.weights_sha256
        assert network.receipt.started_from == "T1"
    scored = {sample.key for sample in study.parts.tests["B"]}
    assert not scored & {key for keys in study.versions[1].drawn.values() for key in keys}

    page = write_study(study, tmp_path / "out", Circumstances("icefloe study ea-vs-er", "abc", 1.0))
    for figure in re.findall(r"\((ea-vs-er-\w+\.png)\)", page.read_text()):
        assert (page.parent / figure).is_file()
    weights = sorted((tmp_path / "checkpoints").glob("*/best.safetensors"))
    assert len(weights) == 12
    written = [file.stat().st_mtime_ns for file in weights]
    again = run(material, tmp_path / "checkpoints")
    assert [file.stat().st_mtime_ns for file in weights] == written
    assert json.dumps(again.to_dict()) == json.dumps(study.to_dict())
