"""From datasets to a page, with real training; and what is refused before it."""

import re
import shutil

import numpy as np
import pytest
import yaml

from icefloe.datasets.dataset import DatasetInfo
from icefloe.datasets.splits import SplitConfig
from icefloe.errors import IcefloeError
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.params import DEFAULT_PARAMS, load_params
from icefloe.progress import Silent
from icefloe.settings import Settings
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.spec import ExperimentSpec
from icefloe.simulate.workspace import write_dataset
from icefloe.training.config import RetrainingConfig, TrainingConfig
from studies.ea_vs_er.design import Design, ImageSplit
from studies.ea_vs_er.result import EaVsErResult
from studies.ea_vs_er.run import run_ea_vs_er, train_versions
from studies.kit.data import StudyData
from studies.kit.study import write_study
from studies.kit.training import Trainer

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
TINY_PARAMS = {"presets": {"tiny": {"training": CONFIG.model_dump(mode="json")}}}


@pytest.fixture
def settings(tmp_path):
    for seed, (name, labelled) in enumerate({"A": True, "B": False}.items()):
        info = DatasetInfo(name=name, experiment=name, pixel_size_nm=7.5)
        write_dataset(simulate_experiment(TINY, seed), tmp_path / "data" / name, info, labelled=labelled)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(TINY_PARAMS))
    return Settings(workspace=tmp_path)


def run(settings, **options):
    return run_ea_vs_er(settings, **{"preset": "tiny", "n_seeds": 3, **options})


class Told(Silent):
    def __init__(self):
        self.lines = []

    def tell(self, line):
        self.lines.append(line)


@pytest.mark.parametrize(
    ("absent", "options", "message"),
    [
        ("A", {}, r"^There is no dataset to train on\. Name one with --standard\.$"),
        ("B", {}, r"^There is no dataset that arrives\. Name one with --arriving\.$"),
        ("", {"arriving": ["A"]}, r"^A: named as standard and as arriving\. Name it once\.$"),
    ],
)
def test_datasets_that_make_no_study_are_refused(settings, absent, options, message):
    if absent:
        shutil.rmtree(settings.data / absent)
    with pytest.raises(IcefloeError, match=message):
        run(settings, **options)
    assert not settings.checkpoints.exists()


def test_more_than_two_classes_are_refused(settings):
    info = DatasetInfo(name="B", experiment="B", classes=["background", "ice", "grid"])
    info.save(settings.data / "B")
    with pytest.raises(IcefloeError, match=r"^B: has 3 classes \(background, ice, grid\)"):
        run(settings)


@pytest.mark.integration
def test_a_study_trains_every_network_twice_and_a_second_run_only_scores(settings, tmp_path):
    told = Told()
    result = run(settings, progress=told)
    begun = [line for line in told.lines if line.startswith(("T1:", "T2:"))]
    assert begun == ["T1: 6 networks on 6 images", "T2: all of them again, with 2 images of B"]
    drawn = {key for each in result.labelled_subsets for key in each.images}
    assert not set(result.tests[1].images) & drawn

    page = write_study(result, tmp_path / "out")
    named = re.findall(r"\((ea-vs-er-\w+\.png)\)", page.read_text())
    assert len(named) == 5
    for figure in named:
        assert (page.parent / figure).is_file()
    weights = sorted(settings.checkpoints.glob("*/best.safetensors"))
    assert len(weights) == 12
    written = [file.stat().st_mtime_ns for file in weights]
    again = run(settings)
    assert [file.stat().st_mtime_ns for file in weights] == written
    assert again.model_dump_json() == result.model_dump_json()
    assert EaVsErResult.model_validate_json(result.model_dump_json()).page() == result.page()

    data = StudyData.load(settings.data, ["A", "B"])
    split, design = ImageSplit.of(data, ["A"], ["B"], SplitConfig()), Design.of(CONFIG.members, 3)
    first, second = train_versions(Trainer(data, settings), split, design, CONFIG, n_labels=2)
    for name, member in second.trained.items():
        assert member.receipt.init_sha256 == first.trained[name].receipt.weights_sha256
        assert member.receipt.started_from == "T1"
    assert np.ptp([len(samples) for samples in second.drawn.values()]) == 0


def test_the_preset_made_for_it_has_distinct_architectures():
    preset = load_params(DEFAULT_PARAMS, "study")
    assert len({member.encoder for member in preset.training.members}) == len(preset.training.members)
